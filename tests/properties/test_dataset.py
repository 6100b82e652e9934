"""What must hold of every dataset."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.dataset import digest
from hitl_mlops.dataset.columns import columns_of, normal_table
from hitl_mlops.dataset.diff import standing_labels
from hitl_mlops.dataset.split import split_by_subject
from hitl_mlops.dataset.store_in_memory import InMemoryDatasetStore
from tests.dataset_room import LINEAGE, NOW, some_examples, some_labels

VALUES = st.one_of(
    st.lists(st.none() | st.floats(), min_size=1, max_size=40).map(lambda rows: pa.array(rows, pa.float64())),
    st.lists(st.none() | st.text(max_size=5), min_size=1, max_size=40).map(
        lambda rows: pa.array(rows, pa.string())
    ),
    st.lists(st.none() | st.booleans(), min_size=1, max_size=40).map(lambda rows: pa.array(rows, pa.bool_())),
    st.lists(st.none() | st.lists(st.none() | st.integers(-5, 5), max_size=3), min_size=1, max_size=40).map(
        lambda rows: pa.array(rows, pa.list_(pa.int64()))
    ),
)


@given(VALUES, st.data())
def test_the_digest_does_not_depend_on_chunks_slices_or_pieces(array, data):
    cut = data.draw(st.integers(0, len(array)))
    padded = pa.concat_arrays([array, array])
    table = normal_table(pa.table({"x": array}))
    chunked = normal_table(pa.table({"x": pa.chunked_array([padded[:cut], padded[cut : len(array)]])}))
    sliced = normal_table(pa.table({"x": padded[len(array) :]}))
    columns = columns_of(table)
    expected = digest.batch_digest([table], columns)
    assert digest.batch_digest([chunked], columns) == expected
    assert digest.batch_digest([sliced], columns) == expected
    assert digest.batch_digest([table.slice(0, cut), table.slice(cut)], columns) == expected


def test_blocks_do_not_depend_on_pieces_either():
    table = pa.table({"x": np.arange(3 * digest.BLOCK_ROWS + 7)})
    pieces = [table.slice(at, 50_001) for at in range(0, table.num_rows, 50_001)]
    assert digest.batch_digest(pieces, columns_of(table)) == digest.batch_digest([table], columns_of(table))


EVENTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("123"), st.booleans(), st.sampled_from("pqrs")),
    max_size=12,
)


@given(EVENTS, EVENTS)
@settings(deadline=None)
def test_reading_gives_the_last_label_that_was_not_taken_back_and_a_version_never_changes(one, two):
    def rows(events):
        return some_labels(
            *(
                (e, None if gone else label, "withdrawn" if gone else "override", e + r)
                for e, label, gone, r in events
            )
        )

    store = InMemoryDatasetStore()
    first = store.commit(some_examples("a", "b", "c"), rows(one), LINEAGE, NOW)
    before = store.read(first)
    second = store.commit(some_examples(), rows(two), LINEAGE, NOW)
    for version in (first, second):
        table = store.read(version)
        got = dict(zip(table["example_id"].to_pylist(), table["label"].to_pylist(), strict=True))
        assert got == standing_labels(store.labels(version))
        assert store.recompute(version) == version.digest
    assert store.read(first).equals(before)
    assert store.commit(some_examples("a"), rows(one + two), LINEAGE, NOW) == second


@given(st.lists(st.text(max_size=4), min_size=1, max_size=30), st.lists(st.text(max_size=4), max_size=30))
def test_a_subject_never_changes_sides_as_data_grow(now, later):
    small = pa.table({"subject": now})
    large = pa.table({"subject": [*later, *now]})
    first, second = (split_by_subject(rows, key=b"k", test_frac=0.4) for rows in (small, large))
    assert (first.test == second.test[len(later) :]).all()
    assert (first.train == ~first.test).all()


def test_moving_the_time_on_only_adds_to_train_and_the_share_is_kept():
    times = pa.array(np.arange(20_000), pa.timestamp("us", tz="UTC"))
    rows = pa.table({"subject": [f"s{number}" for number in range(20_000)], "at": times})
    early, late = (
        split_by_subject(rows, key=b"k", test_frac=0.2, train_until=times[cut].as_py())
        for cut in (5_000, 9_000)
    )
    assert (early.train <= late.train).all()
    assert (early.test == late.test).all()
    assert not late.train[9_000:].any()
    assert abs(early.test.mean() - 0.2) < 0.01
