from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.drift import benjamini_hochberg, binned, permutation_p, psi


def column_p(reference, current):
    return permutation_p(*(counts.tolist() for counts in binned(pd.Series(reference), pd.Series(current))))


@pytest.mark.parametrize("rows", [50, 100, 2000])
def test_chance_alone_is_called_drift_no_oftener_than_promised(rows):
    rng = np.random.default_rng(rows)
    draws = 300
    called = sum(column_p(rng.normal(size=rows), rng.normal(size=rows)) <= 0.05 for _ in range(draws))
    indices = [
        psi(*binned(pd.Series(rng.normal(size=50)), pd.Series(rng.normal(size=50)))) for _ in range(100)
    ]

    assert called / draws <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / draws)
    assert np.mean(np.array(indices) > 0.1) > 0.7  # what the usual constant would have called drift


def test_a_shift_is_found():
    rng = np.random.default_rng(1)

    assert column_p(rng.normal(size=300), rng.normal(0.7, 1, size=300)) < 0.001


def test_many_columns_without_drift_rarely_raise_an_alarm():
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(40):
        p_values = [column_p(rng.normal(size=100), rng.normal(size=100)) for _ in range(20)]
        alarms += benjamini_hochberg(p_values).any()

    assert alarms / 40 <= 0.15  # 5 % nominal, and what forty draws may show


def test_a_bin_for_each_value_of_few_and_one_for_what_is_missing():
    reference, current = binned(pd.Series([1.0, 1.0, np.nan]), pd.Series([2.0, np.nan, np.nan]))

    assert reference.tolist() == [2, 0, 1]
    assert current.tolist() == [0, 1, 2]


@pytest.mark.parametrize("values", [[3, 3, 3], [None, None, None], [np.nan] * 3, ["x", "x", "x"], [True] * 3])
def test_a_constant_column_cannot_move(values):
    assert column_p(values, values) == 1.0


def test_mixed_types_are_told_apart_by_their_text():
    reference, current = binned(pd.Series([1, "a", None, 2.5]), pd.Series(["a", "a", 1, True]))

    assert reference.sum() == current.sum() == 4


def test_many_categories_are_gathered_into_the_most_frequent_and_the_others():
    reference, current = binned(
        pd.Series([f"n{i}" for i in range(500)]), pd.Series([f"n{i}" for i in range(0, 1000, 2)])
    )

    assert len(reference) == len(current) == 31


def test_an_empty_side_shows_nothing():
    assert permutation_p([0, 0], [3, 4]) == 1.0
    assert psi([0, 0], [3, 4]) == 0.0


def test_the_same_counts_give_the_same_answer():
    assert permutation_p([30, 20], [20, 30]) == permutation_p([30, 20], [20, 30])


def test_missing_p_values_never_fall_and_ties_fall_together():
    assert benjamini_hochberg([np.nan, 0.01, 0.01]).tolist() == [False, True, True]
    assert benjamini_hochberg([]).tolist() == []
    assert benjamini_hochberg([1.0, 1.0]).tolist() == [False, False]


def test_a_p_value_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"outside \[0, 1\]"):
        benjamini_hochberg([1.5])
