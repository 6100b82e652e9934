"""After recalibration a confidence of .8 is right in eight of ten."""

from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.calibration import calibration_gap
from hitl_mlops.statistics.recalibration import at_temperature, isotonic_curve, temperature


def too_sure(rng, cases, degrees):
    """Probabilities of three classes that are `degrees` times too sharp, and the truths."""
    honest = rng.dirichlet([0.6, 0.6, 0.6], cases)
    truth = (rng.random((cases, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    return at_temperature(honest, 1 / degrees), truth


@pytest.mark.parametrize("degrees", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_taken_away_is_found(degrees):
    said, truth = too_sure(np.random.default_rng(1), 8_000, degrees)

    assert temperature(said, truth) == pytest.approx(degrees, rel=0.06)


def test_the_gap_closes_and_the_answer_stays():
    rng = np.random.default_rng(2)
    said, truth = too_sure(rng, 6_000, 3.0)
    cooled = at_temperature(said, temperature(said[:3_000], truth[:3_000]))
    right = said.argmax(axis=1) == truth

    before = calibration_gap(said[3_000:].max(axis=1), right[3_000:]).value
    after = calibration_gap(cooled[3_000:].max(axis=1), right[3_000:]).value
    assert after < 0.05 < before
    assert np.array_equal(cooled.argmax(axis=1), said.argmax(axis=1))


def test_the_curve_closes_the_gap_of_a_model_that_one_temperature_cannot_mend():
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.5, 1.0, 6_000)
    right = rng.random(6_000) < 0.4 + 0.5 * (confidence > 0.8)
    curve = isotonic_curve(confidence[:3_000], right[:3_000])

    after = calibration_gap(curve.apply(confidence[3_000:]), right[3_000:]).value
    assert after < 0.05 < calibration_gap(confidence[3_000:], right[3_000:]).value
    assert np.all(np.diff(curve.accuracy) >= 0)


def test_equal_confidences_are_one_point_and_weights_count():
    curve = isotonic_curve([0.5, 0.5, 0.9], [True, False, True], [3.0, 1.0, 1.0])

    assert curve.confidence.tolist() == [0.5, 0.9]
    assert curve.accuracy.tolist() == [0.75, 1.0]


def test_a_probability_of_zero_and_models_that_are_never_wrong_stay_finite():
    found = temperature([[1.0, 0.0]] * 5, [0] * 5)

    assert np.isfinite(found)
    assert np.isfinite(at_temperature([[1.0, 0.0]], found)).all()


@pytest.mark.parametrize(
    ("confidence", "right"), [([], []), ([0.5], [True, False]), ([np.nan], [True]), ([1.5], [True])]
)
def test_a_curve_through_nothing_is_refused(confidence, right):
    with pytest.raises(InputError, match="confidences, outcomes and weights"):
        isotonic_curve(confidence, right)


@pytest.mark.parametrize(
    ("said", "truth"),
    [([], []), ([[0.5, 0.5]], [2]), ([[0.5, np.nan]], [0]), ([[0.5, 0.5]], [0, 1]), ([0.5, 0.5], [0, 1])],
)
def test_a_temperature_of_nothing_is_refused(said, truth):
    with pytest.raises(InputError, match="probabilities and truths"):
        temperature(said, truth)
