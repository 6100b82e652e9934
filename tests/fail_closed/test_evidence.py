"""The fail-closed table, cell by cell: evidence that is missing, no number or too little promotes nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import inf, nan

import numpy as np
import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.errors import RefusedError
from hitl_mlops.gates.judge import judge
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.rollout.guardrails import Guardrails
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Action, Stage
from hitl_mlops.rollout.step import step
from tests.gate_builders import NOON, challenger_evidence, judged_cases
from tests.unit.rollout.test_conduct import Scene
from tests.unit.rollout.test_step import a_rollout, an_evidence

BOUNDS = RolloutPolicy(stages=(5, 100), at_least=10, hold_at_most=timedelta(days=1))
NOBODY = judged_cases(labelled=np.zeros(600, dtype=bool))
FEW = judged_cases(count=20)
NO_NUMBERS = judged_cases(pi=np.full(600, nan))


@pytest.mark.parametrize("cases", [NOBODY, FEW, NO_NUMBERS], ids=["missing", "too little", "NaN"])
def test_gates_on_evidence_that_is_missing_or_too_little_do_not_pass(cases):
    report = judge(challenger_evidence(cases=cases), GatesPolicy(), policy_hash="sha256:p", now=NOON)
    [result] = [one for one in report.results if one.name == "override_rate"]
    assert result.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR)
    assert report.verdict is not Verdict.PASS


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.FAIL])
def test_a_challenger_whose_gates_are_not_passed_is_neither_approved_nor_started(verdict):
    scene = Scene()
    scene.judge("2", verdict)
    before = scene.trail.size()
    with pytest.raises(RefusedError, match="did not pass"):
        scene.conductor.approve("2", reason="it looks fine to me", approver="rm1")
    with pytest.raises(RefusedError):
        scene.conductor.start("2")
    assert scene.trail.size() == before
    assert scene.book.live() is None


NOTHING = {"cases": 0, "agreed": 0, "labels": 0, "promote_e": 1.0, "rollback_e": 1.0, "served": 0}
TOO_LITTLE = {"promote_e": 19.9}


@pytest.mark.parametrize(
    "changes",
    [
        NOTHING,
        TOO_LITTLE,
        {"promote_e": nan},
        {"promote_e": nan, "rollback_e": nan},
        {"promote_e": inf, "served": 0},
    ],
    ids=["missing", "too little", "NaN", "all NaN", "not served"],
)
def test_a_rollout_holds_on_such_evidence_and_is_rolled_back_at_the_deadline(changes):
    rollout = a_rollout(stage=Stage.CANARY, share_percent=5.0)
    evidence = an_evidence(**changes)
    deadline = rollout.stage_at + BOUNDS.hold_at_most

    held = step(rollout, evidence, Guardrails(), BOUNDS, deadline - timedelta(seconds=1))
    assert (held.action, held.after) == (Action.HOLD, rollout)
    assert held.reason

    over = step(rollout, evidence, Guardrails(), BOUNDS, deadline)
    assert over.action is Action.ROLL_BACK
    assert (over.after.stage, over.after.share_percent) == (Stage.ROLLED_BACK, 0.0)
    assert over.reason


def test_at_the_deadline_the_champion_answers_everybody_again_and_the_trail_tells():
    scene = Scene()
    rollout = scene.approve_and_start()
    scene.now = rollout.stage_at + scene.conductor.policy.hold_at_most
    decided, _ = scene.conductor.look()
    assert decided.action is Action.ROLL_BACK
    assert scene.book.live() is None
    assert scene.book.champion().challenger == "1"
    assert [one.read()["kind"] for one in scene.trail.entries()][-1] == Kind.MODEL_ROLLED_BACK


def test_switches_that_cannot_be_read_let_no_challenger_advance():
    class Unreadable:
        def standing(self):
            raise OSError

    scene = Scene()
    watch = replace(scene.conductor.watch, switches=Unreadable())
    scene.conductor = replace(scene.conductor, watch=watch)
    rollout = scene.approve_and_start()
    frozen = step(rollout, an_evidence(), Guardrails("the switches cannot be read"), BOUNDS, rollout.stage_at)
    assert frozen.action is Action.HOLD
    assert scene.conductor.look()[0].action is Action.HOLD
