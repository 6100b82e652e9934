"""The path by which Label Studio hints that somebody answered: a reason to look there soon, and no more."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Response

from hitl_mlops.gateway.bell import Bell

PATH = "/v1/webhooks/label-studio"
REST_S = 10.0
"""Seconds from one collection to the next, however often it is hinted: anybody can, as nothing is signed."""


def add_desk_hint(app: FastAPI, answers: Bell) -> None:
    """The path is part of the service."""

    @app.post(PATH, status_code=HTTPStatus.NO_CONTENT, response_class=Response, tags=["operate"])
    async def hinted() -> None:
        """Have answers collected soon. No token; what is sent is not read, the desk is asked."""
        answers.ring()
