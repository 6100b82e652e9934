"""Each rehearsal passes where the project does what it must, and says so where it does not."""

from __future__ import annotations

import pytest

from hitl_mlops.drill import bad_challenger, desk_down, drifting, registry_down, runaway
from hitl_mlops.drill.outside import Twins
from hitl_mlops.drill.record import Verdict
from hitl_mlops.drill.room import Room
from hitl_mlops.drill.twins import StoppableDesk, StoppableRegistry
from hitl_mlops.errors import ServiceDownError
from hitl_mlops.project import Project
from hitl_mlops.rollout.state import Stage
from tests.drill_room import a_loop


def unmet(rehearsal):
    return {one.says for one in rehearsal.demands if not one.met}


def whole(rehearsal):
    """It says what it should, and its figures are numbers."""
    assert rehearsal.told
    assert rehearsal.people
    assert rehearsal.steps
    assert all(isinstance(value, (int, float)) for value in rehearsal.figures.values())
    return rehearsal.verdict, unmet(rehearsal)


def test_a_bad_challenger_is_rolled_back_by_its_labels(open_room):
    room = open_room()
    found = bad_challenger.rehearse(room)
    assert whole(found) == (Verdict.PASSED, set())
    assert found.figures["labels"] > 20
    assert found.affected == found.figures["answered_by_challenger"]
    assert room.project.champion().challenger == "1"


def test_a_bad_challenger_that_labels_do_not_decide_is_rolled_back_at_the_deadline(open_room):
    room = open_room()
    found = bad_challenger.rehearse(room, most=1)
    assert found.verdict is Verdict.PASSED
    assert "Undecided for" in next(one.found for one in found.demands if "never promoted" in one.says)
    assert room.project.rollout_status()[0].stage is Stage.ROLLED_BACK


def test_drift_raises_an_alarm(open_room):
    assert whole(drifting.rehearse(open_room())) == (Verdict.PASSED, set())


def test_a_drift_that_nobody_sees_fails(open_room):
    found = drifting.rehearse(open_room(), shift_by=lambda rows, _pool, _task: rows)
    assert whole(found) == (Verdict.FAILED, {"the shift raises an alarm"})


def test_label_studio_down_and_back(open_room):
    found = desk_down.rehearse(open_room())
    assert whole(found) == (Verdict.PASSED, set())
    assert found.figures["tickets_waiting"] == found.affected > 0


class ForgetfulDesk(StoppableDesk):
    """It makes every ticket anew, whatever it holds already."""

    def push(self, tickets):
        self._answer()
        for one in tickets[: self.takes_at_most]:
            self._add(one.ticket_id, None)
        if self.takes_at_most is not None:
            self.up = False
            self._answer()
        return super().push(tickets)


class Forgetful(Twins):
    def desk(self, _task, owner, clock):
        self._desk = ForgetfulDesk(owner, clock)
        return self._desk


def test_a_desk_that_doubles_tickets_fails(open_room):
    found = desk_down.rehearse(open_room(Forgetful()))
    assert found.verdict is Verdict.FAILED
    assert "each ticket is on the desk once, and pushing again pushes nothing" in unmet(found)


def test_mlflow_down_and_back(open_room):
    found = registry_down.rehearse(open_room())
    assert whole(found) == (Verdict.PASSED, set())
    assert found.figures["by_other_bytes"] == 0
    assert found.figures["decided_meanwhile"] > 0


class CopylessRegistry(StoppableRegistry):
    """It keeps no copy of what was loaded."""

    def load(self, version, *, digest=None):
        self._answer()
        return super().load(version, digest=digest)


class Copyless(Twins):
    def registry(self, name, _cache, trust):
        self._registry = CopylessRegistry(name, trust=trust)
        return self._registry


def test_without_a_pinned_copy_nothing_is_decided_and_the_rehearsal_ends_with_the_error(open_room):
    with pytest.raises(ServiceDownError):
        registry_down.rehearse(open_room(Copyless()))


class Lingering(Twins):
    """Its registry answers although it should be down."""

    def stop_registry(self):
        pass


def test_a_registry_that_is_not_missed_fails(open_room):
    found = registry_down.rehearse(open_room(Lingering()))
    assert found.verdict is Verdict.FAILED
    assert "nothing is promoted, trained or approved" in unmet(found)


def test_runaway_overrides_open_the_breaker_and_a_good_trial_closes_it(open_room):
    found = runaway.rehearse(open_room())
    assert whole(found) == (Verdict.PASSED, set())
    assert found.figures["opens_for_s"] == 1_800
    assert found.affected == found.figures["released_before"]


def test_a_breaker_that_never_has_answers_enough_fails(open_room, tmp_path):
    loop = a_loop(
        tmp_path, guards='guards:\n  breaker: {override_rate: "> 0.25", window: 9000, at_least: 9000}\n'
    )
    found = runaway.rehearse(_elsewhere(loop, open_room, tmp_path), most=100)
    assert whole(found) == (Verdict.FAILED, {"a breaker opens"})


def test_without_a_breaker_it_is_told_what_went_out(open_room, tmp_path):
    loop = a_loop(tmp_path, guards="")
    found = runaway.rehearse(_elsewhere(loop, open_room, tmp_path))
    assert whole(found) == (Verdict.UNGUARDED, set())
    assert found.affected > 0


def _elsewhere(loop, open_room, tmp_path):
    """A room of that project, in the world of the others."""
    with Project.open(loop.folder) as project:
        return Room.open(project.parts, open_room().world, Twins(), tmp_path / "elsewhere")
