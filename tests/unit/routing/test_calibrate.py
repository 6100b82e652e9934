"""The proposed threshold beside the present one, and what is missing where none is proven."""

from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.routing.calibrate import Verdict, calibrate
from hitl_mlops.statistics.risk_control import past_decisions

GOAL = {"target": 0.01, "delta": 0.05}


def a_past(size, *, spot=None, seed=1, **more):
    """Confidence uniform on [.5, 1]; wrong with probability (1 - c) / 4. Slips from t on: (1 - t)^2 / 4."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1.0, size)
    wrong = rng.random(size) < (1 - confidence) / 4
    pi = np.ones(size) if spot is None else np.where(confidence >= 0.92, spot, 1.0)
    reviewed = rng.random(size) < pi
    return past_decisions(confidence, wrong & reviewed, reviewed, pi, **more)


def test_more_become_automatic_where_the_present_threshold_is_stricter_than_need_be():
    found = calibrate(a_past(20_000), present=0.95, **GOAL)

    assert found.verdict is Verdict.CERTIFIED
    assert 0.8 < found.proposed.threshold < 0.85  # the true one is 0.8
    assert found.coverage_change == pytest.approx(2 * (0.95 - found.proposed.threshold), abs=0.01)
    assert found.proposed.slips.value <= 0.01
    assert found.proposed.certified
    assert found.present.certified
    assert found.missing is None
    assert f"From {found.proposed.threshold:g} on, at most 1 %" in found.reason


def test_fewer_stay_automatic_where_the_present_threshold_cannot_be_promised():
    found = calibrate(a_past(20_000), present=0.7, **GOAL)

    assert not found.present.certified
    assert found.coverage_change < 0
    assert found.present.slips.low > 0.01


def test_the_curve_rises_in_threshold_and_falls_in_coverage_and_slips():
    found = calibrate(a_past(5_000), present=0.777, **GOAL)
    thresholds = [one.threshold for one in found.curve]

    assert thresholds == sorted(set(thresholds))
    assert {0.777, found.proposed.threshold, 1.0} <= set(thresholds)
    assert np.all(np.diff([one.coverage for one in found.curve]) <= 0)
    assert np.all(np.diff([one.slips.value for one in found.curve]) <= 1e-12)
    assert all(one.slips.low <= one.slips.value <= one.slips.high for one in found.curve)


def test_spot_checks_speak_for_those_nobody_looked_at():
    past = a_past(40_000, spot=0.1)
    found = calibrate(past, present=0.92, **GOAL)
    at_half = next(one for one in found.curve if one.threshold == 0.5)

    assert not found.exact
    assert found.verdict is Verdict.CERTIFIED
    assert at_half.slips.low < 0.0625 < at_half.slips.high
    assert past.wrong[past.reviewed].mean() > 0.07, "the plain mean of the reviewed is too high"


def test_with_few_labels_it_is_told_how_many_more_it_takes():
    found = calibrate(a_past(100), present=0.95, **GOAL)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.proposed is None
    assert found.coverage_change is None
    assert found.missing.labels == found.missing.decisions >= 199
    assert f"{found.missing.labels:,} more labels" in found.reason


def test_what_is_told_to_be_missing_is_enough_when_it_comes():
    few = a_past(2_000, spot=0.1, seed=3)
    missing = calibrate(few, present=0.92, **GOAL).missing
    enough = a_past(2_000 + 2 * missing.decisions, spot=0.1, seed=4)

    assert missing.labels < missing.decisions
    assert calibrate(enough, present=0.92, **GOAL).proposed is not None


def test_where_the_surest_are_wrong_no_number_of_labels_is_promised():
    found = calibrate(past_decisions([0.99] * 400, [True, False] * 200), present=0.9, **GOAL)

    assert found.missing is None
    assert "too many of the surest" in found.reason


def test_answers_that_are_awaited_are_named_as_what_is_missing():
    awaited = np.arange(1_000) % 10 == 0
    past = past_decisions(np.full(1_000, 0.95), [False] * 1_000, ~awaited, awaited=awaited)
    found = calibrate(past, present=0.9, **GOAL)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.missing.labels, found.missing.decisions, found.awaited) == (100, 0, 100)
    assert "100 of them awaited already" in found.reason


def test_nobody_having_said_anything_is_told_so():
    found = calibrate(past_decisions([0.9] * 20, [False] * 20, [False] * 20), present=0.9, **GOAL)

    assert (found.verdict, found.labels, found.awaited) == (Verdict.INCONCLUSIVE, 0, 20)
    assert found.reason == "Nobody has said anything of these decisions yet."
    assert found.present.slips.value is None


def test_no_decision_at_all_is_inconclusive_and_has_no_curve():
    found = calibrate(past_decisions([], []), present=0.9, **GOAL)

    assert (found.verdict, found.decisions, found.curve) == (Verdict.INCONCLUSIVE, 0, ())


def test_one_confidence_for_all_is_one_threshold():
    found = calibrate(past_decisions([0.8] * 500, [False] * 500), present=0.9, **GOAL)

    assert (found.proposed.threshold, found.proposed.coverage, found.present.coverage) == (0.8, 1.0, 0.0)


def test_those_who_are_never_automatic_do_not_count_as_covered():
    found = calibrate(
        past_decisions([0.8] * 500, [False] * 500, eligible=[True, False] * 250), present=0.5, **GOAL
    )

    assert found.proposed.coverage == 0.5


def test_where_the_policy_asks_people_in_any_case_no_confidence_helps():
    found = calibrate(past_decisions([0.8] * 500, [False] * 500, eligible=[False] * 500), present=0.5, **GOAL)

    assert (found.proposed, found.missing) == (None, None)
    assert "sends every one of these decisions to people" in found.reason


def test_a_target_that_is_no_share_is_refused():
    with pytest.raises(InputError, match="target 2"):
        calibrate(a_past(10), present=0.9, target=2.0, delta=0.05)
