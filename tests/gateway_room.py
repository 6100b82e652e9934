"""A decision service on a project without servers, an application that asks it, and a person at the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from hitl_mlops.gateway.app import build_app
from hitl_mlops.gateway.tokens import Scope, TokenFile
from hitl_mlops.own_files import utc_now
from hitl_mlops.project import Project
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.settings import read_settings
from tests.freeze_room import TwinParts, a_project, some_cases

POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.5"}
  senior: {confidence: "< 0.5", skill: senior}
rules:
  - name: the south is asked about
    when: {branch: south}
    route: senior
spot_checks: {auto: 0.01}
"""


class DeskParts(TwinParts):
    """Parts whose desk is a twin as well."""

    @cached_property
    def desk(self) -> InMemoryDesk:
        return InMemoryDesk(clock=self.clock)


@dataclass(frozen=True)
class Application:
    """Somebody who asks the service."""

    http: TestClient
    project: Project
    token: str

    def post(self, cases: list[dict[str, Any]], **query: Any) -> Any:
        return self.http.post("/v1/decisions", json={"cases": cases}, params=query, headers=self.headers)

    def send(self, body: bytes | str) -> Any:
        return self.http.post("/v1/decisions", content=body, headers=self.headers)

    def get(self, decision_id: str, **query: Any) -> Any:
        return self.http.get(f"/v1/decisions/{decision_id}", params=query, headers=self.headers)

    def say(self, decision_id: str, verb: str, key: str | None = None, **body: Any) -> Any:
        """Something is said of a decision: halt, reverse, outcome, complaint, callback."""
        sent = self.headers | ({} if key is None else {"Idempotency-Key": key})
        return self.http.post(f"/v1/decisions/{decision_id}/{verb}", json=body, headers=sent)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def stored(self) -> tuple[int, int]:
        """Decisions and refused rows that are kept."""
        log = self.project.parts.log
        return len(log.decisions()), len(log.quarantined())

    def answer(self, label: str) -> None:
        """A person gives this label on every ticket, and the answers are collected."""
        self.project.push()
        desk = self.project.parts.desk
        ann = desk.session("ann@hitl.example")
        for task_id in desk.task_ids():
            ann.answer(task_id, label, "I looked at it twice", "wrong_class", 8.0)
        self.project.collect()


@contextmanager
def serving(
    folder: Path,
    *,
    policy: str = POLICY,
    settings: Mapping[str, str] | None = None,
    database: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[Application]:
    """The service answers; the project it serves has a champion. `settings`: text of hitl.yaml → new text."""
    with served(a_project(folder, policy=policy, database=database), settings, clock) as application:
        yield application


@contextmanager
def served(
    made: Project, settings: Mapping[str, str] | None = None, clock: Callable[[], datetime] = utc_now
) -> Iterator[Application]:
    """A service of that project, whose models are a twin's, answers."""
    file = made.settings.folder / "hitl.yaml"
    for old, new in (settings or {}).items():
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))
    parts = DeskParts(read_settings(made.settings.folder), clock=clock)
    parts.given = made.parts.registry
    made.close()
    project = Project(parts.settings, parts, actor="gateway")
    token = TokenFile(project.settings.state / "keys").make("app", list(Scope), utc_now())
    with TestClient(build_app(project), raise_server_exceptions=False) as http:
        yield Application(http, project, token)


def cases(first: int, count: int, **more: Any) -> list[dict[str, Any]]:
    """Cases as an application sends them, in the north unless told otherwise."""
    rows = some_cases(first, count).to_dict("records")
    return [{**row, "branch": "north", **more} for row in rows]
