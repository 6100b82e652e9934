"""The path by which MLflow tells that something changed there: a reason to look, and no more."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import FastAPI, Request, Response

from hitl_mlops.gateway.asking import Responses, read_bytes
from hitl_mlops.gateway.bell import Bell
from hitl_mlops.gateway.problem import described
from hitl_mlops.gateway.wire import Heard
from hitl_mlops.project import Project
from hitl_mlops.webhooks.delivery import envelope_of
from hitl_mlops.webhooks.hear import PATH, demand_secret, hear

MOST_BYTES = 200_000
"""An approval has some hundreds; whoever sends more may not be MLflow, and is not read to the end."""
_ANSWERS: Responses = {
    200: {"model": Heard, "description": "It was heard before; nothing is done."},
    403: described("It is not signed by this project's MLflow, or not of now."),
    404: described("This project shares no secret with its MLflow."),
    408: described("The request was not there in time."),
    413: described("The request is too large."),
    415: described("The request is packed."),
    503: described("It could not be remembered: send it again."),
}


def add_webhook(app: FastAPI, project: Project, bell: Bell) -> None:
    """The path is part of the service."""

    @app.post(
        PATH,
        response_model=Heard,
        status_code=HTTPStatus.ACCEPTED,
        responses=_ANSWERS,
        tags=["operate"],
    )
    async def heard(request: Request, response: Response) -> Heard:
        """Hear from MLflow that a version changed. Signed by MLflow, no token; what changed is read there."""
        parts = project.parts
        secret = demand_secret(await asyncio.to_thread(lambda: parts.webhook_secret))
        envelope = envelope_of(request.headers)
        body = await read_bytes(request, most_bytes=MOST_BYTES)
        is_new = await asyncio.to_thread(
            lambda: hear(envelope, body, secret=secret, book=parts.heard, now=parts.clock())
        )
        if is_new:
            bell.ring()
        else:
            response.status_code = HTTPStatus.OK
        return Heard(is_new=is_new)
