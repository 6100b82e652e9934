from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from hitl_mlops.dataset.keys import ABSENT, example_keys, key_table, merged, places, runs


def test_keys_are_found_in_any_table_and_others_are_absent():
    ids = [f"id-{number}" for number in range(1000)]
    tables = [
        key_table(example_keys(pa.table({"example_id": part})), first)
        for part, first in ((ids[:900], 0), ([], 900), (ids[900:], 900))
    ]
    asked = example_keys(pa.table({"example_id": [*ids, "nobody"]}))
    assert places(tables, asked).tolist() == [*range(1000), ABSENT]


def test_two_keys_that_share_their_first_half_are_told_apart():
    table = key_table(np.array([[5, 5, 5], [1, 2, 3]], dtype=np.uint64), 10)
    asked = np.array([[5, 5, 5, 6], [3, 1, 4, 1]], dtype=np.uint64)
    assert places([table], asked).tolist() == [12, 10, ABSENT, ABSENT]


def test_of_equal_keys_the_earliest_place_is_told():
    twice = np.array([[7, 7], [1, 1]], dtype=np.uint64)
    assert places([key_table(twice, 0), key_table(twice, 2)], twice[:, :1]).tolist() == [0]


@pytest.mark.parametrize(
    "rows", [[5] * 300, [1000, 900, 810, 729, 656], [1, 1000, 1], [1_000_000, *[1000] * 50]]
)
def test_runs_cover_every_batch_once_and_are_few(rows):
    found = runs(rows)
    assert [place for start, stop in found for place in range(start, stop)] == list(range(len(rows)))
    lengths = [sum(rows[start:stop]) for start, stop in found]
    assert all(2 * later < earlier for earlier, later in pairwise(lengths))


def test_only_whole_runs_join_when_a_batch_comes():
    rows = [7, 1, 1, 4, 1, 1, 9, 2, 1, 1]
    for count in range(1, len(rows)):
        (start, _) = runs(rows[: count + 1])[-1]
        assert start == count or start in {first for first, _ in runs(rows[:count])}


def test_a_merged_table_tells_what_its_parts_told_also_of_halves_that_are_shared():
    parts = [
        key_table(np.array([[5, 1, 5], [3, 9, 1]], dtype=np.uint64), 0),
        key_table(np.array([[5, 0], [2, 4]], dtype=np.uint64), 3),
    ]
    asked = np.array([[5, 5, 5, 1, 0, 5], [1, 2, 3, 9, 4, 4]], dtype=np.uint64)
    assert places([merged(parts)], asked).tolist() == places(parts, asked).tolist() == [2, 3, 0, 1, 4, ABSENT]
