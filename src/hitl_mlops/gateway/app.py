"""The decision service: its paths, and how one request walks through it."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette import types as asgi
from starlette.exceptions import HTTPException

import hitl_mlops
from hitl_mlops.errors import HitlError
from hitl_mlops.gateway.asking import PROBLEMS, UNKNOWN, bearer, body_of, read
from hitl_mlops.gateway.batcher import Batcher
from hitl_mlops.gateway.bell import Bell
from hitl_mlops.gateway.clerk import Clerk, told
from hitl_mlops.gateway.delivering import delivering
from hitl_mlops.gateway.desk_hint import REST_S, add_desk_hint
from hitl_mlops.gateway.events import Lookout, add_events
from hitl_mlops.gateway.metrics import Metrics
from hitl_mlops.gateway.policy_watch import watch_policy
from hitl_mlops.gateway.problem import described, problem, problem_of
from hitl_mlops.gateway.recourse import add_recourse
from hitl_mlops.gateway.tokens import Scope, TokenFile
from hitl_mlops.gateway.webhook import add_webhook
from hitl_mlops.gateway.wire import Answered, Asked, Told
from hitl_mlops.project import Project
from hitl_mlops.recourse.standing import State

PROJECT_VARIABLE = "HITL_GATEWAY_PROJECT"
LONGEST_WAIT_S = 60.0
_SEND = 'Send {"cases": [{"column": value, …}, …]}; values are text, numbers, booleans or null.'
_ABOUT = """Ask for decisions. `act` says whether you may act on `label`; while it is false, people have the
case: ask again with `GET /v1/decisions/{id}?wait=30`. The same case sent twice is decided once."""


def from_environment() -> FastAPI:
    """The service of the project that the environment names; how workers of `hitl serve` begin."""
    return build_app(Project.open(Path(os.environ[PROJECT_VARIABLE]), actor="gateway"))


def build_app(project: Project) -> FastAPI:
    """The service of one project; it closes the project when it ends."""
    clerk, tokens = Clerk(project), TokenFile(project.settings.state / "keys")
    metrics, lookout = Metrics(), Lookout(clerk.standings)
    deliver = clerk.deliver if project.settings.serve.callbacks else None
    approvals = Bell(project.pull_approvals)
    answers = Bell(project.collect, "answers", REST_S)
    project.parts.serve()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.batcher = Batcher(clerk.decide, most_wait_s=project.settings.serve.most_wait_s)
        app.state.batcher.start()
        gc.freeze()  # libraries stay, and the collector need not look through them again and again
        watching = asyncio.create_task(watch_policy(project))
        async with delivering(deliver), approvals.answered(), answers.answered():
            with lookout.ended_by_signals():
                yield
        watching.cancel()
        await app.state.batcher.close()
        await asyncio.to_thread(project.close)

    app = FastAPI(title="hitl_mlops", version=hitl_mlops.__version__, description=_ABOUT, lifespan=lifespan)
    _answer_problems(app)
    app.add_middleware(_Timed, metrics=metrics)
    _add_decisions(app, clerk, tokens, metrics, lookout)
    add_events(app, clerk, tokens, lookout)
    add_recourse(app, clerk, tokens)
    add_webhook(app, project, approvals)
    add_desk_hint(app, answers)
    _add_health(app, clerk, metrics)
    return app


def _add_decisions(app: FastAPI, clerk: Clerk, tokens: TokenFile, metrics: Metrics, lookout: Lookout) -> None:
    @app.post(
        "/v1/decisions",
        response_model=Answered,
        responses=PROBLEMS,
        openapi_extra=body_of(Asked),
        tags=["decide"],
    )
    async def decide(
        request: Request,
        strict: Annotated[bool, Query(description="One refused case refuses all of them.")] = False,
    ) -> Answered:
        """Have cases decided. The answer leaves once it is recorded."""
        tokens.holder(bearer(request), Scope.DECIDE)
        app.state.batcher.demand_room()
        rows = (await read(Asked, request, _SEND)).cases
        clerk.check_columns(rows)
        results = await app.state.batcher.submit(rows, clerk.ids_of(rows), strict=strict)
        metrics.count(results)
        return Answered(results=results)

    @app.get(
        "/v1/decisions/{decision_id}",
        response_model=Told,
        responses={**PROBLEMS, **UNKNOWN},
        tags=["decide"],
    )
    async def look_up(
        request: Request,
        decision_id: str,
        wait: Annotated[
            float, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for the people.")
        ] = 0.0,
    ) -> Told:
        """Ask what became of a decision; with `wait`, until people have decided it."""
        tokens.holder(bearer(request), Scope.READ)
        until = time.monotonic() + wait
        decision, stands = await asyncio.to_thread(clerk.find, decision_id)
        while stands.state is State.WITH_PEOPLE and time.monotonic() < until and not lookout.ending:
            if await request.is_disconnected():
                break
            stands = await lookout.look(decision)
        return told(decision, stands)


def _add_health(app: FastAPI, clerk: Clerk, metrics: Metrics) -> None:
    @app.get("/health", tags=["operate"])
    async def health() -> dict[str, str]:
        """Tell that the process lives."""
        return {"status": "up"}

    @app.get("/ready", responses={503: described("No case would be decided now.")}, tags=["operate"])
    async def ready() -> dict[str, str]:
        """Tell whether a case would be decided now: database, policy and champion are there.

        `policy` says why the file does not decide, where the last good one does or everything goes to people.
        """
        serving = await asyncio.to_thread(clerk.ready)
        wrong = clerk.project.parts.policies.held(clerk.project.parts.clock()).wrong
        return {"status": "ready", "champion": serving} | ({"policy": str(wrong)} if wrong else {})

    @app.get("/metrics", tags=["operate"], response_class=Response)
    async def counted() -> Response:
        """Tell what was counted, for Prometheus."""
        page = metrics.page(app.state.batcher.waiting, clerk.project.parts.timed.all())
        return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")


def _answer_problems(app: FastAPI) -> None:
    """Whatever goes wrong is answered as a problem, in plain words, without the values of a case."""

    @app.exception_handler(HitlError)
    async def ours(_request: Request, error: HitlError) -> JSONResponse:
        return problem_of(error)

    @app.exception_handler(RequestValidationError)
    async def misread(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(one) for one in first["loc"])
        return problem(422, "InputError", f"{where}: {first['msg']}.", "See /docs for what may be asked.")

    @app.exception_handler(HTTPException)
    async def theirs(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "HTTPError", str(error.detail), "See /docs for what there is.")

    @app.exception_handler(Exception)
    async def unforeseen(_request: Request, error: Exception) -> JSONResponse:
        return problem(
            500, "Bug", f"{type(error).__name__}, which nobody foresaw.", "Read the service's log."
        )


class _Timed:
    """Counts every request with its path, status and time; plain ASGI, which costs a request next to nothing.

    A middleware of Starlette's own kind would run each request in two more tasks.
    """

    def __init__(self, app: asgi.ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def sent(message: asgi.Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self._app(scope, receive, sent)
        path = getattr(scope.get("route"), "path", "other")
        self._metrics.took(path, status, time.perf_counter() - began)
