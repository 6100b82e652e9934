"""What the tests of the fail-closed table ask: what was released, and what is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from hitl_mlops.project import Project
from tests.gateway_room import Application


def results(reply: Any) -> list[dict[str, Any]]:
    """What became of each case; the service answered."""
    assert reply.status_code == 200, reply.text
    return list(reply.json()["results"])


def closed(reply: Any) -> dict[str, Any]:
    """The problem that the service told instead of deciding: 503, with when to ask again and what to do."""
    assert reply.status_code == 503, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert int(reply.headers["retry-after"]) >= 1
    told = dict(reply.json())
    assert told["detail"]
    assert told["remedy"]
    assert "results" not in told
    return told


def kept(project: Project) -> dict[str, int]:
    """How many decisions, refused rows, tickets and entries there are."""
    parts = project.parts
    return {
        "decisions": len(parts.log.decisions()),
        "refused": len(parts.log.quarantined()),
        "tickets": sum(parts.tickets.counts().values()),
        "entries": parts.trail.size(),
    }


def routes(told: list[dict[str, Any]]) -> set[tuple[str, str, bool, Any]]:
    """Route, state, whether the application may act, and label."""
    return {(one["route"], one["state"], one["act"], one["label"]) for one in told}


WITH_PEOPLE = {("senior", "with_people", False, None)}
"""What an application is told of cases that people have."""


@contextmanager
def without(app: Application, table: str) -> Iterator[None]:
    """The table cannot be found while the block runs."""
    database = app.project.parts.database
    with database.transaction() as connection:
        connection.execute(sa.text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    try:
        yield
    finally:
        with database.transaction() as connection:
            connection.execute(sa.text(f"ALTER TABLE {table}_away RENAME TO {table}"))


class Stand:
    """Stands for a model: says what it is told to, or does what it is told to do first."""

    def __init__(self, model: Any, does: Callable[[Any], Any]) -> None:
        self.model, self.does, self.calls = model, does, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def probabilities(self, inputs: Any) -> Any:
        self.calls += 1
        return self.does(inputs)


class Registry:
    """Another registry that gives out some versions as somebody else wants them."""

    def __init__(self, registry: Any, models: dict[str, Any]) -> None:
        self.registry, self.models = registry, models

    def __getattr__(self, name: str) -> Any:
        return getattr(self.registry, name)

    def load(self, version: str, *, digest: str | None = None) -> Any:
        found = self.models.get(version)
        return self.registry.load(version, digest=digest) if found is None else found


def put_in_place(app: Application, version: str, does: Callable[[Any], Any]) -> Stand:
    """The project's model of that version does this; before the first request."""
    parts = app.project.parts
    stand = Stand(parts.given.load(version), does)
    parts.given = Registry(parts.given, {version: stand})
    return stand


class Gate:
    """Something that hangs until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def __call__(self, *_: Any) -> None:
        assert self._open.wait(120)

    def open(self) -> None:
        self._open.set()


def took(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and its seconds."""
    began = time.monotonic()
    return work(), time.monotonic() - began
