from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.label_free import label_free_accuracy

CALIBRATED, TOO_SURE, JUMPING = "calibrated", "too sure", "jumping"


def chance_of_right(kind, confidence):
    return {
        CALIBRATED: confidence,
        TOO_SURE: np.maximum(1 - 1.6 * (1 - confidence), 0.0),
        JUMPING: np.where(confidence > 0.9, 0.99, 0.7),
    }[kind]


def a_run(rng, kind, *, harder, history=4_000):
    """The estimate from gated reviews of a history, and the accuracy of 2,000 later decisions."""
    then = rng.beta(6, 1.2, history)
    right = rng.random(history) < chance_of_right(kind, then)
    pi = np.where(then < 0.7, 1.0, 0.05)
    seen = rng.random(history) < pi
    now = rng.beta(3 if harder else 6, 1.2, 2_000)
    turned_out = rng.random(2_000) < chance_of_right(kind, now)
    return label_free_accuracy(now, then[seen], right[seen], pi[seen]), turned_out.mean(), now.mean()


@pytest.mark.parametrize("kind", [CALIBRATED, TOO_SURE, JUMPING])
@pytest.mark.parametrize("harder", [False, True])
def test_the_interval_covers_what_turns_out_whatever_confidence_is_worth(kind, harder):
    rng = np.random.default_rng(11)
    runs = [a_run(rng, kind, harder=harder) for _ in range(400)]
    covered = np.mean([one.low <= truth <= one.high for one, truth, _ in runs])
    off = np.mean([one.value - truth for one, truth, _ in runs])

    assert covered >= 0.95 - 2.6 * np.sqrt(0.05 * 0.95 / 400)
    assert abs(off) < 0.01


def test_plain_confidence_would_not_have_covered():
    rng = np.random.default_rng(12)
    runs = [a_run(rng, TOO_SURE, harder=True) for _ in range(100)]
    off = np.mean([sure - truth for _, truth, sure in runs])

    assert off > 0.1
    assert np.mean([one.low <= sure <= one.high for one, _, sure in runs]) < 0.1


def test_harder_cases_lower_the_estimate_without_a_new_label():
    rng = np.random.default_rng(13)
    easy, hard = (a_run(np.random.default_rng(14), CALIBRATED, harder=one)[0] for one in (False, True))
    truth = np.mean(rng.beta(6, 1.2, 100_000)) - np.mean(rng.beta(3, 1.2, 100_000))

    assert easy.value - hard.value == pytest.approx(truth, abs=0.03)
    assert hard.high < easy.low


def test_more_labels_make_it_surer():
    rng = np.random.default_rng(15)
    few, many = (a_run(rng, CALIBRATED, harder=False, history=size)[0] for size in (1_000, 40_000))

    assert many.high - many.low < few.high - few.low


def test_without_labels_or_without_decisions_there_is_no_figure():
    nothing = label_free_accuracy([0.9, 0.8], [], [], [])

    assert (nothing.value, nothing.interval, nothing.decisions) == (None, None, 2)
    assert label_free_accuracy([], [0.9], [True], [1.0]).value is None


def test_a_handful_of_labels_that_all_agree_is_no_certainty():
    one = label_free_accuracy([0.99] * 1_000, [0.99] * 5, [True] * 5, [1.0] * 5)

    assert one.low < 0.9
    assert one.high == 1.0


@pytest.mark.parametrize(
    "given",
    [
        ([0.5], [0.5], [True, False], [1.0]),
        ([1.5], [0.5], [True], [1.0]),
        ([np.nan], [0.5], [True], [1.0]),
        ([0.5], [-0.1], [True], [1.0]),
        ([0.5], [0.5], [True], [0.0]),
    ],
)
def test_what_does_not_fit_is_refused(given):
    with pytest.raises(InputError, match="do not fit"):
        label_free_accuracy(*given)
