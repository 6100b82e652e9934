"""What an application hears when nobody decides in time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from hitl_mlops.own_files import utc_now
from hitl_mlops.queues import Queues
from hitl_mlops.review.ticket import TicketState
from tests.gateway_room import POLICY, cases, serving
from tests.unit.gateway.test_app import results

ADDRESS = "https://shop.example/hitl"
LADDER = "escalation: [{after: 100%, to: senior}, {after: 24h, to: supervisor}, {after: 72h, then: reject}]\n"


@dataclass
class Clock:
    """A clock one sets."""

    now: datetime = field(default_factory=utc_now)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(tmp_path, clock):
    settings = {"policy:": f"serve: {{callbacks: [{ADDRESS}]}}\npolicy:"}
    with serving(tmp_path / "p", policy=POLICY + LADDER, settings=settings, clock=clock) as application:
        yield application


def a_fortnight(app, clock) -> list[str]:
    """What two weeks bring, hour by hour."""
    taken = []
    for _ in range(14 * 24):
        clock.now += timedelta(hours=1)
        taken += [move.what.value for move in Queues(app.project.verbs).escalate().moves]
    return taken


def test_two_weeks_without_an_answer_end_with_a_rejection_that_the_trail_tells_in_order(app, clock):
    [told] = results(app.post(cases(1, 1, branch="south")))
    name, parts = told["decision_id"], app.project.parts
    assert app.say(name, "callback", url=ADDRESS).status_code == 200
    app.project.push()
    assert a_fortnight(app, clock) == ["reminded", "handed_up", "expired"]
    stands = app.get(name).json()
    assert (stands["state"], stands["act"], stands["label"]) == ("rejected", False, None)
    assert stands["rejected_at"] > told["decided_at"]
    assert parts.desk.closed == set(parts.desk.task_ids())
    assert [one.cause for one in parts.callbacks.deliveries()] == [parts.moves.ended([name])[name].move_id]
    assert [entry.read()["kind"] for entry in parts.trail.about(name)] == [
        "tickets.opened",
        "tickets.reminded",
        "tickets.handed_up",
        "tickets.expired",
    ]
    assert app.project.verify_trail().trail.sound


def test_an_answer_given_just_before_the_end_is_collected_first_and_counts(app, clock):
    [told] = results(app.post(cases(1, 1, branch="south")))
    app.project.push()
    parts = app.project.parts
    clock.now += timedelta(hours=24 + 71)
    (task_id,) = parts.desk.task_ids()
    parts.desk.session("ann@hitl.example").answer(task_id, "no", "I looked at it twice", None, 8.0)
    clock.now += timedelta(hours=2)
    assert Queues(app.project.verbs).escalate().moves == ()
    assert app.get(told["decision_id"]).json()["state"] == "resolved"


def test_a_dry_run_tells_and_changes_nothing(app, clock):
    results(app.post(cases(1, 1, branch="south")))
    clock.now += timedelta(hours=25)
    size = app.project.parts.trail.size()
    tried = Queues(app.project.verbs).escalate(dry_run=True)
    assert [move.lane for move in tried.moves] == ["senior"]
    assert app.project.parts.trail.size() == size
    [(_, _, state)] = app.project.parts.tickets.counts()
    assert state is TicketState.WAITING
