"""Errors as `application/problem+json` (RFC 9457): the fact, the remedy, a status that says who must act."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

from hitl_mlops.errors import (
    BusyError,
    CredentialsError,
    HitlError,
    InputError,
    IntegrityError,
    NotFoundError,
    RefusedError,
    TransientError,
)
from hitl_mlops.gateway.batcher import RETRY_AFTER_S
from hitl_mlops.gateway.wire import Problem

MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[HitlError], HTTPStatus], ...] = (
    (InputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (CredentialsError, HTTPStatus.UNAUTHORIZED),
    (RefusedError, HTTPStatus.CONFLICT),
    (BusyError, HTTPStatus.SERVICE_UNAVAILABLE),
    (TransientError, HTTPStatus.SERVICE_UNAVAILABLE),
    (IntegrityError, HTTPStatus.SERVICE_UNAVAILABLE),  # closed: what cannot be trusted decides nothing
)
_PASSED_ON = ("missing", "rows", "reasons", "reversible_until", "until")


def described(text: str) -> dict[str, Any]:
    """How OpenAPI tells such an answer."""
    return {"description": text, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}


def problem(
    status: int,
    kind: str,
    detail: str,
    remedy: str = "",
    more: Mapping[str, Any] | None = None,
    *,
    retry_after_s: int = RETRY_AFTER_S,
) -> JSONResponse:
    """The answer.

    Args:
        status: HTTP status.
        kind: name of the error, the end of `type`.
        detail: what is wrong.
        remedy: what to do.
        more: further members.
        retry_after_s: when to ask again, where the status is 503.
    """
    headers = {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(retry_after_s)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = {
        "type": f"urn:hitl:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "remedy": remedy,
    }
    return JSONResponse({**body, **(more or {})}, status, headers, media_type=MEDIA_TYPE)


def problem_of(error: HitlError) -> JSONResponse:
    """One of our errors; the values behind it are passed on only where they help whoever asked."""
    status = next((one for kind, one in _STATUS if isinstance(error, kind)), HTTPStatus.SERVICE_UNAVAILABLE)
    if isinstance(error, CredentialsError):
        status = HTTPStatus(error.data.get("status", HTTPStatus.UNAUTHORIZED))
    status = HTTPStatus(error.data.get("http_status", status))
    more = {name: error.data[name] for name in _PASSED_ON if name in error.data}
    again_s = error.data.get("retry_after_s", RETRY_AFTER_S)
    return problem(status, type(error).__name__, error.fact, error.remedy, more, retry_after_s=again_s)
