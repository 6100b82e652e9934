"""What a request brings: who asks, and a body that is read no further than it may be long."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from hitl_mlops.errors import InputError
from hitl_mlops.gateway.problem import described

MOST_BYTES = 5_000_000
BODY_WITHIN_S = 30.0
"""Then whoever sends it byte by byte has no more of our time."""
Body = TypeVar("Body", bound=BaseModel)
Responses = dict[int | str, dict[str, Any]]
PROBLEMS: Responses = {
    status: described(text)
    for status, text in (
        (401, "No such token."),
        (403, "The token does not allow it."),
        (408, "The request was not there in time."),
        (413, "The request is too large."),
        (415, "The request is packed."),
        (422, "The request cannot be used, and nothing changed; the detail says why."),
        (503, "Nothing was done: try again."),
    )
}
UNKNOWN: Responses = {404: described("There is no such decision.")}
TOO_LATE: Responses = {409: described("The policy does not allow it, or not any more.")}


def bearer(request: Request) -> str | None:
    """The token that the request brings."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


async def read(
    kind: type[Body],
    request: Request,
    remedy: str,
    *,
    most_bytes: int = MOST_BYTES,
    within_s: float = BODY_WITHIN_S,
) -> Body:
    """The body of the request, which is JSON whatever its content type says.

    Raises:
        InputError: it is none of that kind; the fact names the place, never a value. Or as `read_bytes`.
    """
    body = await read_bytes(request, most_bytes=most_bytes, within_s=within_s)
    try:
        found = kind.model_validate_json(body)
    except ValidationError as error:
        raise InputError(f"The request cannot be read: {_told(error)}.", remedy=remedy) from error
    _refuse_doubled_names(body, found, remedy)
    return found


async def read_bytes(
    request: Request, *, most_bytes: int = MOST_BYTES, within_s: float = BODY_WITHIN_S
) -> bytes:
    """The body of the request, as it came.

    Raises:
        InputError: it is too long (413), packed (415), or not there in time (408): `data["http_status"]`.
    """
    packed = request.headers.get("Content-Encoding", "identity")
    if packed.strip().lower() not in ("", "identity"):
        raise InputError(
            "The body is packed, and nobody knows how large it is.",
            remedy="Send it as it is, without Content-Encoding.",
            http_status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    try:
        async with asyncio.timeout(within_s):
            return await _body(request, most_bytes)
    except TimeoutError as error:
        raise InputError(
            f"The body was not there within {within_s:g} s.",
            remedy="Send it at once, with its Content-Length.",
            http_status=HTTPStatus.REQUEST_TIMEOUT,
        ) from error


async def _body(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise InputError(
                f"The body has more than {most_bytes:,} bytes.",
                remedy="Send less at once; a file of cases is for `hitl decide`.",
                http_status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
    return bytes(body)


def _told(error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    where = errors[0]["loc"][:3]
    one_of = sum(each["loc"][:3] == where for each in errors) > 1
    fact = "this is none of text, number, true, false and null" if one_of else errors[0]["msg"]
    return f"{'.'.join(map(str, where)) or 'the body'}: {fact}"


def _refuse_doubled_names(body: bytes, found: BaseModel, remedy: str) -> None:
    """Each name stands once in its object: nobody can say which of two values was meant.

    A name needs a colon, so where there are no more colons than names, none stands twice. That is the usual
    case, and costs next to nothing; else the body is read once more.
    """
    if body.count(b":") <= _names_in(found):
        return

    def once(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) != len(pairs):
            raise InputError("The request cannot be read: a name stands twice in one object.", remedy=remedy)

    json.loads(body, object_pairs_hook=once)


def _names_in(found: BaseModel) -> int:
    own = [getattr(found, name) for name in found.model_fields_set]
    rows = [one for value in own if isinstance(value, list) for one in value if isinstance(one, dict)]
    return len(own) + sum(map(len, rows))


def body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """How OpenAPI tells the body of a request that `read` reads."""
    content = {"application/json": {"schema": kind.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}
