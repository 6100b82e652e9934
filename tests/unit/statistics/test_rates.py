from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.rates import (
    aipw_rate,
    difference,
    difference_of_all,
    rate,
    rate_by_group,
    rate_intervals,
)

TRUE_RATE = 0.62 * 1.2 / 7.2  # mean of 0.62 * (1 - confidence), confidence ~ Beta(6, 1.2)


def a_stream(rng, runs, cases, *, spot=0.03):
    """Confidence-gated review: the doubtful 15 % always, of the others the share `spot`."""
    confidence = rng.beta(6, 1.2, (runs, cases))
    wrong = rng.random((runs, cases)) < 0.62 * (1 - confidence)
    pi = np.where(confidence < np.quantile(confidence, 0.15), 1.0, spot)
    return confidence, wrong, pi, rng.random((runs, cases)) < pi


def test_the_interval_covers_the_true_rate_where_the_plain_mean_never_does():
    rng = np.random.default_rng(1)
    covered, bias, naive_covered, naive_bias = [], [], [], []
    for _ in range(20):  # 2,000 runs, a hundred at a time
        _, wrong, pi, reviewed = a_stream(rng, 100, 5000, spot=0.1)
        mean, low, high = rate_intervals((wrong & reviewed).astype(float), reviewed / pi)
        covered.append((low <= TRUE_RATE) & (high >= TRUE_RATE))
        bias.append(mean - TRUE_RATE)
        naive = (wrong & reviewed).sum(axis=1) / reviewed.sum(axis=1)
        half = 1.96 * np.sqrt(naive * (1 - naive) / reviewed.sum(axis=1))
        naive_covered.append(np.abs(naive - TRUE_RATE) <= half)
        naive_bias.append(naive - TRUE_RATE)

    assert np.mean(covered) >= 0.94
    assert abs(np.mean(bias)) < 0.001
    assert np.mean(naive_bias) > 0.08
    assert np.mean(naive_covered) == 0.0


def test_few_spot_checks_still_cover():
    rng = np.random.default_rng(2)
    _, wrong, pi, reviewed = a_stream(rng, 2000, 1000)
    _, low, high = rate_intervals((wrong & reviewed).astype(float), reviewed / pi)

    assert np.mean((low <= TRUE_RATE) & (high >= TRUE_RATE)) >= 0.94


def test_the_augmented_estimate_is_unbiased_and_covers():
    rng = np.random.default_rng(3)
    confidence, wrong, pi, reviewed = a_stream(rng, 400, 5000, spot=0.1)
    rates = [aipw_rate(wrong[i], pi[i], reviewed[i], confidence[i]) for i in range(400)]

    assert np.mean([r.value for r in rates]) == pytest.approx(TRUE_RATE, abs=0.002)
    assert np.mean([r.low <= TRUE_RATE <= r.high for r in rates]) >= 0.92  # .95 less Monte Carlo noise


def test_the_paired_difference_covers():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(500):
        _, champion, pi, reviewed = a_stream(rng, 1, 1500, spot=0.1)
        challenger = champion ^ (rng.random(champion.shape) < 0.04)
        truth = 0.04 * (1 - 2 * TRUE_RATE)
        found = difference(challenger[0], champion[0], pi[0], reviewed[0])
        covered += found.low <= truth <= found.high

    assert covered / 500 >= 0.93


@pytest.mark.parametrize("wrong", [[False] * 5, [True] * 5])
def test_none_or_all_wrong_still_has_a_width_inside_the_unit_interval(wrong):
    found = rate(wrong, [0.5] * 5, [True] * 5)

    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.2


def test_models_that_always_agree_differ_by_zero_but_not_with_certainty():
    found = difference([True, False], [True, False], [1.0, 1.0], [True, True])

    assert found.value == 0.0
    assert found.low < -0.5
    assert found.high > 0.5


@pytest.mark.parametrize("cases", [0, 3])
def test_nothing_reviewed_is_no_rate(cases):
    nothing = ([False] * cases, [0.5] * cases, [False] * cases)

    for found in (
        rate(*nothing),
        aipw_rate(*nothing, [0.5] * cases),
        difference(nothing[0], nothing[0], nothing[1], nothing[2]),
    ):
        assert (found.value, found.interval, found.reviewed, found.decisions) == (None, None, 0, cases)


def test_truth_is_not_read_where_nobody_looked():
    found = rate([1.0, np.nan], [1.0, 1.0], [True, False])

    assert found.value == 1.0
    assert found.reviewed == 1


def test_groups_are_each_their_own_and_one_without_reviews_has_none():
    found = rate_by_group(
        ["north", "south", "north", "east"],
        [True, True, False, True],
        [0.5, 1.0, 1.0, 1.0],
        [True, True, True, False],
    )

    assert {name: one.value for name, one in found.items()} == {
        "east": None,
        "north": pytest.approx(2 / 3),
        "south": 1.0,
    }


@pytest.mark.parametrize(
    ("wrong", "pi", "reviewed", "words"),
    [
        ([True], [0.0], [True], "no review probability"),
        ([True], [1.5], [True], "no review probability"),
        ([True], [np.nan], [True], "no review probability"),
        ([np.nan], [1.0], [True], "neither right nor wrong"),
        ([True, False], [1.0], [True], "differ in shape"),
    ],
)
def test_arrays_that_mean_nothing_are_refused(wrong, pi, reviewed, words):
    with pytest.raises(InputError, match=words):
        rate(wrong, pi, reviewed)


@pytest.mark.parametrize(("cases", "spot"), [(140, 0.03), (1500, 0.1), (5000, 0.03)])
def test_the_difference_over_all_cases_covers_and_is_narrower_than_that_over_the_labelled(cases, spot):
    rng = np.random.default_rng(5)
    covered, widths, widths_labelled = 0, [], []
    for _ in range(400):
        _, champion, pi, reviewed = (column[0] for column in a_stream(rng, 1, cases, spot=spot))
        challenger = champion ^ (rng.random(cases) < 0.04)
        found = difference_of_all(challenger.astype(float) - champion, challenger ^ champion, pi, reviewed)
        covered += found.low <= 0.04 * (1 - 2 * TRUE_RATE) <= found.high
        widths.append(found.high - found.low)
        labelled = difference(challenger, champion, pi, reviewed)
        widths_labelled.append(labelled.high - labelled.low)

    assert covered / 400 >= 0.93
    assert np.mean(widths) < np.mean(widths_labelled)


def test_models_that_agree_everywhere_need_no_label():
    found = difference_of_all([0] * 400, [False] * 400, [0.1] * 400, [False] * 400)

    assert found.value == 0.0
    assert found.high < 0.01
    assert difference_of_all([], [], [], []).value is None


def test_unlabelled_differences_count_for_the_worst_that_they_may_be():
    found = difference_of_all([0] * 10, [True] * 10, [0.1] * 10, [False] * 10)

    assert (found.low, found.high) == (-1.0, 1.0)
