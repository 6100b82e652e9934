from __future__ import annotations

from math import inf

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.rates import Rate, rate, rate_intervals
from hitl_mlops.statistics.ratios import rate_ratio, share_change


def ratios_of(rng, chances, counts, runs):
    """Whether the interval holds the truth, of each run."""
    drawn = [
        rate_intervals((rng.random((runs, count)) < chance).astype(float), np.ones((runs, count)))
        for chance, count in zip(chances, counts, strict=True)
    ]
    truth = chances[0] / chances[1]
    for run in range(runs):
        first, second = (Rate(*(float(one[run]) for one in columns), 1, 1) for columns in drawn)
        found = rate_ratio(first, second)
        yield found.low <= truth <= found.high


@pytest.mark.parametrize(
    ("chances", "counts"),
    [((0.08, 0.5), (100, 200)), ((0.05, 0.05), (400, 400)), ((0.8, 0.9), (60, 600)), ((0.3, 0.3), (30, 30))],
)
def test_the_interval_of_a_ratio_holds_the_truth(chances, counts):
    assert np.mean(list(ratios_of(np.random.default_rng(1), chances, counts, 2000))) >= 0.94


def test_a_rate_of_zero_gives_an_end_and_not_an_error():
    none, some = (
        rate([False] * 50, [1.0] * 50, [True] * 50),
        rate([True] * 25 + [False] * 25, [1.0] * 50, [True] * 50),
    )
    assert (rate_ratio(none, some).value, rate_ratio(none, some).low) == (0.0, 0.0)
    assert rate_ratio(none, some).high < 0.5
    assert rate_ratio(some, none).value is None
    assert rate_ratio(some, none).high == inf
    assert rate_ratio(none, none).low == 0.0


def test_an_unknown_rate_says_nothing():
    assert rate_ratio(Rate(None, None, None, 0, 5), Rate(0.5, 0.4, 0.6, 100, 100)).high == inf


def test_the_change_of_a_precision_is_covered_though_the_bases_differ():
    rng, covered, runs = np.random.default_rng(2), 0, 2000
    for _ in range(runs):
        truth = rng.random(500) < 0.4
        ours = np.where(rng.random(500) < 0.1, ~truth, truth)
        theirs = np.where(rng.random(500) < 0.2, ~truth, truth)
        pi = np.where(ours == theirs, 0.5, 1.0)
        seen = rng.random(500) < pi
        change = share_change(((~truth)[seen], ours[seen]), ((~truth)[seen], theirs[seen]), pi[seen])
        wrong = [0.6 * err / (0.6 * err + 0.4 * (1 - err)) for err in (0.1, 0.2)]
        covered += change.low <= wrong[0] - wrong[1] <= change.high
    assert covered / runs >= 0.94


def test_an_empty_base_gives_nothing_and_a_chance_that_is_none_is_refused():
    assert share_change(([1], [0]), ([1], [1]), [1.0]).value is None
    with pytest.raises(InputError, match="review probability"):
        share_change(([1], [1]), ([1], [1]), [np.nan])
