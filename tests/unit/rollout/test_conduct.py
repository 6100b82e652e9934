"""Bringing a challenger on its way: who may start, what a look does, what the registry shows after."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.keys import signer_from_seed
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.decisions.record import Arm, ShadowPrediction
from hitl_mlops.drill.twins import StoppableRegistry
from hitl_mlops.errors import InputError, NotFoundError, RefusedError, ServiceDownError
from hitl_mlops.gates.book import GateBook
from hitl_mlops.gates.report import GateReport, GateResult, Verdict
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.review.tickets import TicketBook
from hitl_mlops.rollout.book import RolloutBook
from hitl_mlops.rollout.conduct import APPROVED, Conductor
from hitl_mlops.rollout.consent import FROM_TAG
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Action, Stage
from hitl_mlops.rollout.watch import RolloutWatch
from hitl_mlops.routing.breaker import Breaker, BreakerState, reset
from hitl_mlops.routing.breaker_board_in_memory import InMemoryBreakerBoard
from hitl_mlops.routing.switch_board_in_memory import InMemorySwitchBoard
from hitl_mlops.routing.switches import Order, Scope, lifted
from hitl_mlops.training.registry import APPROVAL_TAG, CHALLENGER, CHAMPION, PREVIOUS
from tests.builders import NOW, a_case, a_decision, a_log, record
from tests.training_builders import a_fitted_model, release_notes

POLICY_HASH = "sha256:" + "1" * 64


class Resolutions:
    """What people said, without the desk they said it on."""

    def __init__(self):
        self.said = []

    def resolutions(self, since=None):
        return [one for one in self.said if since is None or one.resolved_at >= since]

    def latest_resolutions(self, count):
        return self.said[-count:]


class Scene:
    """A conductor among twins, with a clock that the test turns."""

    def __init__(self):
        self.now = NOW
        database = Database("sqlite://")
        database.create()
        self.registry = StoppableRegistry("cheques")
        self.log, self.people, self.trail = a_log(), Resolutions(), InMemoryTrail()
        self.gates, self.book = GateBook(database), RolloutBook(database)
        self.switches, self.breakers = InMemorySwitchBoard(), InMemoryBreakerBoard()
        self.tickets = TicketBook(database)
        self.conductor = Conductor(
            database=database,
            trail=self.trail,
            registry=self.registry,
            log=self.log,
            answers=self.people,
            gates=self.gates,
            book=self.book,
            watch=RolloutWatch(self.switches, self.breakers, self.tickets),
            policy=RolloutPolicy(stages=(10, 100), at_least=5),
            policy_hash=POLICY_HASH,
            actor="test",
            clock=lambda: self.now,
        )
        for key in ("first", "second"):
            self.registry.register(a_fitted_model(recipe=None), release_notes(), run_key=key)
        self.conductor.crown("1", "first model")

    def judge(self, version, verdict=Verdict.PASS, *, required=True):
        result = GateResult("override_rate", verdict, required, 0.0, 0.01, None, 100, "measured", {})
        digest = self.registry.get(version).digest
        report = GateReport(version, digest, "1", "sha256:d", POLICY_HASH, (result,), self.now)
        self.gates.keep(report)
        return report

    def approve_and_start(self):
        self.judge("2")
        self.conductor.approve("2", reason="better on the new scanner", approver="rm1")
        return self.conductor.start("2")

    def see(self, count, *, truth, arm=Arm.CHAMPION, said=None):
        """Both models answer `count` more cases: the champion `old`, the challenger `new`, or `said`."""
        start = len(self.log.decisions())
        for number in range(start, start + count):
            answer, beside = ("old", "new") if arm is Arm.CHAMPION else ("new", "old")
            answer = answer if said is None else said
            version, other = ("1", "2") if arm is Arm.CHAMPION else ("2", "1")
            self.now += timedelta(seconds=1)
            decision = a_decision(
                case_id=f"c{number}", label=answer, model_version=version, arm=arm, at=self.now
            )
            shadow = ShadowPrediction(decision.decision_id, other, "sha256:x", beside, 0.9)
            record(self.log, [a_case(case_id=f"c{number}")], [decision], [shadow])
            if truth is None:
                continue
            self.people.said.append(
                Resolution(
                    f"r{number}", decision.decision_id, f"t{number}", "shadow", truth, answer, Method.SINGLE,
                    ("k",), ("r1",), (None,), self.now,
                )
            )  # fmt: skip

    def kinds(self):
        return [entry.read()["kind"] for entry in self.trail.entries()]

    def aliases(self):
        named = {alias: self.registry.alias(alias) for alias in (CHAMPION, CHALLENGER, PREVIOUS)}
        return {alias: version.version for alias, version in named.items() if version}


@pytest.fixture
def scene():
    return Scene()


def test_the_first_champion_is_crowned_once(scene):
    assert scene.aliases() == {CHAMPION: "1"}
    with pytest.raises(RefusedError, match="champion already"):
        scene.conductor.crown("2", "again")


def test_a_challenger_that_was_not_judged_is_neither_approved_nor_started(scene):
    with pytest.raises(RefusedError, match="no gate report"):
        scene.conductor.approve("2", reason="I like it", approver="rm1")
    with pytest.raises(RefusedError, match="no gate report"):
        scene.conductor.start("2")


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR])
def test_only_a_pass_can_be_approved(scene, verdict):
    scene.judge("2", verdict)
    with pytest.raises(RefusedError, match="override_rate"):
        scene.conductor.approve("2", reason="I like it", approver="rm1")
    assert Kind.APPROVAL_RECORDED not in scene.kinds()
    assert APPROVAL_TAG not in scene.registry.get("2").tags


def test_without_approval_nothing_starts(scene):
    scene.judge("2")
    with pytest.raises(RefusedError, match="not approved"):
        scene.conductor.start("2")


def test_an_approval_without_words_is_none(scene):
    scene.judge("2")
    with pytest.raises(InputError, match="fewer than 3 characters"):
        scene.conductor.approve("2", reason="  ", approver="rm1")


def test_a_tag_set_in_the_registry_is_an_approval_and_recorded_once(scene):
    scene.judge("2")
    scene.registry.set_tag("2", APPROVAL_TAG, "approve: better on the new scanner")
    first, again = scene.conductor.read_approval("2"), scene.conductor.read_approval("2")
    assert first == again
    assert (first.approver, first.claimed) == (FROM_TAG, True)
    assert scene.kinds().count(Kind.APPROVAL_RECORDED) == 1
    assert scene.conductor.start("2").stage is Stage.SHADOW


def test_a_new_gate_report_voids_the_approval(scene):
    scene.judge("2")
    scene.conductor.approve("2", reason="better", approver="rm1")
    scene.now += timedelta(minutes=1)
    scene.judge("2")
    scene.registry.set_tag("2", APPROVAL_TAG, "withdrawn")
    with pytest.raises(RefusedError, match="not approved"):
        scene.conductor.start("2")


def test_an_approval_of_yesterday_has_expired(scene):
    scene.judge("2")
    scene.conductor.approve("2", reason="better", approver="rm1")
    scene.now += timedelta(hours=25)
    with pytest.raises(RefusedError, match="expired"):
        scene.conductor.start("2")


def test_one_challenger_at_a_time(scene):
    scene.approve_and_start()
    scene.registry.register(a_fitted_model(), release_notes(), run_key="third")
    with pytest.raises(RefusedError, match="on its way already"):
        scene.conductor.start("3", force="now")


def test_a_better_challenger_goes_from_shadow_to_champion(scene):
    scene.approve_and_start()
    scene.see(60, truth="new")
    assert scene.conductor.look()[0].after.stage is Stage.CANARY
    assert scene.aliases() == {CHAMPION: "1", CHALLENGER: "2"}
    assert scene.conductor.look()[0].action is Action.HOLD, "it has not answered anything at 10 % yet"
    for _ in range(2):
        scene.see(5, truth="new", arm=Arm.CHALLENGER)
        step, _ = scene.conductor.look()
    assert step.action is Action.PROMOTE
    assert scene.aliases() == {CHAMPION: "2", PREVIOUS: "1"}
    assert scene.book.champion().challenger == "2"
    assert scene.kinds()[-3:] == [Kind.ROLLOUT_STEPPED, Kind.ROLLOUT_STEPPED, Kind.MODEL_PROMOTED]


def test_a_bad_challenger_forced_past_the_gates_is_rolled_back(scene):
    rollout = scene.conductor.start("2", force="the boss wants it")
    assert (rollout.stage, rollout.share_percent, rollout.forced) == (Stage.CANARY, 10, True)
    scene.see(60, truth="old")
    step, _ = scene.conductor.look()
    assert step.action is Action.ROLL_BACK
    assert scene.aliases()[CHAMPION] == "1"
    assert scene.book.live() is None
    assert scene.kinds()[-1] == Kind.MODEL_ROLLED_BACK


def test_a_proven_challenger_that_was_forced_waits_at_its_end_for_an_approval_that_mlflow_proves(scene):
    scene.conductor = replace(scene.conductor, app_key=signer_from_seed("hitl/mlflow", b"a" * 32).verifier)
    scene.conductor.start("2", force="the boss wants it")
    for _ in range(2):
        scene.see(60, truth="new", arm=Arm.CHALLENGER)
        step, _ = scene.conductor.look()
    assert step.action is Action.HOLD
    assert step.reason == f"Proven, and held: MLflow gives champion only to {APPROVED}."
    assert scene.book.champion().challenger == "1"
    assert scene.aliases()[CHAMPION] == "1"


def test_harm_is_rolled_back_while_the_registry_is_down_and_its_aliases_follow_later(scene):
    scene.conductor.start("2", force="the boss wants it")
    scene.see(60, truth="old")
    scene.registry.up = False
    assert scene.conductor.look()[0].action is Action.ROLL_BACK
    assert scene.book.live() is None
    assert scene.kinds()[-1] == Kind.MODEL_ROLLED_BACK
    scene.registry.up = True
    with pytest.raises(NotFoundError, match="No rollout"):
        scene.conductor.look()
    assert scene.aliases()[CHAMPION] == "1"


def test_while_the_registry_is_down_nothing_advances_and_a_person_can_still_abort(scene):
    scene.approve_and_start()
    scene.see(60, truth="new")
    stands, scene.registry.up = scene.book.live(), False
    with pytest.raises(ServiceDownError):
        scene.conductor.look()
    assert scene.book.live() == stands
    assert scene.conductor.abort("not now").stage is Stage.ABORTED


def test_while_something_is_frozen_a_proven_challenger_waits(scene):
    scene.approve_and_start()
    scene.see(60, truth="new")
    scene.switches.add(Scope("branch", "north"), Order("r1", "odd", scene.now))
    scene.now += timedelta(days=30)

    step, _ = scene.conductor.look()
    assert (step.action, step.reason) == (
        Action.HOLD,
        "Held, though due for more: frozen by s1 (branch=north).",
    )

    lift = Order("r2", "mended", scene.now)
    scene.switches.lift(lifted(scene.switches.get("s1"), lift, two_people=True))
    assert scene.conductor.look()[0].action is Action.ADVANCE


def test_what_is_frozen_keeps_no_harm_from_being_rolled_back(scene):
    scene.conductor.start("2", force="the boss wants it")
    scene.see(60, truth="old")
    scene.switches.add(Scope(), Order("r1", "odd", scene.now))
    assert scene.conductor.look()[0].action is Action.ROLL_BACK


def test_a_look_that_changes_nothing_leaves_no_entry(scene):
    scene.approve_and_start()
    before = scene.trail.size()
    assert scene.conductor.look()[0].action is Action.HOLD
    assert scene.trail.size() == before


def test_an_alias_moved_by_hand_is_moved_back(scene):
    scene.registry.set_alias(CHAMPION, "2")
    scene.conductor.converge()
    assert scene.aliases()[CHAMPION] == "1"


def test_a_crash_between_database_and_registry_is_healed_by_the_next_call(scene):
    scene.approve_and_start()
    scene.see(60, truth="new")
    promoted = replace(scene.book.live(), stage=Stage.PROMOTED, stage_at=scene.now)
    scene.book.keep(promoted)  # killed here, before the alias was moved
    assert scene.aliases()[CHAMPION] == "1"
    with pytest.raises(NotFoundError):
        scene.conductor.look()
    assert scene.aliases() == {CHAMPION: "2", PREVIOUS: "1"}


def test_an_aborted_rollout_leaves_the_champion_and_its_reason_out_of_the_trail(scene):
    scene.approve_and_start()
    after = scene.conductor.abort("Mrs Miller complained")
    assert after.stage is Stage.ABORTED
    assert scene.aliases()[CHAMPION] == "1"
    assert all(b"Miller" not in entry.body for entry in scene.trail.entries())


def test_without_a_rollout_there_is_nothing_to_look_at(scene):
    with pytest.raises(NotFoundError, match="No rollout"):
        scene.conductor.look()


def test_an_alias_that_somebody_else_moved_goes_back_and_the_trail_tells_once(scene):
    scene.registry.set_alias(CHAMPION, "2")
    for _ in range(2):
        scene.conductor.converge()
    told = [entry.read() for entry in scene.trail.entries() if entry.read()["kind"] == Kind.ALIAS_MOVED]
    assert scene.registry.alias(CHAMPION).version == "1"
    assert [(one["refs"], one["facts"]["alias"]) for one in told] == [
        ({"model": ["2"], "champion": ["1"]}, "champion")
    ]


def test_a_promotion_that_was_killed_before_its_alias_is_no_incident(scene):
    scene.approve_and_start()
    done = {"stage": Stage.PROMOTED, "share_percent": 100.0, "stage_at": NOW + timedelta(hours=1)}
    scene.book.keep(replace(scene.book.live(), **done))  # the alias still names 1
    scene.conductor.converge()
    assert scene.registry.alias(CHAMPION).version == "2"
    assert Kind.ALIAS_MOVED not in {entry.read()["kind"] for entry in scene.trail.entries()}


def test_harm_is_acted_on_without_the_registry_and_at_once(scene):
    scene.conductor.start("2", force="the boss wants it")
    assert scene.conductor.take_back_if_due() is None
    scene.see(60, truth="old")
    assert scene.conductor.take_back_if_due().action is Action.ROLL_BACK
    assert scene.book.live() is None
    assert scene.conductor.take_back_if_due() is None
    assert scene.kinds().count(Kind.MODEL_ROLLED_BACK) == 1


def test_what_is_due_for_more_is_not_moved_on_by_the_way(scene):
    scene.approve_and_start()
    scene.see(60, truth="new")
    assert scene.conductor.take_back_if_due() is None
    assert scene.book.live().stage is Stage.SHADOW


def test_a_rollout_waits_for_a_breaker_as_it_does_for_a_switch(scene):
    scene.approve_and_start()
    scene.see(60, truth="new")
    opened = Breaker("b1", Scope(), BreakerState.OPEN, scene.now, None, scene.now, 1)
    scene.breakers.keep(opened)
    step, _ = scene.conductor.look()
    assert step.reason == "Held, though due for more: the breaker b1 (everything) is open."
    scene.breakers.keep(reset(opened, scene.now))
    assert scene.conductor.look()[0].action is Action.ADVANCE


def test_a_challenger_that_answers_nothing_is_rolled_back_without_a_label(scene):
    scene.conductor.start("2", force="the boss wants it")
    scene.see(40, truth=None, arm=Arm.CHALLENGER, said="")
    step, evidence = scene.conductor.look()
    assert (evidence.labels, evidence.tried, evidence.unanswered) == (0, 40, 40)
    assert step.reason.startswith("Guardrail: the challenger left 40 of 40 cases unanswered")
    assert scene.book.live() is None


def test_of_two_looks_at_once_one_acts(scene):
    scene.approve_and_start()
    scene.see(60, truth="new")
    as_it_was = scene.book.live()
    assert scene.conductor.look()[0].action is Action.ADVANCE
    assert not scene.book.move(as_it_was, replace(as_it_was, stage=Stage.ROLLED_BACK))
    assert scene.book.live().share_percent == 10


def promoted(scene):
    scene.now += timedelta(hours=1)
    scene.approve_and_start()
    scene.book.keep(replace(scene.book.live(), stage=Stage.PROMOTED, share_percent=100, stage_at=scene.now))
    scene.conductor.converge()
    scene.now += timedelta(hours=1)


def test_the_champion_before_is_brought_back_with_its_bytes_and_the_trail_tells(scene):
    promoted(scene)
    after = scene.conductor.bring_back("Mrs Miller was refused twice")
    assert (scene.book.champion(), after.challenger, after.brought_back) == (after, "1", True)
    assert after.challenger_digest == scene.registry.get("1").digest
    assert scene.aliases() == {CHAMPION: "1", PREVIOUS: "2"}
    entry = list(scene.trail.entries())[-1].read()
    assert (entry["kind"], entry["refs"]["model"], entry["refs"]["champion"]) == (
        Kind.MODEL_ROLLED_BACK,
        ["1"],
        ["2"],
    )
    assert all(b"Miller" not in one.body for one in scene.trail.entries())


def test_bringing_back_ends_the_rollout_that_is_live(scene):
    promoted(scene)
    scene.registry.register(a_fitted_model(), release_notes(), run_key="third")
    scene.conductor.start("3", force="now")
    scene.conductor.bring_back("all of it is odd")
    assert scene.book.live() is None
    assert scene.book.champion().challenger == "1"
    assert scene.kinds()[-2:] == [Kind.ROLLOUT_ABORTED, Kind.MODEL_ROLLED_BACK]


def test_bringing_back_twice_does_not_bring_back_the_bad_one(scene):
    promoted(scene)
    scene.conductor.bring_back("all of it is odd")
    with pytest.raises(RefusedError, match="brought back already"):
        scene.conductor.bring_back("all of it is odd")
    assert scene.book.champion().challenger == "1"


def test_the_first_champion_has_nothing_behind_it(scene):
    with pytest.raises(RefusedError, match="No champion was there before"):
        scene.conductor.bring_back("all of it is odd")


def test_nobody_is_brought_back_without_a_reason(scene):
    promoted(scene)
    with pytest.raises(InputError, match="fewer than 3"):
        scene.conductor.bring_back(" ")


def test_after_it_was_brought_back_another_challenger_may_be_tried(scene):
    promoted(scene)
    scene.conductor.bring_back("all of it is odd")
    rollout = scene.conductor.start("2", force="it was the scanner after all")
    assert (rollout.champion, rollout.challenger) == ("1", "2")
