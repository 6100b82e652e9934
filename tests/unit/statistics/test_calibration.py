from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.calibration import calibration_gap, gap_change


def a_perfect_model(rng, cases):
    confidence = rng.beta(6, 1.5, cases)
    return confidence, rng.random(cases) < confidence


def raw_gap(confidence, right, bins=10):
    """The usual expected calibration error over bins of equal size."""
    parts = np.array_split(np.argsort(confidence), bins)
    return sum(len(p) * abs(confidence[p].mean() - right[p].mean()) for p in parts) / len(confidence)


def test_a_perfect_model_shows_about_no_gap_where_the_raw_error_does():
    rng = np.random.default_rng(1)
    models = [a_perfect_model(rng, 200) for _ in range(200)]

    debiased = np.mean([np.square(calibration_gap(c, r).value) for c, r in models])
    raw = np.mean([raw_gap(c, r) for c, r in models])

    assert np.sqrt(debiased) < 0.05
    assert raw > 0.055
    assert np.median([calibration_gap(c, r).value for c, r in models]) < 0.03


def test_an_overconfident_model_shows_its_gap():
    rng = np.random.default_rng(2)
    confidence = np.full(4000, 0.95)
    gap = calibration_gap(confidence, rng.random(4000) < 0.75)

    assert gap.value == pytest.approx(0.2, abs=0.03)
    assert gap.low <= gap.value <= gap.high


def test_weights_bring_back_what_review_left_out():
    rng = np.random.default_rng(3)
    confidence, right = a_perfect_model(rng, 20_000)
    right = np.where(confidence > 0.9, rng.random(20_000) < confidence - 0.2, right)
    pi = np.where(confidence > 0.9, 0.1, 1.0)
    seen = rng.random(20_000) < pi

    whole = calibration_gap(confidence, right).value
    weighted = calibration_gap(confidence[seen], right[seen], 1 / pi[seen]).value
    plain = calibration_gap(confidence[seen], right[seen]).value

    assert abs(weighted - whole) < 0.03 < abs(plain - whole)


@pytest.mark.parametrize("cases", [0, 1])
def test_too_little_to_tell_is_no_gap(cases):
    assert calibration_gap([0.5] * cases, [True] * cases).value is None


def test_all_equal_confidences_are_one_answer():
    assert calibration_gap([1.0] * 30, [True] * 30).value == 0.0


@pytest.mark.parametrize("confidence", [[np.nan, 0.5], [1.2, 0.5], [0.5]])
def test_confidences_that_are_none_are_refused(confidence):
    with pytest.raises(InputError, match="confidence"):
        calibration_gap(confidence, [True, False])


def test_the_same_cases_give_the_same_interval():
    confidence, right = a_perfect_model(np.random.default_rng(4), 300)

    assert calibration_gap(confidence, right) == calibration_gap(confidence, right)


def over_sure(rng, cases, by):
    """A model that says it is surer than it is, and by how much on the root mean square."""
    truth = rng.uniform(0.5, 0.95, cases)
    said = truth + by * (1 - truth)
    return (said, rng.random(cases) < truth), float(np.sqrt(np.mean(np.square(said - truth))))


def test_the_change_of_a_gap_covers_the_truth_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(5), []
    for _ in range(60):
        (ours, less), (theirs, more) = over_sure(rng, 400, 0.3), over_sure(rng, 400, 0.7)
        found = gap_change(ours, theirs)
        covered.append(found.low <= less - more <= found.high)
    assert np.mean(covered) >= 0.88


def test_of_many_cases_the_change_is_still_told_soon_and_narrowly():
    rng = np.random.default_rng(6)
    (ours, less), (theirs, more) = over_sure(rng, 100_000, 0.2), over_sure(rng, 100_000, 0.4)
    found = gap_change(ours, theirs)
    assert found.low < less - more < found.high
    assert found.high - found.low < 0.03
    assert found.count == 100_000


def test_a_change_of_too_few_cases_is_none():
    assert gap_change(([0.5], [True]), ([0.5], [True])).value is None
    assert gap_change(([], []), ([], [])).value is None
