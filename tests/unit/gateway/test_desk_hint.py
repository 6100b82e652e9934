"""Label Studio hints that somebody answered, and the answer is collected without waiting for a flow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hitl_mlops.gateway.desk_hint import PATH
from tests.gateway_room import Application, cases, serving

SOON_S = 10.0


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with serving(tmp_path / "project") as application:
        yield application


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answered(app: Application) -> Callable[[], int]:
    """Somebody answers what the desk holds; asks how many answers are kept."""
    assert app.post([{**one, "branch": "south"} for one in cases(0, 1)]).status_code == 200
    app.project.push()
    desk = app.project.parts.desk
    for task_id in desk.task_ids():
        desk.session("ann@hitl.example").answer(task_id, "1", "I looked at it twice", "wrong_class", 8.0)
    tasks = list(desk.task_ids())
    assert tasks
    return lambda: len(app.project.parts.answers.answers_of(desk.name, tasks))


def test_an_answer_is_kept_soon_after_the_hint_whatever_was_sent_with_it(app: Application) -> None:
    kept = answered(app)
    assert kept() == 0
    reply = app.http.post(PATH, content=b"{not json" * 100_000, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.content) == (204, b"")
    until(kept)


def test_a_storm_of_hints_is_one_collection(app: Application) -> None:
    readings = []
    desk = app.project.parts.desk
    changes = desk.changes

    def counted(since: object = None) -> object:
        readings.append(since)
        return changes(since)

    desk.changes = counted
    for _ in range(50):
        assert app.http.post(PATH).status_code == 204
    until(lambda: readings)
    time.sleep(1.5)
    assert len(readings) == 1


def test_a_hint_is_taken_where_the_desk_is_down(app: Application) -> None:
    app.project.parts.desk.changes = None
    assert app.http.post(PATH).status_code == 204
    assert app.http.get("/health").status_code == 200
