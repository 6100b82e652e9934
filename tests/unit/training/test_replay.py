"""What a recipe learns from: all that was reviewed, and a window of the base data."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.dataset.manifest import DatasetVersion, Lineage
from hitl_mlops.errors import InputError
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.replay import replayed, reviewed_rows
from hitl_mlops.training.train import training_set
from tests.training_builders import DATASET, a_table, a_table_task, every_fifth

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SOURCES = st.lists(st.sampled_from(["base", "agreed", "override"]), max_size=30)


def rows_of(sources: list[str], days: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"source": sources, "at": [NOW + timedelta(days=day) for day in days]})


@settings(deadline=None)
@given(SOURCES, st.data())
def test_whatever_the_window_every_reviewed_row_is_learned_and_of_the_base_the_latest(sources, data):
    days = data.draw(st.lists(st.integers(0, 5), min_size=len(sources), max_size=len(sources)))
    window = data.draw(st.integers(0, 40))
    rows = rows_of(sources, days)
    learned = replayed(rows, window)
    base = ~reviewed_rows(rows)
    assert learned[~base].all()
    assert learned[base].sum() == min(window, base.sum())
    left = rows["at"][base & ~learned]
    assert left.empty or not learned[base].any() or left.max() <= rows["at"][base & learned].min()


def test_without_a_window_everything_is_learned_and_of_equal_times_the_later_row():
    assert replayed(rows_of(["base", "override"], [0, 0]), None).all()
    assert replayed(rows_of(["base", "base"], [0, 0]), 1).tolist() == [False, True]
    assert replayed(pd.DataFrame({"x": [1, 2, 3]}), 2).tolist() == [False, True, True]


def test_a_window_below_nothing_is_refused():
    with pytest.raises(InputError, match="cannot be"):
        replayed(rows_of(["base"], [0]), -1)


def test_a_recipe_without_replay_learns_from_the_reviewed_rows_alone_and_says_where_there_are_none():
    frame = a_table()
    reviewed = frame.assign(source=np.where(np.arange(len(frame)) % 2, "override", "base"))
    how = {"held_back": every_fifth(frame), "dataset_digest": DATASET, "dataset_number": 2}
    few = fit(reviewed, a_table_task(), Recipe(replay=0), **how)
    all_of_it = fit(reviewed, a_table_task(), Recipe(), **how)
    assert few.train_rows == int(((np.arange(len(frame)) % 2 == 1) & ~every_fifth(frame)).sum())
    assert (all_of_it.train_rows, all_of_it.test_rows) == (96, few.test_rows)
    with pytest.raises(InputError, match="Nothing was reviewed yet"):
        fit(frame.assign(source="base"), a_table_task(), Recipe(replay=0), **how)


def test_another_window_or_time_is_another_training():
    names = {one.fingerprint() for one in (Recipe(), Recipe(replay=0), Recipe(replay=9), Recipe(until=NOW))}
    assert len(names) == 4
    assert Recipe(replay=9).fingerprint().startswith("linear+replay9@")


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(0, 60))
def test_as_data_grow_and_time_passes_no_row_that_measured_by_its_subject_is_learned_from(count, day):
    table = pa.table(
        {
            "subject": [f"s{at % 11}" for at in range(60)],
            "at": pa.array([NOW + timedelta(days=at) for at in range(60)], pa.timestamp("us", tz="UTC")),
            "label": ["a", "b"] * 30,
        }
    )
    dataset = DatasetVersion(3, DATASET, None, 60, 60, NOW, Lineage(0, "sha256:0"), {})
    whole = training_set(dataset, table, key=b"k").held_back
    early = training_set(dataset, table.slice(0, count), key=b"k", until=NOW + timedelta(days=day)).held_back
    assert (early | ~whole[:count]).all()
    assert early[day:].all()
