"""The stream of a drill: drawn from the base data, and shifted without leaving it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.drill.stream import CASE_ID, MOST_ROWS, draw, named, pool_of, shifted

TABLE = Task("p", InputKind.TABLE, ("a", "b", "w"), ("x", "y"), label="label")


def base(count=50, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=count)
    return pd.DataFrame(
        {"a": a, "b": -a + rng.normal(0, 0.1, count), "w": rng.choice(["u", "v"], count), "label": "x"}
    )


def test_of_large_base_data_so_many_labelled_rows_are_taken_each_once():
    frame = base(MOST_ROWS + 500)
    frame.loc[:99, "label"] = None
    pool = pool_of(frame, TABLE, np.random.default_rng(0))
    assert len(pool) == MOST_ROWS
    assert pool["label"].notna().all()
    assert pool["a"].is_unique
    assert pool[CASE_ID].is_unique


def test_every_case_has_a_name_of_its_own_and_the_values_of_a_row():
    pool = pool_of(base(), TABLE, np.random.default_rng(0))
    first, rng = draw(pool, 30, 0, np.random.default_rng(1)), np.random.default_rng(1)
    again = named(first, 30)
    assert set(first["a"]) <= set(pool["a"])
    assert not set(first[CASE_ID]) & set(again[CASE_ID])
    pd.testing.assert_frame_equal(first, draw(pool, 30, 0, rng))


@given(st.integers(0, 1_000), st.integers(5, 80))
def test_a_shift_leaves_no_value_that_the_base_data_does_not_hold(seed, count):
    pool = base(count, seed)
    moved = shifted(pool, pool, TABLE)
    for name in TABLE.inputs:
        assert set(moved[name]) <= set(pool[name])


def test_a_shift_goes_where_the_columns_go_together():
    pool = base(500)
    moved = shifted(pool, pool, TABLE)
    rises = np.sign(moved["a"].mean() - pool["a"].mean())
    assert np.sign(moved["b"].mean() - pool["b"].mean()) == -rises
    assert len(set(moved["w"])) == 1


def test_a_gap_stays_a_gap():
    pool = base(20)
    pool.loc[3, "a"] = np.nan
    assert shifted(pool, pool, TABLE)["a"].isna().tolist() == pool["a"].isna().tolist()


def test_a_text_loses_every_second_word_and_never_all():
    task = Task("p", InputKind.TEXT, ("text",), ("x", "y"))
    rows = pd.DataFrame({"text": ["one two three", "one", ""]})
    assert shifted(rows, rows, task)["text"].tolist() == ["one three", "one", ""]


def test_of_pictures_in_files_only_some_classes_come_and_every_case_keeps_its_name():
    task = Task("p", InputKind.IMAGE, ("path",), ("cat", "dog"), label="label")
    rows = pd.DataFrame({"path": ["a.png", "b.png", "c.png"], "label": ["dog", "cat", "dog"]})
    pool = pool_of(rows, task, np.random.default_rng(0))
    moved = shifted(pool, pool, task)
    assert moved["path"].tolist() == ["b.png"] * 3
    assert moved[CASE_ID].tolist() == pool[CASE_ID].tolist()
