"""What a corrected output costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hitl_mlops.kpis.reviewing import reviewing_figures
from hitl_mlops.review.budget import TimedAnswer
from tests.unit.kpis.test_figures import START, a_decision, a_resolution


def said(count, overrides):
    decisions = [a_decision(place) for place in range(count)]
    return [a_resolution(one, "b" if place < overrides else "a") for place, one in enumerate(decisions)]


def test_hours_are_shared_among_the_outputs_that_were_corrected():
    found = reviewing_figures([TimedAnswer(START, 36.0)] * 100, said(100, 20), 40.0)
    assert (found.answers, found.hours, found.corrected) == (100, 1.0, 20)
    assert found.hours_per_corrected == pytest.approx(0.05)
    assert found.cost_per_corrected == pytest.approx(2.0)


def test_answers_without_a_time_count_as_the_others():
    timed = [TimedAnswer(START, 36.0)] * 50 + [TimedAnswer(START, None)] * 50
    found = reviewing_figures(timed, said(100, 20))
    assert (found.timed, found.hours) == (50, 0.5)
    assert found.hours_per_corrected == pytest.approx(0.05)
    assert found.cost_per_corrected is None


def test_a_decision_that_was_corrected_twice_is_one_output():
    (one,) = said(1, 1)
    found = reviewing_figures([TimedAnswer(START, 36.0)], [one, replace(one, resolution_id="other")])
    assert found.corrected == 1


def test_where_nothing_was_corrected_or_timed_no_cost_is_told():
    assert reviewing_figures([TimedAnswer(START, 36.0)], said(3, 0), 40.0).cost_per_corrected is None
    assert reviewing_figures([TimedAnswer(START, None)], said(3, 3), 40.0).cost_per_corrected is None
    assert reviewing_figures([], []).hours == 0.0


def test_what_people_said_was_wrong_is_counted_the_commonest_first():
    given = [TimedAnswer(START, 1.0, tags) for tags in (("bias",), (), ("factual", "bias"))]
    assert list(reviewing_figures(given, []).error_tags.items()) == [("bias", 2), ("factual", 1)]
