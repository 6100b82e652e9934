from __future__ import annotations

import subprocess
import sys
import threading

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, TableFeatures

from hitl_mlops.dataset.delta_log import DeltaLog
from hitl_mlops.dataset.key_folder import KeyFolder
from hitl_mlops.dataset.manifest_folder import ManifestFolder
from hitl_mlops.dataset.store_delta import DeltaDatasetStore
from hitl_mlops.dataset.store_in_memory import InMemoryDatasetStore
from hitl_mlops.errors import BusyError, IntegrityError
from tests.dataset_room import LINEAGE, NOW, base_labels, some_examples, some_labels


class Stopped(Exception):  # noqa: N818 - it stands for a kill, not for an error
    pass


class StoppingLog(DeltaLog):
    def __init__(self, folder, *, after):
        super().__init__(folder)
        self._after = after

    def append(self, rows, first_row, head, after):
        if self._after:
            super().append(rows, first_row, head, after)
        raise Stopped


class StoppingKeys(KeyFolder):
    def put(self, log, head, table):  # noqa: ARG002 - the port names them
        raise Stopped


class StoppingManifests(ManifestFolder):
    def __init__(self, folder, *, after):
        super().__init__(folder)
        self._after = after

    def put(self, number, raw):
        if self._after:
            super().put(number, raw)
        raise Stopped


class LateManifests(ManifestFolder):
    """Somebody else always comes first."""

    def put(self, number, raw):  # noqa: ARG002 - the port names them
        return False


STOPS = {
    "before the examples": lambda root: {"examples": StoppingLog(root / "examples", after=False)},
    "after the examples": lambda root: {"examples": StoppingLog(root / "examples", after=True)},
    "before the labels": lambda root: {"labels": StoppingLog(root / "labels", after=False)},
    "after the labels": lambda root: {"labels": StoppingLog(root / "labels", after=True)},
    "before the manifest": lambda root: {"manifests": StoppingManifests(root / "manifests", after=False)},
    "after the manifest": lambda root: {"manifests": StoppingManifests(root / "manifests", after=True)},
    "before the keys": lambda root: {"keys": StoppingKeys(root / "keys")},
}
STANDING = {"after the manifest", "before the keys"}
FIRST = some_examples("a", "b"), base_labels(("a", "1"), ("b", "2"))
MORE = some_examples("c"), some_labels(("a", "7", "override", "r1"), ("c", "3", "agreed", "r2"))
OTHER = some_examples("d"), some_labels(("d", "9", "agreed", "r3"))


@pytest.mark.parametrize("stop", STOPS)
def test_a_stopped_commit_is_invisible_or_whole_and_made_again_it_is_finished(tmp_path, stop):
    DeltaDatasetStore(tmp_path).commit(*FIRST, LINEAGE, NOW)
    with pytest.raises(Stopped):
        DeltaDatasetStore(tmp_path, **STOPS[stop](tmp_path)).commit(*MORE, LINEAGE, NOW)
    store = DeltaDatasetStore(tmp_path)
    assert len(store.versions()) == (2 if stop in STANDING else 1)
    assert store.read(store.version(1)).num_rows == 2
    version = store.commit(*MORE, LINEAGE, NOW)
    twin = InMemoryDatasetStore()
    expected = [twin.commit(*rows, LINEAGE, NOW) for rows in (FIRST, MORE)]
    assert version.digest == expected[1].digest == store.recompute(version)
    assert store.read(version).equals(twin.read(expected[1]))
    assert [DeltaTable(tmp_path / log).to_pyarrow_table().num_rows for log in ("examples", "labels")] == [
        3,
        4,
    ]


@pytest.mark.parametrize("stop", STOPS)
def test_another_commit_after_a_stopped_one_does_not_see_its_rows(tmp_path, stop):
    DeltaDatasetStore(tmp_path).commit(*FIRST, LINEAGE, NOW)
    with pytest.raises(Stopped):
        DeltaDatasetStore(tmp_path, **STOPS[stop](tmp_path)).commit(*MORE, LINEAGE, NOW)
    store = DeltaDatasetStore(tmp_path)
    version = store.commit(*OTHER, LINEAGE, NOW)
    seen = {"a", "b", "d"} | ({"c"} if stop in STANDING else set())
    assert set(store.read(version)["example_id"].to_pylist()) == seen
    assert store.recompute(version) == version.digest
    last = store.commit(*MORE, LINEAGE, NOW)
    assert set(store.read(last)["example_id"].to_pylist()) == {"a", "b", "c", "d"}
    assert store.recompute(last) == last.digest


def test_a_commit_that_always_comes_second_says_busy(tmp_path):
    store = DeltaDatasetStore(tmp_path, manifests=LateManifests(tmp_path / "manifests"))
    with pytest.raises(BusyError, match=r"came first.*hitl dataset build"):
        store.commit(*FIRST, LINEAGE, NOW)


def test_writers_that_know_nothing_of_each_other_all_commit_once(tmp_path):
    DeltaDatasetStore(tmp_path).commit(*FIRST, LINEAGE, NOW)
    barrier, failures = threading.Barrier(4), []

    def work(number):
        store = DeltaDatasetStore(tmp_path)
        barrier.wait()
        try:  # two of the four bring the same
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
    store = DeltaDatasetStore(tmp_path)
    last = store.version("latest")
    assert sorted(store.read(last)["example_id"].to_pylist()) == ["a", "b", "n0", "n1", "n2"]
    assert [store.recompute(version) for version in store.versions()] == [v.digest for v in store.versions()]


def test_a_store_sees_what_another_process_committed(tmp_path):
    early = DeltaDatasetStore(tmp_path)
    first = early.commit(*FIRST, LINEAGE, NOW)
    second = DeltaDatasetStore(tmp_path).commit(*MORE, LINEAGE, NOW)
    assert early.versions() == [first, second]
    assert early.read(second).num_rows == 3


def test_lost_or_broken_key_tables_are_built_again(tmp_path):
    first = DeltaDatasetStore(tmp_path).commit(*FIRST, LINEAGE, NOW)
    files = sorted((tmp_path / "keys").rglob("*.npy"))
    files[0].unlink()
    files[1].write_bytes(b"")
    assert DeltaDatasetStore(tmp_path).commit(*FIRST, LINEAGE, NOW) == first
    assert sorted((tmp_path / "keys").rglob("*.npy")) == files


def test_compaction_by_another_engine_changes_nothing(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    for rows in (FIRST, MORE, OTHER):
        store.commit(*rows, LINEAGE, NOW)
    before = [store.read(version) for version in store.versions()]
    for log in ("examples", "labels"):
        DeltaTable(tmp_path / log).optimize.compact()
    again = DeltaDatasetStore(tmp_path)
    assert [again.read(version) for version in again.versions()] == before


def test_a_changed_value_in_a_file_is_found_by_recomputing(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    version = store.commit(*FIRST, LINEAGE, NOW)
    file = next((tmp_path / "labels").rglob("*.parquet"))
    table = pq.ParquetFile(file).read()
    place = table.column_names.index("label")
    pq.write_table(table.set_column(place, "label", [["1", "1"]]), file)
    assert store.recompute(version) != version.digest


def test_a_file_that_is_gone_is_named(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    version = store.commit(*FIRST, LINEAGE, NOW)
    next((tmp_path / "examples").rglob("*.parquet")).unlink()
    for work in (store.read, store.recompute):
        with pytest.raises(IntegrityError, match="examples is damaged"):
            work(version)


def test_a_damaged_manifest_is_named(tmp_path):
    DeltaDatasetStore(tmp_path).commit(*FIRST, LINEAGE, NOW)
    (tmp_path / "manifests" / "000001.json").write_bytes(b'{"number": 1')
    with pytest.raises(IntegrityError, match=r"000001.json is damaged"):
        DeltaDatasetStore(tmp_path).versions()


def test_what_is_appended_here_other_engines_read_and_extend(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    store.commit(*FIRST, LINEAGE, NOW)
    (tmp_path / "labels/_delta_log/.00000000000000000002.json.left-by-a-kill").write_bytes(b"{")
    table = DeltaTable(tmp_path / "labels")
    assert table.to_pyarrow_table(filters=[("_row", ">", 0)])["label"].to_pylist() == ["2"]
    assert [entry["operation"] for entry in table.history()] == ["WRITE", "CREATE TABLE"]
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 60 days"})
    version = store.commit(*MORE, LINEAGE, NOW)
    assert version.details["labels"]["batch"] == DeltaTable(tmp_path / "labels").version() == 3
    assert store.recompute(version) == version.digest


def test_a_table_whose_protocol_another_engine_raised_is_not_written(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    store.commit(*FIRST, LINEAGE, NOW)
    DeltaTable(tmp_path / "labels").alter.add_feature(
        TableFeatures.ColumnMapping, allow_protocol_versions_increase=True
    )
    with pytest.raises(IntegrityError, match="labels is damaged: another engine raised its Delta protocol"):
        store.commit(*MORE, LINEAGE, NOW)


def test_two_hundred_versions_share_few_key_tables_and_their_log_is_summed_up(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    store.commit(*FIRST, LINEAGE, NOW)
    commits = [(some_examples(), some_labels(("a", "1", "override", f"r{turn}"))) for turn in range(200)]
    for rows in commits:
        store.commit(*rows, LINEAGE, NOW)
    assert len(list((tmp_path / "keys" / "labels").iterdir())) <= 8
    assert len(list((tmp_path / "labels" / "_delta_log").glob("*.checkpoint.parquet"))) == 2
    cold = DeltaDatasetStore(tmp_path)
    assert [cold.commit(*rows, LINEAGE, NOW).number for rows in commits] == [201] * 200
    assert cold.recompute(cold.version("latest")) == cold.version("latest").digest


def test_a_log_that_was_tidied_behind_a_checkpoint_goes_on_at_its_end(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    for rows in (FIRST, MORE):
        store.commit(*rows, LINEAGE, NOW)
    for log in ("examples", "labels"):
        DeltaTable(tmp_path / log).create_checkpoint()
        for entry in (tmp_path / log / "_delta_log").glob("*.json"):
            entry.unlink()
    version = DeltaDatasetStore(tmp_path).commit(*OTHER, LINEAGE, NOW)
    assert version.details["labels"]["batch"] == 3
    assert store.recompute(version) == version.digest


def test_a_manifest_that_is_gone_is_named(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    for rows in (FIRST, MORE, OTHER):
        store.commit(*rows, LINEAGE, NOW)
    (tmp_path / "manifests" / "000002.json").unlink()
    with pytest.raises(IntegrityError, match=r"000002.json is gone"):
        DeltaDatasetStore(tmp_path).versions()


def test_overrides_of_known_examples_write_nothing_to_the_examples(tmp_path):
    store = DeltaDatasetStore(tmp_path)
    store.commit(*FIRST, LINEAGE, NOW)
    before = sorted((tmp_path / "examples").rglob("*"))
    store.commit(some_examples(), some_labels(("a", "7", "override", "r1")), LINEAGE, NOW)
    store.commit(FIRST[0], some_labels(("b", "7", "override", "r2")), LINEAGE, NOW)
    assert sorted((tmp_path / "examples").rglob("*")) == before


def test_delta_lake_is_not_imported_before_it_is_needed():
    code = "import sys, hitl_mlops.dataset.store_delta; sys.exit('deltalake' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
