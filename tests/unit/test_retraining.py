"""A project that looks whether to retrain or roll back: real parts, but for the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.kpis.returns import HELD_BACK
from hitl_mlops.project import Project
from hitl_mlops.retraining import BY_SCHEDULE, BY_THE_POLICY, Retraining
from hitl_mlops.review.ticket import TicketKind
from hitl_mlops.training.registry import CHALLENGER
from hitl_mlops.triggers.decide import Answer
from tests.freeze_room import a_project, open_again, some_cases
from tests.guard_room import answer_all

POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.5"}
  senior: {confidence: "< 0.5", skill: senior}
spot_checks: {auto: 0.5}
retrain:
  overrides: {rate: 0.25, severe: 0.5}
  calibration: {gap: 0.5, severe: 0.8}
  widespread: 0.6
  enqueue: 9
  automatic: AUTOMATIC
"""
ALL = POLICY.replace("AUTOMATIC", "[freeze, roll_back, pause, enqueue, retrain]")
NONE = POLICY.replace("AUTOMATIC", "[]")


@dataclass
class Room:
    project: Project
    now: datetime
    count: int = 0

    def write_policy(self, policy: str) -> None:
        (self.project.settings.folder / "policy.yaml").write_text(policy)
        self.project.close()
        self.project = open_again(self.project.settings.folder, self.project.parts.registry)
        self.project.parts.clock = lambda: self.now

    def decide(self, count: int = 200):
        first, self.count = self.count, self.count + count
        self.now += timedelta(minutes=1)
        return self.project.decide(some_cases(first, count)).decisions

    def answer(self, decisions, *, right: bool) -> int:
        self.now += timedelta(minutes=1)
        return answer_all(self.project, decisions, right=right)

    @property
    def retraining(self) -> Retraining:
        return Retraining(self.project)

    def told(self, kind: Kind) -> list[dict[str, object]]:
        return [
            one
            for one in (entry.read() for entry in self.project.parts.trail.entries())
            if one["kind"] == kind
        ]


@pytest.fixture
def room(tmp_path):
    made = Room(a_project(tmp_path), datetime.now(UTC))
    made.write_policy(ALL)
    yield made
    made.project.close()


def north(decisions):
    return [one for one in decisions if one.attributes["branch"] == "north"]


def south(decisions):
    return [one for one in decisions if one.attributes["branch"] == "south"]


def test_with_nothing_to_go_by_the_figures_are_unknown_and_a_person_should_look(room):
    looked = room.retraining.status()
    assert looked.decided.answer is Answer.LOOK
    assert {"override_rate", "calibration_gap", "accuracy_drop"} <= {*looked.decided.unknown}
    assert room.told(Kind.RETRAINING_DECIDED) == []


def test_a_look_is_told_with_its_figures_once_and_again_when_it_changes(room):
    room.retraining.look()
    room.retraining.look()
    room.answer(room.decide(), right=True)
    room.retraining.look()
    first, second = room.told(Kind.RETRAINING_DECIDED)
    assert first["facts"]["answer"] == "look"
    states = {one["trigger"]: one["state"] for one in second["facts"]["findings"]}
    assert (states["override_rate"], states["override_count"]) == ("quiet", "quiet")
    assert second["facts"]["cause"] == ""


def test_what_is_bad_everywhere_is_frozen_and_the_next_batch_goes_to_people(room):
    room.answer(room.decide(), right=False)
    looked = room.retraining.look()
    assert looked.decided.answer is Answer.CONTAIN
    (switch,) = room.project.switches()
    assert (str(switch.scope), switch.by) == ("everything", BY_THE_POLICY)
    assert all(one.to_review for one in room.decide(20))
    assert room.retraining.look().decided.answer is Answer.CONTAIN
    assert len(room.project.switches()) == 1


def test_a_bad_slice_is_paused_and_people_are_asked_about_samples_of_it(room):
    decisions = room.decide()
    room.answer(north(decisions), right=False)
    room.answer(south(decisions), right=True)
    looked = room.retraining.look()
    assert looked.decided.answer is Answer.PAUSE
    assert looked.due
    assert [str(one.scope) for one in room.project.switches()] == ["branch=north"]
    after = room.decide(60)
    assert all(one.to_review for one in north(after))
    assert not all(one.to_review for one in south(after))
    waiting = room.project.parts.tickets.waiting()
    asked = {one.decision_id for one in waiting if one.kind is TicketKind.LEARNING}
    assert 0 < len(asked) <= 9
    assert asked <= {one.decision_id for one in north(decisions) if not one.to_review}
    assert all(one.blind for one in waiting if one.kind is TicketKind.LEARNING)


def test_what_the_policy_keeps_for_people_is_told_as_commands_and_not_done(room):
    room.write_policy(NONE)
    room.answer(room.decide(), right=False)
    looked = room.retraining.look()
    assert (looked.decided.answer, looked.due, looked.done) == (Answer.CONTAIN, False, ())
    assert 'hitl freeze --reason "…"' in looked.asked
    assert "hitl retrain now" in looked.asked
    assert room.project.switches() == []


def test_a_retraining_tells_how_long_answers_waited_and_where_errors_cluster(room):
    decisions = room.decide()
    count = room.answer(decisions, right=False)
    made = room.retraining.now()
    told = room.told(Kind.MODEL_REGISTERED)[-1]["facts"]
    assert told["learned"]["reviewed_rows"] + told["learned"]["base_rows"] > count
    assert told["learned"]["clusters"][0]["slice"] == "branch"
    assert made.feedback_to_retrain_s == told["learned"]["feedback_to_retrain_s"]
    assert made.feedback_to_retrain_s is not None
    assert made.report is not None
    figures = room.project.figures().learning
    assert (figures.trainings, figures.feedback_to_retrain_s) == (2, made.feedback_to_retrain_s)
    assert figures.cadence_s is not None


def test_what_the_new_labels_gave_back_is_measured_when_the_challenger_is_judged(room):
    room.answer(room.decide(), right=False)
    made = room.retraining.now()
    told = room.told(Kind.GATES_JUDGED)[-1]["facts"]["returned"]
    returned = room.project.figures().learning.returned
    assert {one.basis for one in returned} == {one["basis"] for one in told} >= {HELD_BACK}
    assert all((one.version, one.before) == (made.version, "1") for one in returned)
    assert all(one.accuracy.low <= one.accuracy.value <= one.accuracy.high for one in returned)


def test_after_a_retraining_none_begins_by_itself_until_it_has_cooled_down_and_something_is_new(room):
    room.answer(room.decide(), right=False)
    assert room.retraining.look().due
    room.retraining.now()
    room.answer(room.decide(), right=False)
    cooling = room.retraining.look(BY_SCHEDULE)
    assert (cooling.decided.answer, cooling.due) == (Answer.CONTAIN, False)
    room.now += timedelta(hours=25)
    assert room.retraining.look().due
    room.retraining.now()
    room.now += timedelta(hours=25)
    assert not room.retraining.look(BY_SCHEDULE).due


def test_a_rollout_under_way_ends_where_everything_is_bad(room):
    room.answer(room.decide(), right=False)
    version = room.retraining.now().version
    room.project.start_rollout(version, force="to see it end")
    room.write_policy(ALL)
    looked = room.retraining.look()
    assert any("is over" in one for one in looked.done)
    assert room.project.parts.rollouts.live() is None


def test_a_registry_that_is_down_leaves_figures_unknown_and_stops_no_containment(room, tmp_path):
    room.answer(room.decide(), right=False)
    room.project.close()
    with open_down(room.project) as project:
        looked = Retraining(project).look()
    assert looked.decided.answer is Answer.CONTAIN
    assert {"accuracy_drop", "drift"} <= {*looked.decided.unknown}
    assert [str(one.scope) for one in project.switches()] == ["everything"]


def open_down(project: Project) -> Project:
    """The project as another process opens it that finds no MLflow."""
    from hitl_mlops.project import Project as Real

    return Real.open(project.settings.folder)


def test_the_first_model_is_learned_and_judged_by_nothing(room):
    assert room.project.parts.registry.alias(CHALLENGER) is None
    assert [one["facts"]["champion"] for one in room.told(Kind.MODEL_REGISTERED)] == [None]
