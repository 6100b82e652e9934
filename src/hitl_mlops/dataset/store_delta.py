"""The dataset store on Delta Lake: two append-only tables, manifests beside them.

Layout under the root: `examples/` and `labels/` are Delta tables that any engine reads, partitioned by
`_batch`, with `_row`, the place in the log; `manifests/` names the versions; `keys/` is derived.

A commit appends to the tables that get something new, then puts the manifest, which alone makes rows count;
each file is on the disk before the next one names it. Killed before the manifest, the rows belong to no
version; the same commit made again finds its batch by the head of the log, which stands in Delta's log as an
application transaction, and goes on from there. Key tables come last: whoever misses one makes it again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from hitl_mlops.dataset.columns import Columns
from hitl_mlops.dataset.delta_log import DeltaLog
from hitl_mlops.dataset.digest import EMPTY_HEAD, batch_digest, next_head, version_digest
from hitl_mlops.dataset.extension import LABEL_COLUMNS, LOGGED_LABEL_COLUMNS, Extension, extend, named
from hitl_mlops.dataset.key_folder import KeyFolder
from hitl_mlops.dataset.keys import KeyShelf, KeyTable, example_keys, key_table, label_keys, merged, runs
from hitl_mlops.dataset.labelled import LABEL_VIEW, labelled
from hitl_mlops.dataset.manifest import DatasetVersion, Lineage, find_version, manifest_bytes, parse_manifest
from hitl_mlops.dataset.manifest_folder import ManifestFolder
from hitl_mlops.errors import BusyError

ATTEMPTS = 8
"""How often a commit starts anew because another one came first."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one version appended to one log: number, head of the log with it, place and count of its rows."""

    number: int
    head: str
    first_row: int
    rows: int


class DeltaDatasetStore:
    """See `DatasetStore`.

    Its collaborators are arguments, so that a test can stop a commit between any two.
    """

    def __init__(
        self,
        root: Path,
        *,
        examples: DeltaLog | None = None,
        labels: DeltaLog | None = None,
        keys: KeyShelf | None = None,
        manifests: ManifestFolder | None = None,
    ) -> None:
        self._logs = {
            "examples": examples or DeltaLog(root / "examples"),
            "labels": labels or DeltaLog(root / "labels"),
        }
        self._keys = keys or KeyFolder(root / "keys")
        self._manifests = manifests or ManifestFolder(root / "manifests")
        self._versions: list[DatasetVersion] = []
        self._appended: dict[str, list[Batch]] = {"examples": [], "labels": []}
        self._lock = threading.RLock()  # threads of one process take turns; processes meet at the manifest

    def commit(self, examples: pa.Table, labels: pa.Table, lineage: Lineage, now: datetime) -> DatasetVersion:
        """See `DatasetStore.commit`."""
        with self._lock:
            return self._committed(examples, labels, lineage, now)

    def _committed(
        self, examples: pa.Table, labels: pa.Table, lineage: Lineage, now: datetime
    ) -> DatasetVersion:
        for _ in range(ATTEMPTS):
            parent, extension = self._extension(examples, labels)
            if parent is not None and extension.empty:
                return parent
            batches = self._append(extension)
            version = named(parent, extension, batches, lineage, now)
            if self._manifests.put(version.number, manifest_bytes(version)):
                self._know(version)
                self._keep_keys(extension, batches)
                return version
        raise BusyError(
            "Other commits came first, again and again.", remedy="Try `hitl dataset build` again in a minute."
        )

    def fresh(self, examples: pa.Table, labels: pa.Table) -> tuple[pa.Table, pa.Table]:
        """See `DatasetStore.fresh`."""
        _, extension = self._extension(examples, labels)
        return extension.examples, extension.labels.select([name for name, _ in LABEL_COLUMNS])

    def versions(self) -> list[DatasetVersion]:
        """See `DatasetStore.versions`. Manifests never change, so each is read once."""
        with self._lock:
            for number in self._manifests.numbers(after=len(self._versions)):
                self._know(parse_manifest(self._manifests.get(number), f"{number:06d}.json"))
            return list(self._versions)

    def version(self, name: str | int) -> DatasetVersion:
        """See `DatasetStore.version`."""
        return find_version(self.versions(), name)

    def read(self, version: DatasetVersion) -> pa.Table:
        """See `DatasetStore.read`."""
        seen = [column for column in LOGGED_LABEL_COLUMNS if column[0] in {*LABEL_VIEW, "example_row"}]
        examples = self._rows("examples", version, version.columns)
        return labelled(examples, self._rows("labels", version, seen))

    def labels(
        self,
        version: DatasetVersion,
        *,
        since: DatasetVersion | None = None,
        examples: Sequence[str] | None = None,
    ) -> pa.Table:
        """See `DatasetStore.labels`."""
        where = None if examples is None else pc.field("example_id").isin(pa.array(examples, pa.string()))
        return self._rows("labels", version, LABEL_COLUMNS, since=since, where=where)

    def recompute(self, version: DatasetVersion) -> str:
        """See `DatasetStore.recompute`."""
        heads = {"examples": EMPTY_HEAD, "labels": EMPTY_HEAD}
        rows = {"examples": 0, "labels": 0}
        for log, columns in (("examples", version.columns), ("labels", LOGGED_LABEL_COLUMNS)):
            for batch in self._batches(log, version):
                pieces = _counted(self._logs[log].stream(batch, columns), rows, log)
                heads[log] = next_head(heads[log], batch_digest(pieces, columns))
        return version_digest(
            version.columns,
            example_head=heads["examples"],
            example_rows=rows["examples"],
            label_head=heads["labels"],
            label_rows=rows["labels"],
        )

    def _extension(self, examples: pa.Table, labels: pa.Table) -> tuple[DatasetVersion | None, Extension]:
        versions = self.versions()
        parent = versions[-1] if versions else None
        return parent, extend(parent, examples, labels, self._tables("examples"), self._tables("labels"))

    def _know(self, version: DatasetVersion) -> None:
        before = self._versions[-1] if self._versions else None
        spans = {
            "examples": (before.example_rows if before else 0, version.example_rows),
            "labels": (before.label_rows if before else 0, version.label_rows),
        }
        for log, (first_row, end) in spans.items():
            number, head = version.details[log]["batch"], version.details[log]["head"]
            if number is not None:
                self._appended[log].append(Batch(number, head, first_row, end - first_row))
        self._versions.append(version)

    def _append(self, extension: Extension) -> tuple[int | None, int | None]:
        batches: list[int | None] = []
        rows = (extension.examples, extension.labels)
        for place, (log, folder) in enumerate(self._logs.items()):
            after = self._appended[log][-1].number if self._appended[log] else 0
            first_row, head, new = extension.first_rows[place], extension.heads[place], rows[place]
            batches.append(folder.append(new, first_row, head, after) if new.num_rows else None)
        return batches[0], batches[1]

    def _keep_keys(self, extension: Extension, batches: tuple[int | None, int | None]) -> None:
        tables = (extension.example_table, extension.label_table)
        for log, batch, table in zip(self._logs, batches, tables, strict=True):
            if batch is None:
                continue
            *_, run = self._runs(log)
            older = [run_before for run_before in self._runs(log, before=True) if run_before[0] in run]
            joined = merged([*(self._table(log, one) for one in older), table])
            self._keys.put(log, run[-1].head, joined)
            for one in older:
                self._keys.drop(log, one[-1].head)

    def _runs(self, log: str, *, before: bool = False) -> list[list[Batch]]:
        """Which batches share a key table; before the last one too."""
        batches = self._appended[log][:-1] if before else self._appended[log]
        return [batches[start:stop] for start, stop in runs([batch.rows for batch in batches])]

    def _tables(self, log: str) -> list[KeyTable]:
        return [self._table(log, run) for run in self._runs(log)]

    def _table(self, log: str, run: Sequence[Batch]) -> KeyTable:
        table = self._keys.get(log, run[-1].head)
        if table is not None and table.shape[1] == sum(batch.rows for batch in run):
            return table
        columns, of = (
            ([("example_id", "string")], example_keys) if log == "examples" else (LABEL_COLUMNS, label_keys)
        )
        self._logs[log].refresh()
        rows = self._logs[log].read([batch.number for batch in run], columns)
        table = key_table(of(rows), run[0].first_row)
        self._keys.drop(log, run[-1].head)
        self._keys.put(log, run[-1].head, table)
        return table

    def _batches(self, log: str, version: DatasetVersion, since: DatasetVersion | None = None) -> list[int]:
        self._logs[log].refresh()
        span = self.versions()[since.number if since else 0 : version.number]
        return [batch for batch in (earlier.details[log]["batch"] for earlier in span) if batch is not None]

    def _rows(
        self,
        log: str,
        version: DatasetVersion,
        columns: Columns,
        *,
        since: DatasetVersion | None = None,
        where: pc.Expression | None = None,
    ) -> pa.Table:
        return self._logs[log].read(self._batches(log, version, since), columns, where)


def _counted(pieces: Iterator[pa.Table], rows: dict[str, int], log: str) -> Iterator[pa.Table]:
    for piece in pieces:
        rows[log] += piece.num_rows
        yield piece
