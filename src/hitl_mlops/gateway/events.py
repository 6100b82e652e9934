"""Server-sent events: an application hears at once when people change how a decision stands."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette import types as asgi

from hitl_mlops.decisions.record import Decision
from hitl_mlops.errors import BusyError, TransientError
from hitl_mlops.gateway.asking import PROBLEMS, UNKNOWN, bearer
from hitl_mlops.gateway.clerk import Clerk, told
from hitl_mlops.gateway.tokens import Scope, TokenFile
from hitl_mlops.ids import content_id
from hitl_mlops.recourse.standing import Standing, may_change

MOST_STREAMS = 100
"""In one process; each holds a connection, and all are read for together."""
LOOK_AGAIN_S = 0.25
HEARTBEAT_S = 15.0
LONGEST_STREAM_S = 900.0
"""Then the stream ends, and the application comes again with its `Last-Event-ID`."""

Standings: TypeAlias = Callable[[Sequence[Decision]], Mapping[str, Standing]]
_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    **UNKNOWN,
    200: {"content": {"text/event-stream": {}}, "description": "Events `decision`, each as GET answers it."},
    204: {"description": "Nothing will come after the event of `Last-Event-ID`."},
}


class Lookout:
    """Looks for all who wait at once, so that a hundred cost what one does.

    Args:
        standings: decisions → how each stands now.
        most: streams at a time.
        every_s: seconds from one look to the next.
    """

    def __init__(
        self, standings: Standings, *, most: int = MOST_STREAMS, every_s: float = LOOK_AGAIN_S
    ) -> None:
        self._standings, self._most, self._every_s = standings, most, every_s
        self._wanted: dict[str, Decision] = {}
        self._looking: asyncio.Task[Mapping[str, Standing]] | None = None
        self.streams = 0
        self.ending = False

    def take(self) -> None:
        """There is one stream more.

        Raises:
            BusyError: there are as many as there may be.
        """
        if self.streams >= self._most:
            raise BusyError(
                f"{self._most} streams of events are open, and no more may be.",
                remedy="Try again in a second, or ask with GET /v1/decisions/ID and wait.",
            )
        self.streams += 1

    def free(self) -> None:
        """There is one stream less."""
        self.streams -= 1

    async def look(self, decision: Decision) -> Standing:
        """How the decision stands, `every_s` from now or a little earlier."""
        self._wanted[decision.decision_id] = decision
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return (await asyncio.shield(self._looking))[decision.decision_id]

    async def _look(self) -> Mapping[str, Standing]:
        await asyncio.sleep(self._every_s)
        wanted, self._wanted, self._looking = self._wanted, {}, None
        return await asyncio.to_thread(self._standings, list(wanted.values()))

    @contextmanager
    def ended_by_signals(self) -> Iterator[None]:
        """Streams end when the process is asked to, so that none holds it up; earlier handlers run too."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

        def end(number: int, frame: Any) -> None:
            self.ending = True
            earlier = before[signal.Signals(number)]
            if callable(earlier):
                earlier(number, frame)

        for one in before:
            signal.signal(one, end)
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def add_events(app: FastAPI, clerk: Clerk, tokens: TokenFile, lookout: Lookout) -> None:
    """The path is part of the service."""

    @app.get(
        "/v1/decisions/{decision_id}/events",
        response_class=StreamingResponse,
        responses=_DOCUMENTED,
        tags=["decide"],
    )
    async def events(request: Request, decision_id: str) -> Response:
        """Hear how a decision stands, and again whenever people change it; ends when they no longer can."""
        tokens.holder(bearer(request), Scope.READ)
        decision, stands = await asyncio.to_thread(clerk.find, decision_id)
        seen = request.headers.get("Last-Event-ID", "")
        if seen == _name(stands) and not _goes_on(clerk, decision, stands):
            return Response(status_code=204)
        lookout.take()
        return _Stream(_events(clerk, lookout, decision, stands, seen), lookout)


async def _events(
    clerk: Clerk, lookout: Lookout, decision: Decision, stands: Standing, seen: str
) -> AsyncIterator[str]:
    """What is sent: an event for every change from what was `seen`, comments while nothing happens."""
    until = time.monotonic() + LONGEST_STREAM_S
    last = time.monotonic()
    yield ": here\n\n"
    while True:
        if (name := _name(stands)) != seen:
            yield f"id: {name}\nevent: decision\ndata: {told(decision, stands).model_dump_json()}\n\n"
            seen, last = name, time.monotonic()
        if not _goes_on(clerk, decision, stands) or lookout.ending or time.monotonic() >= until:
            return
        if time.monotonic() - last >= HEARTBEAT_S:
            yield ": still here\n\n"
            last = time.monotonic()
        try:
            stands = await lookout.look(decision)
        except TransientError:
            return  # the application comes again, and hears by then what it missed


def _goes_on(clerk: Clerk, decision: Decision, stands: Standing) -> bool:
    return may_change(decision, stands, clerk.project.parts.clock())


def _name(stands: Standing) -> str:
    """The event's id: the same for the same standing, so that nobody hears it twice."""
    return content_id("e", stands)


class _Stream(StreamingResponse):
    """Events on their way; however it ends, its place is free again."""

    def __init__(self, content: AsyncIterator[str], lookout: Lookout) -> None:
        super().__init__(content, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._lookout = lookout

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """The events are sent."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._lookout.free()
