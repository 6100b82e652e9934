"""How often the labels of a rollout are wrong."""

from datetime import UTC, datetime

import pytest

from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.reviewers import reviewer_error
from hitl_mlops.rollout.state import Source

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def resolved(unanimous=0, majority=0, single=0, kind="review"):
    methods = [Method.UNANIMOUS] * unanimous + [Method.MAJORITY] * majority + [Method.SINGLE] * single
    return [
        Resolution(f"r{i}", f"d{i}", f"t{i}", kind, "a", "a", method, ("k",), ("r1",), (None,), NOW)
        for i, method in enumerate(methods)
    ]


def test_where_nothing_is_known_one_label_in_twenty_is_taken_to_be_wrong():
    found = reviewer_error(resolved(single=500), RolloutPolicy())
    assert (found.upper, found.source) == (0.05, Source.ASSUMED)


def test_the_policy_may_say_less():
    assert reviewer_error([], RolloutPolicy(reviewer_error=0.0)).upper == 0.0


def test_people_who_agree_prove_no_less_than_was_said():
    found = reviewer_error(resolved(unanimous=5000), RolloutPolicy(reviewer_error=0.02))
    assert (found.upper, found.source, found.pairs) == (0.02, Source.POLICY, 5000)


def test_people_who_differ_prove_more():
    found = reviewer_error(resolved(unanimous=160, majority=40), RolloutPolicy(reviewer_error=0.02))
    assert found.source is Source.MEASURED
    assert 0.11 < found.upper < 0.17, "two who are each wrong in 11.3 % of cases differ in 20 %"


def test_a_few_cases_measure_nothing():
    assert reviewer_error(resolved(majority=29), RolloutPolicy()).source is Source.ASSUMED


def test_people_no_better_than_a_coin_leave_next_to_no_margin():
    assert reviewer_error(resolved(unanimous=50, majority=50), RolloutPolicy()).upper == pytest.approx(0.499)


def test_a_supervisors_ruling_is_no_second_opinion():
    assert reviewer_error(resolved(majority=100, kind="complaint"), RolloutPolicy()).pairs == 0
