"""A project that asks people what its model would learn most from: real parts, but for the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.ids import content_id
from hitl_mlops.overrides.decide import Step
from hitl_mlops.overrides.record import AnswerState, KeptAnswer
from hitl_mlops.project import Project
from hitl_mlops.review.answer import Answer
from hitl_mlops.review.ticket import TicketKind
from hitl_mlops.selecting import SELECTION, Selecting
from tests.freeze_room import a_project, open_again, some_cases

POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.5"}
  senior: {confidence: "< 0.5", skill: senior}
spot_checks: {auto: 0.1}
"""
ONE_HOUR = POLICY + "review: {budget_hours_per_week: 1}\n"


@dataclass
class Room:
    project: Project
    now: datetime

    @property
    def selecting(self) -> Selecting:
        return Selecting(self.project.verbs)

    def write_policy(self, policy: str) -> None:
        (self.project.settings.folder / "policy.yaml").write_text(policy)
        self.project.close()
        self.project = open_again(self.project.settings.folder, self.project.parts.registry)
        self.project.parts.clock = lambda: self.now

    def decide(self, first: int, count: int):
        return self.project.decide(some_cases(first, count)).decisions

    def learning(self):
        waiting = self.project.parts.tickets.waiting()
        return [one for one in waiting if one.kind is TicketKind.LEARNING]

    def told(self):
        return [entry.read() for entry in self.project.parts.trail.about(SELECTION)]

    def answered(self, count: int, *, seconds: float) -> None:
        """People gave so many answers, each in that time."""
        kept = []
        for place in range(count):
            name = content_id("a", [self.now, place])
            answer = Answer(
                desk="desk", annotation_id=name, revision="1", task_id=name, ticket_id=name,
                reviewer="r1@x.org", edited_by="r1@x.org", label="yes", verdict=None, rationale="it is so",
                reason_code=None, seconds=seconds, answered_at=self.now, skipped=False, payload_hash="0" * 64,
            )  # fmt: skip
            kept.append(KeptAnswer(answer.key, answer, AnswerState.ACCEPTED, (), "r1", self.now))
        self.project.parts.answers.write(Step(count, new=tuple(kept)), self.now)


@pytest.fixture
def room(tmp_path):
    made = Room(a_project(tmp_path), datetime.now(UTC))
    made.write_policy(ONE_HOUR)
    yield made
    made.project.close()


def test_tickets_about_unseen_decisions_are_opened_once_with_their_entry(room):
    decisions = {one.decision_id: one for one in room.decide(0, 200)}
    found = room.selecting.select(20)
    tickets = room.learning()
    assert (found.opened, len(found.in_doubt), len(found.at_random), len(tickets)) == (20, 16, 4, 20)
    assert all(one.blind and not decisions[one.decision_id].to_review for one in tickets)
    (told,) = room.told()
    assert told["kind"] == Kind.QUESTIONS_CHOSEN
    assert told["facts"]["pi"] == found.pi == pytest.approx(4 / found.candidates)
    drawn = {one.ticket_id for one in tickets if one.decision_id in found.at_random}
    assert set(told["facts"]["drawn"]) == drawn
    again = room.selecting.select(20)
    assert not {*again.in_doubt, *again.at_random} & {*found.in_doubt, *found.at_random}
    assert len(room.learning()) == 20 + again.count > 20


def test_those_in_doubt_are_more_doubtful_than_the_others(room):
    decisions = {one.decision_id: one for one in room.decide(0, 400)}
    found = room.selecting.select(20)
    chosen = max(decisions[one].confidence for one in found.in_doubt)
    others = sorted(one.confidence for one in decisions.values() if not one.to_review)
    assert chosen <= others[5 * 20]


def test_a_dry_run_writes_nothing_and_says_what_comes_next(room):
    room.decide(0, 100)
    entries = room.project.parts.trail.size()
    tried = room.selecting.select(10, dry_run=True)
    assert (tried.opened, room.learning(), room.project.parts.trail.size()) == (0, [], entries)
    found = room.selecting.select(10)
    assert (found.at_random, found.in_doubt) == (tried.at_random, tried.in_doubt)


def test_no_more_is_asked_than_the_week_has_room_for(room):
    room.decide(0, 300)
    waiting = room.project.parts.tickets.answers_awaited()
    room.answered(20, seconds=30.0)
    found = room.selecting.select()
    assert found.count == 120 - 20 - waiting
    assert found.room.left_h == pytest.approx(found.hours)
    assert room.selecting.select().count == 0
    room.now += timedelta(days=8)
    assert room.selecting.room().taken_h == 0.0


def test_without_a_budget_a_number_must_be_given(room):
    room.write_policy(POLICY)
    room.decide(0, 50)
    with pytest.raises(ConfigurationError, match="hours"):
        room.selecting.select()
    assert room.selecting.daily() is None
    assert room.selecting.select(5).opened == 5


def test_once_a_day_a_seventh_of_the_week_is_asked(room):
    room.decide(0, 300)
    first = room.selecting.daily()
    assert first is not None
    assert first.opened == 8  # 60 s each in a seventh of an hour
    assert room.selecting.daily() is None
    room.now += timedelta(days=1, minutes=1)
    assert room.selecting.daily() is not None


def test_what_is_older_than_a_week_is_not_asked_about(room):
    room.decide(0, 50)
    room.now += timedelta(days=8)
    found = room.selecting.select(5)
    assert (found.count, found.candidates, room.told()) == (0, 0, [])


def test_no_rate_counts_what_was_chosen_to_learn_from(room):
    room.decide(0, 100)
    before = room.project.figures()
    room.selecting.select(10)
    assert room.project.figures() == before
