"""What every dataset store does."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from hitl_mlops.dataset.export import export
from hitl_mlops.dataset.store_delta import DeltaDatasetStore
from hitl_mlops.dataset.store_in_memory import InMemoryDatasetStore
from hitl_mlops.errors import InputError, NotFoundError
from tests.dataset_room import LINEAGE, NOW, base_labels, some_examples, some_labels


@pytest.fixture(params=["memory", pytest.param("delta", marks=pytest.mark.real)])
def store(request, tmp_path):
    return InMemoryDatasetStore() if request.param == "memory" else DeltaDatasetStore(tmp_path / "datasets")


def the_first(store):
    labels = base_labels(("a", "1"), ("b", "2"))
    return store.commit(some_examples("a", "b", "c"), labels, LINEAGE, NOW)


def labels_at(store, version):
    table = store.read(version)
    return dict(zip(table["example_id"].to_pylist(), table["label"].to_pylist(), strict=True))


def test_examples_without_a_label_are_left_out(store):
    assert labels_at(store, the_first(store)) == {"a": "1", "b": "2"}


def test_the_latest_label_wins_and_older_versions_keep_theirs(store):
    first = the_first(store)
    second = store.commit(
        some_examples(), some_labels(("a", "7", "override", "r1"), ("c", "3", "agreed", "r2")), LINEAGE, NOW
    )
    before = store.read(first)
    third = store.commit(some_examples("d"), some_labels(("d", "4", "override", "r3")), LINEAGE, NOW)
    assert labels_at(store, second) == {"a": "7", "b": "2", "c": "3"}
    assert labels_at(store, third) == {"a": "7", "b": "2", "c": "3", "d": "4"}
    assert store.read(first).equals(before)
    assert (second.parent, third.parent, third.number) == (first.digest, second.digest, 3)


def test_a_withdrawn_override_lets_the_label_before_it_stand_again(store):
    the_first(store)
    store.commit(
        some_examples(), some_labels(("a", "7", "override", "r1"), ("c", "3", "agreed", "r2")), LINEAGE, NOW
    )
    gone = some_labels(("a", None, "withdrawn", "r1"), ("c", None, "withdrawn", "r2"))
    assert labels_at(store, store.commit(some_examples(), gone, LINEAGE, NOW)) == {"a": "1", "b": "2"}


def test_withdrawing_an_older_resolution_leaves_the_newer_one(store):
    the_first(store)
    store.commit(
        some_examples(), some_labels(("a", "7", "override", "r1"), ("a", "8", "override", "r2")), LINEAGE, NOW
    )
    version = store.commit(some_examples(), some_labels(("a", None, "withdrawn", "r1")), LINEAGE, NOW)
    assert labels_at(store, version)["a"] == "8"


def test_what_is_known_is_left_out_and_nothing_new_is_no_version(store):
    first = the_first(store)
    again = some_examples("a", "b"), base_labels(("a", "1"), ("b", "2"))
    assert store.commit(*again, LINEAGE, NOW) == first
    assert [table.num_rows for table in store.fresh(*again)] == [0, 0]
    assert len(store.versions()) == 1


def test_a_withdrawal_of_what_was_never_there_is_left_out(store):
    first = the_first(store)
    assert store.commit(some_examples(), some_labels(("zz", None, "withdrawn", "r9")), LINEAGE, NOW) == first


def test_the_digest_is_recomputed_from_the_values(store):
    the_first(store)
    store.commit(some_examples("d"), some_labels(("d", "4", "override", "r3")), LINEAGE, NOW)
    assert [store.recompute(version) for version in store.versions()] == [v.digest for v in store.versions()]


def test_both_stores_give_the_same_history_the_same_digest(store, tmp_path):
    twin = InMemoryDatasetStore()
    digests = [the_first(each).digest for each in (store, twin)]
    more = some_examples("d"), some_labels(("a", "4", "override", "r3"))
    digests += [each.commit(*more, LINEAGE, NOW).digest for each in (store, twin)]
    assert digests[0] == digests[1]
    assert digests[2] == digests[3]


def test_versions_are_found_by_number_digest_and_latest(store):
    with pytest.raises(NotFoundError, match="no dataset version yet"):
        store.version("latest")
    first = the_first(store)
    assert (
        first
        == store.version(1)
        == store.version("1")
        == store.version(first.digest)
        == store.version("latest")
    )
    with pytest.raises(NotFoundError, match="there are 1 to 1"):
        store.version(2)


def test_label_events_are_read_since_a_version_and_of_some_examples(store):
    first = the_first(store)
    second = store.commit(some_examples(), some_labels(("a", "7", "override", "r1")), LINEAGE, NOW)
    assert store.labels(second, since=first)["resolution_id"].to_pylist() == ["r1"]
    assert store.labels(second, examples=["a"])["label"].to_pylist() == ["1", "7"]
    assert store.labels(second, since=second).num_rows == 0
    assert store.labels(first, examples=[]).num_rows == 0


def test_every_kind_of_column_comes_back_as_it_went_in(store):
    examples = some_examples(
        "a",
        "b",
        whole=pa.array([2**62, None], pa.int64()),
        small=pa.array([1, 2], pa.uint8()),
        single=pa.array([0.1, None], pa.float32()),
        real=pa.array([float("inf"), None]),
        yes=[True, None],
        text=["", "é\0\u202e"],
        bytes=[b"\xff", None],
        day=[date(2026, 1, 1), None],
        money=[Decimal("1.10"), None],
        pixels=[[1.5, None], []],
        paths=[["p.png"], None],
        kind=pa.array(["u", "v"]).dictionary_encode(),
        seen=pa.array([NOW, None], pa.timestamp("ms", "Europe/Berlin")),
        **{"a column, with signs": [1, 2]},
    )
    version = store.commit(examples, base_labels(("a", "1"), ("b", "2")), LINEAGE, NOW)
    back = store.read(version).select(examples.column_names)
    assert back.to_pylist() == examples.to_pylist()
    assert store.recompute(version) == version.digest


def test_columns_that_do_not_fit_are_all_named_with_the_remedy(store):
    the_first(store)
    with pytest.raises(
        InputError, match=r"lack x and bring y, which the dataset does not know.*first version"
    ):
        store.commit(some_examples("d", y=[1]), some_labels(), LINEAGE, NOW)
    with pytest.raises(InputError, match="'x' of the examples is string, in the dataset float64"):
        store.commit(some_examples("d", x=["text"]), some_labels(), LINEAGE, NOW)
    assert len(store.versions()) == 1


@pytest.mark.parametrize(
    ("examples", "labels", "says"),
    [
        (some_examples(), some_labels(), "no examples"),
        (some_examples("a", "a"), some_labels(), "more than once, e.g. a"),
        (some_examples("a"), base_labels(("b", "1")), "name no example, e.g. b"),
        (some_examples("a"), some_labels(("a", None, "base", None)), "has no label"),
        (some_examples("a", source=["s"]), some_labels(), "keeps the names source for itself"),
        (some_examples("a").drop(["subject"]), some_labels(), "need subject"),
        (some_examples("a", nested=[{"k": 1}]), some_labels(), "'nested' holds struct"),
        (
            some_examples("a").set_column(0, "example_id", pa.array([None], pa.string())),
            some_labels(),
            "no example_id",
        ),
    ],
)
def test_a_first_commit_that_cannot_be_kept_is_refused_in_plain_words(store, examples, labels, says):
    with pytest.raises(InputError, match=says):
        store.commit(examples, labels, LINEAGE, NOW)
    assert store.versions() == []


def test_commits_at_once_all_count_once(store):
    the_first(store)
    barrier = threading.Barrier(4)
    failures = []

    def work(number):
        barrier.wait()
        try:
            rows = some_examples(f"n{number}"), some_labels((f"n{number}", "5", "override", f"r{number}"))
            store.commit(*rows, LINEAGE, NOW)
        except Exception as exc:  # noqa: BLE001 - the test tells what the thread met
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(number % 3,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert labels_at(store, store.version("latest")) == {"a": "1", "b": "2", "n0": "5", "n1": "5", "n2": "5"}
    assert all(store.recompute(version) == version.digest for version in store.versions())


def test_exports_of_one_version_are_the_same_bytes_before_and_after_other_commits(store, tmp_path):
    first = the_first(store)
    one = export(store, first, tmp_path / "one.parquet").read_bytes()
    store.commit(some_examples(), some_labels(("a", "7", "override", "r1")), LINEAGE, NOW)
    assert export(store, first, tmp_path / "two.parquet").read_bytes() == one
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == ["one.parquet", "two.parquet"]
    with pytest.raises(InputError, match="cannot be written"):
        export(store, first, tmp_path / "nowhere" / "x.parquet")


def test_a_table_of_a_hundred_columns_is_read_back(store):
    wide = some_examples("a", "b")
    for number in range(100):
        wide = wide.append_column(f"pixel_{number}", pa.array([float(number), 0.5]))
    version = store.commit(wide, base_labels(("a", "1"), ("b", "2")), LINEAGE, NOW)
    assert store.read(version).column("pixel_99").to_pylist() == [99.0, 0.5]
    assert store.recompute(version) == version.digest
