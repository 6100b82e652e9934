"""What is watched beside the evidence, and what a breach does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.rollout.guardrails import Breach, Guardrails, breaches
from hitl_mlops.rollout.state import Action, Stage
from hitl_mlops.rollout.step import step
from hitl_mlops.routing.breaker import Breaker, BreakerState
from hitl_mlops.routing.switches import MODEL, Scope
from tests.unit.rollout.test_step import NOW, POLICY, a_rollout, an_evidence

CANARY = a_rollout(stage=Stage.CANARY, share_percent=5)


def a_breaker(scope=None, state=BreakerState.OPEN):
    return Breaker("b1", scope or Scope(), state, NOW, NOW + timedelta(hours=1), NOW, 1)


def found(guardrails=None, **evidence):
    return breaches(CANARY, an_evidence(**evidence), guardrails or Guardrails(), POLICY)


def test_where_all_is_well_nothing_is_breached():
    assert found(Guardrails(late=1, asked=5), tried=100, unanswered=2, unanswered_e=2.0) == ()


def test_a_challenger_that_leaves_too_much_unanswered_goes_back():
    assert found(tried=50, unanswered=9, unanswered_e=200.0) == (
        Breach(Action.ROLL_BACK, "the challenger left 9 of 50 cases unanswered, of which 2.0% are allowed"),
    )


@pytest.mark.parametrize("unknown", [float("nan"), float("inf")])
def test_failures_that_are_no_number_hold(unknown):
    assert [one.action for one in found(unanswered_e=unknown)] == [Action.HOLD]


@pytest.mark.parametrize("state", [BreakerState.OPEN, BreakerState.HALF_OPEN])
def test_a_breaker_of_the_challenger_sends_it_back_and_any_other_holds(state):
    own, other = Scope(MODEL, "2"), Scope(MODEL, "1")
    assert found(Guardrails(breakers=[a_breaker(own, state)]))[0].action is Action.ROLL_BACK
    for scope in (other, Scope(), Scope("branch", "2")):
        assert [one.action for one in found(Guardrails(breakers=[a_breaker(scope, state)]))] == [Action.HOLD]


def test_a_closed_breaker_is_no_breach():
    assert found(Guardrails(breakers=[a_breaker(state=BreakerState.CLOSED)])) == ()


def test_breakers_that_cannot_be_read_hold():
    assert found(Guardrails(breakers=None)) == (Breach(Action.HOLD, "the breakers cannot be read"),)


def test_late_tickets_hold_beyond_the_share_allowed():
    assert found(Guardrails(late=20, asked=100)) == ()
    assert found(Guardrails(late=21, asked=100))[0] == Breach(
        Action.HOLD, "21 of 100 tickets since the start are late, of which 20% may be"
    )


def test_all_breaches_are_told_those_that_send_back_first():
    guardrails = Guardrails("frozen by s1 (everything)", [a_breaker(), a_breaker(Scope(MODEL, "2"))], 9, 9)
    assert [one.action.value for one in found(guardrails)] == ["roll_back", "hold", "hold", "hold"]


def test_a_proven_challenger_waits_for_an_open_breaker_also_past_the_deadline():
    guardrails = Guardrails(breakers=[a_breaker()])
    decided = step(CANARY, an_evidence(), guardrails, POLICY, NOW + timedelta(days=30))
    assert (decided.action, decided.after) == (Action.HOLD, CANARY)
    assert decided.reason == "Held, though due for more: the breaker b1 (everything) is open."


def test_its_own_breaker_sends_a_proven_challenger_back():
    guardrails = Guardrails(breakers=[a_breaker(Scope(MODEL, "2"))])
    decided = step(CANARY, an_evidence(), guardrails, POLICY, NOW)
    assert (decided.action, decided.after.share_percent) == (Action.ROLL_BACK, 0)
    assert decided.reason == "Guardrail: the breaker b1 (model=2) is open."


def test_an_undecided_challenger_is_rolled_back_at_its_deadline_whatever_holds():
    guardrails = Guardrails(breakers=None)
    late = replace(CANARY, stage_at=NOW - POLICY.hold_at_most)
    assert step(late, an_evidence(promote_e=1.0), guardrails, POLICY, NOW).action is Action.ROLL_BACK
