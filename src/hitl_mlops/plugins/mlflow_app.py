"""`mlflow server --app-name hitl`: MLflow on its own basic auth; an approval has a person and a time.

Every request that changes something is read as MLflow will read it, put before `mlflow_rules.may`, and
recorded under the app's signature. What is not understood, and what the app does not know, is refused.

Told by the environment: `HITL_MLFLOW_PEOPLE` names the people file, `HITL_MLFLOW_KEY` the signing key (made
on first use, its public half beside it).
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hitl_mlops.audit.keys import open_signer
from hitl_mlops.errors import ConfigurationError, HitlError
from hitl_mlops.plugins.mlflow_ledger import Ledger, Lock, Person
from hitl_mlops.plugins.mlflow_requests import SAFE_METHODS, Asked, asked, asked_of_file
from hitl_mlops.plugins.mlflow_rules import Action, may
from hitl_mlops.servers.mlflow_people import read_people

if TYPE_CHECKING:
    from fastapi import FastAPI
    from flask import Flask, Response

PEOPLE_VARIABLE, KEY_VARIABLE = "HITL_MLFLOW_PEOPLE", "HITL_MLFLOW_KEY"
KEY_NAME = "hitl/mlflow"
FORBIDDEN, UNAUTHORIZED, FAILED = 403, 401, 400
_FILE_PATHS = ("/api/2.0/mlflow-artifacts/artifacts/", "/ajax-api/2.0/mlflow-artifacts/artifacts/")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def create_app() -> Flask | FastAPI:
    """MLflow's server with the app in front; FastAPI under uvicorn, else Flask, as MLflow's own auth returns.

    Raises:
        ConfigurationError: the environment names no people or no key, or one cannot be read.
    """
    from mlflow.server import app as flask_app
    from mlflow.server import auth

    guard = Guard(_named(PEOPLE_VARIABLE), _named(KEY_VARIABLE))
    served = auth.create_app(flask_app)
    flask_app.before_request(guard.before)
    flask_app.after_request(guard.after)
    flask_app.teardown_request(guard.finish)
    if served is not flask_app:
        native = auth._native_fastapi_routes(served)  # noqa: SLF001 - MLflow has no public name for it
        served.add_middleware(NativeGuard, guard=guard, native=native)
    return served  # type: ignore[no-any-return]


def _named(variable: str) -> Path:
    named = os.environ.get(variable)
    if not named:
        raise ConfigurationError(
            f"The environment variable {variable} is not set.",
            remedy="Start MLflow with `hitl up`; for a server of yours: docs/how-to/approve-in-mlflow.md.",
        )
    return Path(named)


class Guard:
    """Stands before MLflow's handlers.

    Args:
        people: the people file; read anew whenever it changed, and nobody but readers while it is wrong.
        key: the signing key.
    """

    def __init__(self, people: Path, key: Path) -> None:
        read_people(people)
        self._people = people
        self.ledger = Ledger(open_signer(key, KEY_NAME))
        self._lock = key.with_suffix(".lock")

    def person(self, account: str) -> Person:
        """The account with its groups, as the file has them now."""
        return Person(account, read_people(self._people).groups_of(account))

    def against(self, wanted: Asked, person: Person, *, is_admin: bool) -> str | None:
        """Why it is refused; None where it is not."""
        roles = read_people(self._people).roles_of(person.account, is_admin=is_admin)
        return may(roles, wanted.action, self.ledger.known(wanted, person))

    def before(self) -> Response | None:
        """Runs after MLflow has checked who it is; an answer ends the request."""
        from mlflow.exceptions import MlflowException

        try:
            return self._before()
        except HitlError as error:
            return _refused(error.fact)
        except MlflowException as error:
            return _response(error.get_http_status_code(), error.serialize_as_json())

    def _before(self) -> Response | None:
        from flask import g, request
        from mlflow.server import auth

        if request.method in SAFE_METHODS:
            return None
        account = g.get("mlflow_authenticated_user")
        if not account:
            return _refused("Nobody changes anything without logging in.")
        wanted = _file_of(request, self.ledger) or _own(asked(request), account)
        if wanted.action in (Action.LOOK, Action.TRACK):
            refusal = self.against(wanted, self.person(account), is_admin=auth.sender_is_admin())
            return _refused(refusal) if refusal else None
        g.hitl_lock = Lock(self._lock)
        person = self.person(account)
        refusal = self.against(wanted, person, is_admin=auth.sender_is_admin())
        if refusal:
            return _refused(refusal)
        g.hitl_asked, g.hitl_person = wanted, person
        if wanted.version is not None or wanted.alias is not None:
            self.ledger.record(wanted, person, _now())  # before: a webhook of the deed finds its record
        return None

    def after(self, response: Response) -> Response:
        """What MLflow refused does not count; what has a version only now is recorded now."""
        from flask import g

        wanted: Asked | None = g.get("hitl_asked")
        if wanted is None:
            return response
        if response.status_code >= FAILED:
            self.ledger.undo(wanted, g.hitl_person, _now())
        elif wanted.version is None and wanted.alias is None:
            made = (response.get_json(silent=True) or {}).get("model_version", {})
            if made:
                self.ledger.record(wanted, g.hitl_person, _now(), version=str(made["version"]))
        return response

    def finish(self, _error: BaseException | None = None) -> None:
        """The next writer's turn."""
        from flask import g

        if lock := g.pop("hitl_lock", None):
            lock.release()


def _own(wanted: Asked, account: str) -> Asked:
    """Another person's password is the administrator's business."""
    is_others = wanted.action is Action.OWN_PASSWORD and wanted.value != account
    return Asked(Action.MANAGE) if is_others else wanted


def _file_of(request: Any, ledger: Ledger) -> Asked | None:
    """A write to an artifact that Flask answers."""
    path = (request.view_args or {}).get("artifact_path")
    handler = request.url_rule.endpoint if request.url_rule is not None else ""
    if path is None or "multipart" in handler:
        return None
    return file_asked(str(path), ledger, deletes=request.method == "DELETE")


def file_asked(path: str, ledger: Ledger, *, deletes: bool) -> Asked:
    """What a write to an artifact asks for, its path decoded as MLflow decodes it."""
    from mlflow.utils.uri import validate_path_is_safe

    safe = str(validate_path_is_safe(path))
    return asked_of_file(safe, deletes=deletes, sources=ledger.sources(safe))


class NativeGuard:
    """Stands before the routes that FastAPI answers itself, artifacts among them; the others go to Flask.

    Args:
        app: what is behind.
        guard: the same as Flask's.
        native: MLflow's own routes.
    """

    def __init__(self, app: Any, *, guard: Guard, native: list[Any]) -> None:
        self._app, self._guard, self._native = app, guard, native

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request is answered, by what is behind or with a refusal."""
        from mlflow.server import auth
        from starlette.concurrency import run_in_threadpool
        from starlette.requests import Request

        is_write = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
        if not is_write or not auth._scope_matches_native_route(self._native, scope):  # noqa: SLF001
            await self._app(scope, receive, send)
            return
        answer = await run_in_threadpool(self._refusal, Request(scope))
        await (answer or self._app)(scope, receive, send)

    def _refusal(self, request: Any) -> Any | None:
        from mlflow.exceptions import MlflowException
        from mlflow.server import auth
        from starlette.responses import PlainTextResponse, Response

        user = auth._authenticate_fastapi_request(request)  # noqa: SLF001 - as MLflow's own middleware
        if user is None:
            headers = {"WWW-Authenticate": 'Basic realm="mlflow"'}
            return PlainTextResponse("Log in.", UNAUTHORIZED, headers)
        try:
            wanted = self._asked(request.scope["path"])
            why = self._guard.against(wanted, self._guard.person(user.username), is_admin=user.is_admin)
        except (HitlError, MlflowException) as error:
            why = error.fact if isinstance(error, HitlError) else str(error.message)
        return Response(_body(why), FORBIDDEN, media_type="application/json") if why else None

    def _asked(self, path: str) -> Asked:
        for prefix in _FILE_PATHS:
            if path.startswith(prefix):
                return file_asked(path.removeprefix(prefix), self._guard.ledger, deletes=False)
        return Asked(Action.TRACK if path.endswith("/v1/traces") else Action.MANAGE)


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _refused(why: str) -> Response:
    return _response(FORBIDDEN, _body(why))


def _body(why: str) -> str:
    return json.dumps({"error_code": "PERMISSION_DENIED", "message": why})


def _response(status: int, text: str) -> Response:
    from flask import Response

    return Response(text, status, mimetype="application/json")
