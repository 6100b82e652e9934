"""The twin of the dataset store: the same logs and digests, kept in this process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hitl_mlops.dataset.columns import columns_of
from hitl_mlops.dataset.digest import EMPTY_HEAD, head_after, version_digest
from hitl_mlops.dataset.extension import LABEL_COLUMNS, Extension, extend, named
from hitl_mlops.dataset.keys import KeyTable
from hitl_mlops.dataset.labelled import labelled
from hitl_mlops.dataset.manifest import DatasetVersion, Lineage, find_version


class InMemoryDatasetStore:
    """See `DatasetStore`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: list[DatasetVersion] = []
        self._batches: dict[str, list[pa.Table]] = {"examples": [], "labels": []}
        self._keys: dict[str, list[KeyTable]] = {"examples": [], "labels": []}

    def commit(self, examples: pa.Table, labels: pa.Table, lineage: Lineage, now: datetime) -> DatasetVersion:
        """See `DatasetStore.commit`."""
        with self._lock:
            parent = self._versions[-1] if self._versions else None
            extension = self._extension(examples, labels)
            if parent is not None and extension.empty:
                return parent
            batches = (
                self._append("examples", extension.examples, extension.example_table),
                self._append("labels", extension.labels, extension.label_table),
            )
            version = named(parent, extension, batches, lineage, now)
            self._versions.append(version)
            return version

    def fresh(self, examples: pa.Table, labels: pa.Table) -> tuple[pa.Table, pa.Table]:
        """See `DatasetStore.fresh`."""
        extension = self._extension(examples, labels)
        return extension.examples, extension.labels.select([name for name, _ in LABEL_COLUMNS])

    def versions(self) -> list[DatasetVersion]:
        """See `DatasetStore.versions`."""
        return list(self._versions)

    def version(self, name: str | int) -> DatasetVersion:
        """See `DatasetStore.version`."""
        return find_version(self._versions, name)

    def read(self, version: DatasetVersion) -> pa.Table:
        """See `DatasetStore.read`."""
        return labelled(
            self._rows("examples", version.example_rows), self._rows("labels", version.label_rows)
        )

    def labels(
        self,
        version: DatasetVersion,
        *,
        since: DatasetVersion | None = None,
        examples: Sequence[str] | None = None,
    ) -> pa.Table:
        """See `DatasetStore.labels`."""
        events = self._rows("labels", version.label_rows).slice(since.label_rows if since else 0)
        if examples is not None:
            events = events.filter(pc.is_in(events.column("example_id"), pa.array(examples, pa.string())))
        return events.select([name for name, _ in LABEL_COLUMNS])

    def recompute(self, version: DatasetVersion) -> str:
        """See `DatasetStore.recompute`."""
        heads = {"examples": EMPTY_HEAD, "labels": EMPTY_HEAD}
        rows = {"examples": 0, "labels": 0}
        for earlier in self._versions[: version.number]:
            for log in ("examples", "labels"):
                batch = earlier.details[log]["batch"]
                if batch is not None:
                    table = self._batches[log][batch - 1]
                    heads[log] = head_after(heads[log], table)
                    rows[log] += table.num_rows
        return version_digest(
            columns_of(self._batches["examples"][0]),
            example_head=heads["examples"],
            example_rows=rows["examples"],
            label_head=heads["labels"],
            label_rows=rows["labels"],
        )

    def _extension(self, examples: pa.Table, labels: pa.Table) -> Extension:
        parent = self._versions[-1] if self._versions else None
        return extend(parent, examples, labels, self._keys["examples"], self._keys["labels"])

    def _append(self, log: str, table: pa.Table, keys: KeyTable) -> int | None:
        if not table.num_rows and self._batches[log]:
            return None
        self._batches[log].append(table)
        self._keys[log].append(keys)
        return len(self._batches[log])

    def _rows(self, log: str, count: int) -> pa.Table:
        return pa.concat_tables(self._batches[log]).slice(0, count)
