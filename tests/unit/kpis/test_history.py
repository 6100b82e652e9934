"""Recorded decisions as a simulation reads them."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.kpis.history import recorded_history
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.review.ticket import TicketKind
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.simulate import simulate
from tests.builders import NOW, a_case, a_decision

PRESENT = parse_policy("routes: {auto: {confidence: '>= 0.9'}, standard: {confidence: '< 0.9', within: 8h}}")


def a_policy(condition):
    return parse_policy(
        f"rules: [{{name: one, when: {condition}, route: standard}}]\nroutes: {{standard: {{}}}}"
    )


def a_resolution(decision, kind=TicketKind.REVIEW, label="no"):
    return Resolution(
        resolution_id=f"r_{decision.decision_id}",
        decision_id=decision.decision_id,
        ticket_id="t",
        ticket_kind=kind,
        label=label,
        model_label=decision.label,
        method=Method.SINGLE,
        answer_keys=("a",),
        reviewers=("p",),
        reason_codes=("",),
        resolved_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


def test_reviewed_and_wrong_are_those_drawn_with_pi():
    decisions = [a_decision(case_id=f"c{n}") for n in range(3)]
    resolutions = [a_resolution(decisions[0]), a_resolution(decisions[1], kind=TicketKind.SHADOW)]
    history = recorded_history(decisions, resolutions, {}, PRESENT, PRESENT)
    assert history.reviewed.tolist() == [True, False, False]
    assert history.wrong.tolist() == [True, False, False]
    assert history.within_h.tolist() == [8.0] * 3


def test_an_attribute_that_was_not_kept_is_looked_for_in_the_case():
    decisions = [
        a_decision(case_id="c1", attributes={"amount": 5.0}),
        a_decision(case_id="c2", attributes={}),
    ]
    cases = {"c1": a_case(case_id="c1"), "c2": a_case(case_id="c2", inputs={"x": 7.5})}
    columns = recorded_history(decisions, [], cases, a_policy("{amount: 1, x: 2}"), PRESENT).columns
    assert columns["x"].tolist() == [1.5, 7.5]
    assert columns["amount"].tolist()[0] == 5.0
    assert math.isnan(columns["amount"].tolist()[1])


def test_what_was_never_recorded_is_refused_by_name():
    with pytest.raises(InputError, match="reads channel"):
        recorded_history([a_decision()], [], {"case-1": a_case()}, a_policy("{channel: a}"), PRESENT)


def test_without_an_answer_there_is_no_confidence_and_no_margin():
    silent = a_decision(label="", confidence=0.0, probabilities={})
    columns = recorded_history([a_decision(), silent], [], {}, a_policy("{margin: '< 0.7'}"), PRESENT).columns
    assert np.isnan(columns["confidence"]).tolist() == [False, True]
    assert columns["margin"].tolist()[0] == pytest.approx(0.6)


def test_a_recorded_route_that_is_no_more_can_be_simulated():
    history = recorded_history([a_decision(route="gone")], [], {}, PRESENT, PRESENT)
    found = simulate(history, PRESENT, b"k")
    assert dict(found.moves) == {("gone", "standard"): 1}
    assert found.since == NOW
