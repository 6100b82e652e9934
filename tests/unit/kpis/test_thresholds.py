"""What the log says of a threshold: who could have been automatic, what people said, what is awaited."""

from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.kpis.charts import slips_over_thresholds
from hitl_mlops.kpis.thresholds import could_be_automatic, propose, reviewed_past
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.review.ticket import TicketKind
from hitl_mlops.routing.policy_file import parse_policy
from tests.builders import NOW, a_decision

POLICY = parse_policy("""
risk:
  consequence: [{is: high, when: {amount: ">= 100"}}, {is: low}]
matrix:
  low: {reversible: auto, irreversible: auto}
  high: {reversible: senior, irreversible: senior}
rules:
  - {name: odd, when: {label: odd}, route: standard}
  - {name: close, when: {margin: "< 0.1"}, route: standard}
routes:
  auto: {confidence: ">= 0.95"}
  standard: {confidence: "0.75..0.95"}
  senior: {confidence: "< 0.75"}
spot_checks: {auto: 0.05}
""")
GOAL = {"target": 0.01, "delta": 0.05}


def said_of(decision, label, kind=TicketKind.REVIEW):
    return Resolution(
        resolution_id=f"r_{decision.decision_id}",
        decision_id=decision.decision_id,
        ticket_id=f"t_{decision.decision_id}",
        ticket_kind=kind,
        label=label,
        model_label=decision.label,
        method=Method.SINGLE,
        answer_keys=("k",),
        reviewers=("r1",),
        reason_codes=(None,),
        resolved_at=NOW,
    )


def all_reviewed(confidences, wrong=frozenset()):
    """Decisions that a policy of the past sent to people, and what they said."""
    decisions = [
        a_decision(case_id=f"c{place:05}", confidence=confidence)
        for place, confidence in enumerate(confidences)
    ]
    return decisions, [said_of(one, "no" if place in wrong else "yes") for place, one in enumerate(decisions)]


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, True),
        ({"confidence": 0.1}, True),
        ({"attributes": {"amount": 500.0}}, False),
        ({"attributes": {}}, False),
        ({"label": "odd"}, False),
        ({"probabilities": {"yes": 0.52, "no": 0.48}}, False),
        ({"label": "", "confidence": 0.0, "probabilities": {}}, False),
    ],
    ids=["plain", "unsure", "matrix", "attribute not kept", "rule", "margin", "no answer"],
)
def test_only_confidence_keeps_from_being_automatic(changes, may):
    assert could_be_automatic([a_decision(**changes)], POLICY).tolist() == [may]


def test_a_route_with_checks_is_taken_as_passed():
    policy = parse_policy(
        "routes: {auto: {confidence: '>= 0.9', checks: [sum], else: people}, people: {confidence: '< 0.9'}}"
    )

    assert could_be_automatic([a_decision()], policy).tolist() == [True]


def test_what_was_drawn_and_not_answered_is_awaited_and_shadow_tickets_are_no_answer():
    decisions = [
        a_decision(case_id="reviewed"),
        a_decision(case_id="waits"),
        a_decision(case_id="drawn", route="auto", pi=0.05, spot_check=True),
        a_decision(case_id="unseen", route="auto", pi=0.05, signatures=0),
        a_decision(case_id="shadow", route="auto", pi=0.05, signatures=0),
    ]
    said = [said_of(decisions[0], "no"), said_of(decisions[4], "no", TicketKind.SHADOW)]
    past = reviewed_past(decisions, said, POLICY)

    assert past.reviewed.tolist() == [True, False, False, False, False]
    assert past.wrong.tolist() == [True, False, False, False, False]
    assert past.awaited.tolist() == [False, True, True, False, False]


def test_the_floor_is_what_the_policy_could_have_fixed_if_it_decided_any():
    before = reviewed_past([a_decision()], [], POLICY)
    now = reviewed_past([a_decision(policy_hash=POLICY.hash)], [], POLICY)

    assert (before.floor, now.floor) == (1.0, 0.05)


def test_the_proposal_names_the_lines_that_would_change():
    rng = np.random.default_rng(1)
    confidences = rng.uniform(0.5, 1.0, 3_000).tolist()
    wrong = {place for place, one in enumerate(confidences) if one < 0.8}
    found = propose("1", *all_reviewed(confidences, wrong), POLICY, **GOAL)
    threshold = found.calibration.proposed.threshold

    assert 0.76 < threshold <= 0.801
    assert found.calibration.exact
    assert found.tests == {
        "auto": (">= 0.95", f">= {threshold:g}"),
        "standard": ("0.75..0.95", f"0.75..{threshold:g}"),
    }


def test_nothing_proven_changes_nothing():
    found = propose("1", *all_reviewed([0.9] * 20), POLICY, **GOAL)

    assert found.calibration.proposed is None
    assert found.tests == {}


def test_no_decision_is_inconclusive():
    found = propose("1", [], [], POLICY, **GOAL)

    assert found.calibration.decisions == 0
    assert found.calibration.proposed is None


def test_a_policy_that_never_lets_a_model_decide_is_told():
    with pytest.raises(ConfigurationError, match="No automatic route"):
        propose("1", [], [], parse_policy("routes: {people: {confidence: '< 2'}}"), **GOAL)


@pytest.mark.parametrize("count", [0, 20, 600])
def test_the_drawing_copes_with_nothing_and_with_much(count):
    found = propose("1", *all_reviewed([0.6 + 0.4 * place / 600 for place in range(count)]), POLICY, **GOAL)
    drawn = slips_over_thresholds(found.calibration)

    assert drawn.startswith("<svg")
    assert ("<!-- proposed -->" in drawn) == (found.calibration.proposed is not None) == (count == 600)
