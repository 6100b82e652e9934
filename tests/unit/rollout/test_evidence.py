"""Evidence from pairs of answers."""

from datetime import UTC, datetime, timedelta

import pytest

from hitl_mlops.rollout.evidence import Pair, evidence_of
from hitl_mlops.rollout.policy import RolloutPolicy

START = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = RolloutPolicy(margin=0.01, alpha=0.05, alpha_rollback=0.01)


def a_pair(number, champion, challenger, truth=None):
    at = START + timedelta(minutes=number)
    resolved_at = at + timedelta(hours=1) if truth is not None else None
    return Pair(f"d_{number:04}", at, champion, challenger, truth, resolved_at)


def test_nothing_seen_is_no_evidence_either_way():
    evidence = evidence_of([], 0, POLICY)
    assert (evidence.promote_e, evidence.rollback_e) == pytest.approx((1.0, 1.0))
    assert evidence.cases == 0


def test_agreement_needs_no_label_and_speaks_for_the_challenger():
    evidence = evidence_of([a_pair(i, "a", "a") for i in range(2000)], 0, POLICY)
    assert evidence.labels == evidence.pending == 0
    assert evidence.promote_e > POLICY.promote_at


def test_agreed_cases_behind_a_disagreement_that_waits_do_not_count():
    waiting = [a_pair(0, "a", "b"), *(a_pair(i, "a", "a") for i in range(1, 2000))]
    evidence = evidence_of(waiting, 0, POLICY)
    assert evidence.pending == 1
    assert evidence.promote_e == pytest.approx(1.0)


def test_a_better_challenger_gathers_proof_and_no_harm():
    evidence = evidence_of([a_pair(i, "a", "b", "b") for i in range(40)], 0, POLICY)
    assert (evidence.champion_wrong, evidence.challenger_wrong) == (40, 0)
    assert evidence.promote_e >= POLICY.promote_at
    assert evidence.rollback_e <= 1.0


def test_a_worse_challenger_gathers_harm_and_no_proof():
    evidence = evidence_of([a_pair(i, "a", "b", "a") for i in range(40)], 0, POLICY)
    assert evidence.rollback_e >= POLICY.rollback_at
    assert evidence.promote_e <= 1.0


def test_where_both_are_wrong_neither_is_favoured():
    evidence = evidence_of([a_pair(i, "a", "b", "c") for i in range(30)], 0, POLICY)
    assert evidence.rollback_e == pytest.approx(1.0)
    assert evidence.promote_e == pytest.approx(
        evidence_of([a_pair(i, "a", "a") for i in range(30)], 0, POLICY).promote_e
    )


def test_the_order_of_arrival_is_the_order_of_resolution():
    first, second = a_pair(0, "a", "b", "a"), a_pair(1, "a", "b", "b")
    late = Pair(first.decision_id, first.at, "a", "b", "a", START + timedelta(days=1))
    history = evidence_of([late, second], 0, POLICY).history
    assert history[1][2] < 1.0 < history[1][1], "the challenger's good label came first"
