"""What one look decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nan

import pytest

from hitl_mlops.rollout.guardrails import Guardrails
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Action, Evidence, Rollout, Stage
from hitl_mlops.rollout.step import step

NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUIET = Guardrails()
POLICY = RolloutPolicy(stages=(5, 50, 100), at_least=10, hold_at_most=timedelta(days=1))


def a_rollout(**changes):
    rollout = Rollout("ro_1", "1", "sha256:a", "2", "sha256:b", Stage.SHADOW, 0.0, NOW, NOW)
    return replace(rollout, **changes)


def an_evidence(**changes):
    evidence = Evidence(
        cases=100,
        agreed=80,
        labels=20,
        pending=0,
        challenger_wrong=2,
        champion_wrong=18,
        promote_e=25.0,
        rollback_e=0.1,
        promote_at=20.0,
        rollback_at=100.0,
        served=50,
    )
    return replace(evidence, **changes)


def test_a_proven_challenger_leaves_the_shadow_for_the_first_share():
    decided = step(a_rollout(), an_evidence(), QUIET, POLICY, NOW)
    assert (decided.action, decided.after.stage, decided.after.share_percent) == (
        Action.ADVANCE,
        Stage.CANARY,
        5,
    )


def test_shares_rise_one_by_one_and_the_last_makes_a_champion():
    rollout, seen = a_rollout(), []
    for _ in range(4):
        decided = step(rollout, an_evidence(), QUIET, POLICY, NOW)
        rollout = decided.after
        seen.append((decided.action.value, rollout.share_percent))
    assert seen == [("advance", 5), ("advance", 50), ("advance", 100), ("promote", 100)]


@pytest.mark.parametrize("promote_e", [19.99, nan, 0.0])
def test_without_proof_nothing_moves(promote_e):
    decided = step(a_rollout(), an_evidence(promote_e=promote_e), QUIET, POLICY, NOW)
    assert decided.action is Action.HOLD
    assert decided.after == a_rollout()


def test_infinite_evidence_is_no_proof():
    assert step(a_rollout(), an_evidence(promote_e=float("inf")), QUIET, POLICY, NOW).action is Action.HOLD


def test_a_canary_waits_until_the_challenger_has_answered_enough():
    canary = a_rollout(stage=Stage.CANARY, share_percent=5)
    decided = step(canary, an_evidence(served=9), QUIET, POLICY, NOW)
    assert decided.action is Action.HOLD
    assert "9 of 10 decisions at 5 %" in decided.reason


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.CANARY])
def test_harm_rolls_back_even_when_promotion_is_proven(stage):
    decided = step(a_rollout(stage=stage), an_evidence(rollback_e=100.0), QUIET, POLICY, NOW)
    assert (decided.action, decided.after.stage, decided.after.share_percent) == (
        Action.ROLL_BACK,
        Stage.ROLLED_BACK,
        0,
    )


def test_an_undecided_stage_is_rolled_back_at_its_deadline_and_not_before():
    undecided = an_evidence(promote_e=1.0)
    assert step(a_rollout(), undecided, QUIET, POLICY, NOW + timedelta(hours=23)).action is Action.HOLD
    assert step(a_rollout(), undecided, QUIET, POLICY, NOW + timedelta(days=1)).action is Action.ROLL_BACK


@pytest.mark.parametrize("stage", [Stage.PROMOTED, Stage.ROLLED_BACK, Stage.ABORTED])
def test_what_has_ended_stays_as_it_is(stage):
    ended = a_rollout(stage=stage)
    decided = step(ended, an_evidence(rollback_e=1e9), QUIET, POLICY, NOW + timedelta(days=99))
    assert (decided.action, decided.after) == (Action.HOLD, ended)
