"""The paths by which an application says something of a decision afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Header, Request

from hitl_mlops.gateway.asking import PROBLEMS, TOO_LATE, UNKNOWN, bearer, body_of, read
from hitl_mlops.gateway.clerk import Clerk
from hitl_mlops.gateway.tokens import Scope, TokenFile
from hitl_mlops.gateway.wire import Told
from hitl_mlops.gateway.wire_recourse import (
    CallbackKept,
    Calling,
    Changed,
    Complaining,
    ComplaintKept,
    Happened,
    OutcomeKept,
    Stopping,
)
from hitl_mlops.ids import instant

MOST_BYTES = 50_000
_WORD = 'Send {"by": "who", "reason": "why"}.'
_HAPPENED = 'Send {"label": "class", "source": "how it is known", "at": "2026-03-01T12:00:00+00:00"}.'
_ALL = {**PROBLEMS, **UNKNOWN, **TOO_LATE}
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Of your choice, 1 to 200 signs: the request sent again under it counts once.",
    ),
]


def add_recourse(app: FastAPI, clerk: Clerk, tokens: TokenFile) -> None:
    """The paths are part of the service."""
    _add_stops(app, clerk, tokens)
    _add_outcome(app, clerk, tokens)
    _add_complaint(app, clerk, tokens)
    _add_callback(app, clerk, tokens)


def _add_stops(app: FastAPI, clerk: Clerk, tokens: TokenFile) -> None:
    async def stop(verb: Callable[..., object], request: Request, decision_id: str, key: str | None) -> Told:
        sender = tokens.holder(bearer(request), Scope.INTERVENE)
        said = await read(Stopping, request, _WORD, most_bytes=MOST_BYTES)
        await asyncio.to_thread(verb, decision_id, by=said.by, reason=said.reason, through=sender, key=key)
        return await asyncio.to_thread(clerk.look_up, decision_id)

    @app.post(
        "/v1/decisions/{decision_id}/halt",
        response_model=Told,
        responses=_ALL,
        openapi_extra=body_of(Stopping),
        tags=["afterwards"],
    )
    async def halt(request: Request, decision_id: str, key: Key = None) -> Told:
        """Stop a decision that runs (`intervention: during`). Halted before, it is answered as it stands."""
        return await stop(clerk.project.recourse.halt, request, decision_id, key)

    @app.post(
        "/v1/decisions/{decision_id}/reverse",
        response_model=Told,
        responses=_ALL,
        openapi_extra=body_of(Stopping),
        tags=["afterwards"],
    )
    async def reverse(request: Request, decision_id: str, key: Key = None) -> Told:
        """Take a decision back (`intervention: after`), until its `reversible_until`."""
        return await stop(clerk.project.recourse.reverse, request, decision_id, key)


def _add_outcome(app: FastAPI, clerk: Clerk, tokens: TokenFile) -> None:
    @app.post(
        "/v1/decisions/{decision_id}/outcome",
        response_model=OutcomeKept,
        responses={**PROBLEMS, **UNKNOWN},
        openapi_extra=body_of(Happened),
        tags=["afterwards"],
    )
    async def outcome(request: Request, decision_id: str, key: Key = None) -> OutcomeKept:
        """Tell what really happened. Told otherwise before, this corrects it; every revision is kept."""
        sender = tokens.holder(bearer(request), Scope.OUTCOME)
        said = await read(Happened, request, _HAPPENED, most_bytes=MOST_BYTES)
        kept = await asyncio.to_thread(
            clerk.project.recourse.tell_outcome,
            decision_id,
            said.label,
            source=said.source,
            at=said.at,
            by=said.by,
            through=sender,
            key=key,
        )
        return OutcomeKept(
            decision_id=decision_id,
            revision=kept.revision,
            label=kept.label,
            at=instant(kept.at),
            source=kept.source,
        )


def _add_complaint(app: FastAPI, clerk: Clerk, tokens: TokenFile) -> None:
    @app.post(
        "/v1/decisions/{decision_id}/complaint",
        response_model=ComplaintKept,
        responses=_ALL,
        openapi_extra=body_of(Complaining),
        tags=["afterwards"],
    )
    async def complain(request: Request, decision_id: str, key: Key = None) -> ComplaintKept:
        """Bring a complaint, while the policy hears it: it is kept, and a supervisor is asked."""
        sender = tokens.holder(bearer(request), Scope.COMPLAIN)
        said = await read(Complaining, request, _WORD, most_bytes=MOST_BYTES)
        complains = clerk.project.recourse.complain
        made = await asyncio.to_thread(
            complains, decision_id, by=said.by, reason=said.reason, through=sender, key=key
        )
        return ComplaintKept(
            complaint_id=made.complaint_id,
            decision_id=decision_id,
            made_at=instant(made.word.at),
            ticket_id=made.ticket_id,
        )


def _add_callback(app: FastAPI, clerk: Clerk, tokens: TokenFile) -> None:
    @app.webhooks.post("decision.changed")
    def changed(body: Changed) -> None:
        """Your address is called so when people change how a decision stands. Only 2xx counts as taken."""

    @app.post(
        "/v1/decisions/{decision_id}/callback",
        response_model=CallbackKept,
        responses=_ALL,
        openapi_extra=body_of(Calling),
        tags=["decide"],
    )
    async def call_back(request: Request, decision_id: str) -> CallbackKept:
        """Be called when people change how the decision stands, and at once if they have. Twice is once."""
        sender = tokens.holder(bearer(request), Scope.READ)
        said = await read(Calling, request, 'Send {"url": "https://…"}.', most_bytes=MOST_BYTES)
        calls = clerk.project.recourse.call_back
        kept = await asyncio.to_thread(calls, decision_id, said.url, through=sender)
        return CallbackKept(callback_id=kept.callback_id, decision_id=decision_id, url=kept.url)
