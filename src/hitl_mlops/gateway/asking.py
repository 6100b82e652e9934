"""What a request brings: who asks, and a body that is read no further than it may be long."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from hitl_mlops.errors import InputError
from hitl_mlops.gateway.wire import Problem

MOST_BYTES = 5_000_000
Body = TypeVar("Body", bound=BaseModel)
Responses = dict[int | str, dict[str, Any]]
PROBLEMS: Responses = {
    status: {"model": Problem, "description": text}
    for status, text in (
        (401, "No such token."),
        (403, "The token does not allow it."),
        (413, "The request is too large."),
        (422, "The request cannot be used, and nothing changed; the detail says why."),
        (503, "Nothing was done: try again."),
    )
}
UNKNOWN: Responses = {404: {"model": Problem, "description": "There is no such decision."}}
TOO_LATE: Responses = {
    409: {"model": Problem, "description": "The policy does not allow it, or not any more."}
}


def bearer(request: Request) -> str | None:
    """The token that the request brings."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


async def read(kind: type[Body], request: Request, remedy: str, *, most_bytes: int = MOST_BYTES) -> Body:
    """The body of the request.

    Raises:
        InputError: it is none of that kind; the fact names the place, never a value.
        HTTPException: it is too long (413).
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most_bytes:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"More than {most_bytes:,} bytes.")
    try:
        return kind.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(one) for one in first["loc"][:3]) or "the body"
        raise InputError(f"The request cannot be read: {where}: {first['msg']}.", remedy=remedy) from error


def body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """How OpenAPI tells the body of a request that `read` reads."""
    content = {"application/json": {"schema": kind.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}
