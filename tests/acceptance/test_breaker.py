"""A model that runs away in a whole project: stopped, tried, let go again; limits and flags beside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from hitl_mlops.audit.entry import Kind
from hitl_mlops.project import Project
from hitl_mlops.routing.breaker import BreakerState
from tests.freeze_room import POLICY, a_project, open_again, some_cases
from tests.guard_room import PER_BRANCH, WATCHED, answer_all, flag


@dataclass
class Room:
    """A project whose clock the test moves, opened anew as often as it likes."""

    project: Project
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    count: int = 0

    def write_policy(self, policy: str) -> None:
        (self.project.settings.folder / "policy.yaml").write_text(policy)
        self.restart()

    def restart(self) -> None:
        """The next thing is done by another process."""
        self.project.close()
        self.project = open_again(self.project.settings.folder, self.project.parts.registry)
        self.project.parts.clock = lambda: self.now

    def decide(self, count: int = 60):
        first, self.count = self.count, self.count + count
        return self.project.decide(some_cases(first, count)).decisions

    def routes(self, count: int = 60):
        return Counter(one.route for one in self.decide(count))

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def room(tmp_path):
    made = Room(a_project(tmp_path))
    made.write_policy(WATCHED)
    yield made
    made.project.close()


def states(changed):
    return [one.state for one in changed]


def test_a_runaway_is_stopped_in_the_next_batch_and_let_go_after_a_good_trial(room):
    assert answer_all(room.project, room.decide(), right=True) > 10
    assert room.project.look_at_breakers() == []

    room.wait(minutes=1)
    answer_all(room.project, room.decide(120), right=False)
    room.restart()
    assert states(room.project.look_at_breakers()) == [BreakerState.OPEN]
    room.restart()
    stopped = room.decide()
    assert {(one.route, one.reasons[0]) for one in stopped} == {("senior", "breaker: b1 → senior")}
    answer_all(room.project, stopped, right=True)
    assert room.project.look_at_breakers() == []  # what was decided before its time is no trial

    room.wait(minutes=31)
    trial = room.decide(4)
    assert {one.route for one in trial} == {"senior"}
    answer_all(room.project, trial, right=True)
    assert states(room.project.look_at_breakers()) == [BreakerState.HALF_OPEN]
    assert room.routes(2) == {"senior": 2}
    room.restart()
    answer_all(room.project, room.decide(1), right=True)
    assert states(room.project.look_at_breakers()) == [BreakerState.CLOSED]

    assert room.routes(20) == {"auto": 20}
    kinds = [entry.read()["kind"] for entry in room.project.parts.trail.about("b1")]
    assert kinds == [Kind.BREAKER_OPENED, Kind.BREAKER_HALF_OPENED, Kind.BREAKER_CLOSED]
    assert room.project.verify_trail().sound


def test_a_bad_trial_opens_it_for_twice_as_long(room):
    answer_all(room.project, room.decide(120), right=False)
    room.project.look_at_breakers()
    room.wait(minutes=31)
    answer_all(room.project, room.decide(5), right=False)

    changed = room.project.look_at_breakers()
    assert states(changed) == [BreakerState.HALF_OPEN, BreakerState.OPEN]
    assert changed[-1].until - room.now == timedelta(hours=1)
    assert room.routes(20) == {"senior": 20}


def test_a_runaway_on_and_on_lets_nothing_out_once_it_was_seen(room):
    out = 0
    for batch in range(40):
        decided = room.decide(20)
        automatic = sum(one.route == "auto" for one in decided)
        assert not (batch > 3 and automatic), "a batch after the breaker opened"
        out += automatic
        answer_all(room.project, decided, right=False)
        room.project.look_at_breakers()
        room.wait(minutes=7)

    assert 0 < out <= 80
    assert [one.scope.name for one in room.project.parts.breakers.breakers()] == ["everything"]


def test_each_branch_has_a_breaker_of_its_own(room):
    room.write_policy(PER_BRANCH)
    decided = room.decide(200)
    north = [one for one in decided if one.attributes["branch"] == "north"]
    south = [one for one in decided if one.attributes["branch"] == "south"]
    answer_all(room.project, north, right=False)
    answer_all(room.project, south, right=True)

    (opened,) = room.project.look_at_breakers()
    assert str(opened.scope) == "branch=north"
    found = Counter((one.attributes["branch"], one.route) for one in room.decide(40))
    assert found == {("north", "senior"): 20, ("south", "auto"): 20}


def test_a_person_resets_it(room):
    answer_all(room.project, room.decide(120), right=False)
    room.project.look_at_breakers()
    room.wait(minutes=1)
    order = room.project.verbs.order("ana", "the scanner was replaced")
    room.project.verbs.circuit.reset("b1", order)

    assert room.project.look_at_breakers() == []
    assert room.routes(20) == {"auto": 20}
    assert room.project.verify_trail().sound


def test_breakers_that_cannot_be_read_count_as_open(room):
    with room.project.parts.database.transaction() as connection:
        connection.execute(sa.text("DROP TABLE breakers"))

    assert {(one.route, one.reasons[0]) for one in room.decide(20)} == {
        ("senior", "breaker: the breakers cannot be read → senior")
    }


LIMITED = (
    POLICY + "guards: {rate_limits: [{at_most: 30, per: 1h}, {scope: branch=north, at_most: 5, per: 1h}]}\n"
)


def test_workers_share_a_limit_and_what_is_beyond_it_goes_to_people(room):
    room.write_policy(LIMITED)
    first = room.decide(20)
    assert Counter((one.attributes["branch"], one.route) for one in first) == {
        ("north", "auto"): 5,
        ("north", "senior"): 5,
        ("south", "auto"): 10,
    }
    assert next(one.reasons[0] for one in first if one.route == "senior") == (
        "limit: 5 per 1h for branch=north → senior"
    )
    room.restart()
    assert room.routes(60) == {"auto": 15, "senior": 45}
    assert room.routes(20) == {"senior": 20}

    room.wait(minutes=62)
    assert room.routes(20) == {"auto": 15, "senior": 5}


def test_what_was_decided_before_uses_up_no_limit_again(room):
    room.write_policy(LIMITED)
    for _ in range(3):
        room.count = 0
        assert room.routes(20) == {"auto": 15, "senior": 5}

    assert room.routes(40) == {"auto": 15, "senior": 25}


FLAGGED = WATCHED + "  freeze_like: {tag: policy_violation, distance: 0.02}\n"


def test_what_is_like_a_flagged_case_goes_to_people_until_a_person_lifts_it(room):
    room.write_policy(FLAGGED)
    decided = room.decide(60)
    flagged = next(one for one in decided if one.to_review)
    flag(room.project, flagged)
    (switch,) = room.project.verbs.freeze_flagged()
    assert (str(switch.scope), switch.by) == (f"like={flagged.decision_id}", "r1")
    assert room.project.verbs.freeze_flagged() == []

    inputs = room.project.parts.log.case(flagged.case_id).inputs
    like = inputs["amount"]
    frame = some_cases(1_000, 3)
    frame["amount"], frame["branch"] = [like, like + 0.3, (like + 40) % 100], inputs["branch"]
    found = room.project.decide(frame).decisions
    assert [one.route for one in found] == ["senior", "senior", "auto"]
    assert "frozen: s1 → senior" in found[0].reasons

    room.restart()
    room.project.unfreeze("s1", reason="looked into it", by="ana")
    assert room.project.verbs.freeze_flagged() == []
    frame["case_id"] = ["x1", "x2", "x3"]
    assert {one.route for one in room.project.decide(frame).decisions} == {"auto"}
    assert room.project.verify_trail().sound


def test_a_person_freezes_what_is_like_a_decision(room):
    decided = room.decide(20)
    room.project.freeze(f"like={decided[0].decision_id}", reason="odd", by="ana")

    again = some_cases(0, 1).assign(case_id=["again"])
    assert [one.route for one in room.project.decide(again).decisions] == ["senior"]
