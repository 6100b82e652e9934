from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.gates.measures_plain import beyond_chance
from hitl_mlops.gates.measures_sample import comparable, sampled


@given(st.integers(1, 300), st.integers(1, 120))
@settings(deadline=None, max_examples=50)
def test_a_sample_has_one_row_of_every_stretch_and_none_twice(size, bound):
    chosen = sampled(pd.DataFrame({"row": range(size)}), bound)["row"].to_numpy()

    assert len(chosen) == min(size, bound)
    assert (np.diff(chosen) > 0).all()
    assert np.abs(chosen - np.arange(len(chosen)) * size / len(chosen)).max() <= size / len(chosen)


@given(st.lists(st.sampled_from("abc"), min_size=30, max_size=300))
@settings(deadline=None, max_examples=50)
def test_every_answer_is_there_by_its_share(answers):
    chosen = sampled(pd.DataFrame({"answer": answers}), 30)["answer"]

    for name in "abc":
        assert abs((chosen == name).sum() - 30 * answers.count(name) / len(answers)) <= 2


def test_the_same_rows_are_drawn_every_time():
    frame = pd.DataFrame({"x": np.random.default_rng(1).normal(size=1_000)})

    pd.testing.assert_frame_equal(sampled(frame, 100), sampled(frame, 100))


def test_both_sides_of_a_column_are_numbers_or_both_are_text():
    left, right = comparable(
        pd.DataFrame({"a": [1, 2], "b": [1, 2], "c": [None, None], "d": [True, False]}),
        pd.DataFrame({"a": [np.inf, 2.5], "b": ["x", 2], "c": [1, 2], "d": [True, None]}),
        10,
    )

    assert [left[name].dtype.kind for name in "abcd"] == [right[name].dtype.kind for name in "abcd"]
    assert [left[name].dtype.kind for name in "abcd"] == ["f", "O", "f", "O"]
    assert right["a"].isna().tolist() == [True, False]
    assert (left["b"].tolist(), right["d"].tolist()) == (["1", "2"], ["True", None])


def test_values_and_gaps_are_told_apart():
    rng = np.random.default_rng(5)
    before = pd.DataFrame({"x": rng.normal(size=1_000), "y": rng.normal(size=1_000)})
    after = pd.DataFrame({"x": rng.normal(1, 1, 1_000), "y": rng.normal(size=1_000)})
    after.loc[:300, "y"] = np.nan

    found = beyond_chance(before, after)

    assert (found["x"].values_moved, found["x"].gaps_moved) == (True, False)
    assert (found["y"].values_moved, found["y"].gaps_moved) == (False, True)


def test_columns_that_go_together_do_not_raise_more_alarms_than_promised():
    rng, alarms, runs = np.random.default_rng(3), 0, 100
    for _ in range(runs):
        shared = rng.normal(size=(2, 200, 1))
        sides = 0.9 * shared + np.sqrt(1 - 0.81) * rng.normal(size=(2, 200, 20))
        found = beyond_chance(*(pd.DataFrame(side).rename(columns=str) for side in sides))
        alarms += any(one.values_moved for one in found.values())

    assert alarms / runs <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / runs)
