"""One append-only Delta table, written in numbered batches.

The table is made by `deltalake` and read through it. An append writes the two files of the Delta protocol
itself (a Parquet file, then a log entry of `commitInfo`, `txn` and `add`: github.com/delta-io/delta,
PROTOCOL.md, writer version 2), because that way each is on the disk before the next names it, which
`deltalake` does not do, and because it need not read the log to extend it.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hitl_mlops.dataset.columns import Columns, schema_of
from hitl_mlops.dataset.digest import BLOCK_ROWS
from hitl_mlops.dataset.manifest_folder import sync, write_once
from hitl_mlops.errors import BusyError, IntegrityError

STATS_COLUMNS = "delta.dataSkippingStatsColumns"
"""Delta keeps statistics of the first 32 columns otherwise, and `_row` stands last."""

WRITER_VERSION = 2
"""Of the Delta protocol: what an append here observes."""

CHECKPOINT_BATCHES = 100
"""How often Delta's log is summed up, so that opening the table stays fast."""

ATTEMPTS = 8
"""How often an append starts anew because another one came first."""


class DeltaLog:
    """Batches of rows in a Delta table; a batch's number is the table's version that brought it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._table: Any = None
        self._listed: tuple[int, dict[int, list[Path]]] = (-1, {})

    def append(self, rows: pa.Table, first_row: int, head: str, after: int) -> int:
        """Append the rows as one batch and answer its number; a batch of that head is not appended twice.

        When it answers, the rows and their log entry survive a power cut.

        Args:
            rows: what is appended.
            first_row: place of the first row in the log.
            head: of the log with these rows, by which a batch is known again.
            after: number of the batch before, 0 if this is the first.

        Raises:
            BusyError: others appended at the same time, again and again.
            IntegrityError: another engine raised the table's protocol.
        """
        self._made(rows.schema)
        for _ in range(ATTEMPTS):
            batch, done = self._next_free(after, head)
            if done is not None:
                sync(self._log)  # whoever wrote it may have been killed before
                return done
            name = f"{batch:06d}-{secrets.token_hex(16)}.parquet"  # two writers of one batch share no file
            path = self._write(name, rows, first_row)
            entry = _entry(name, path.stat().st_size, (first_row, rows.num_rows), batch, head)
            if write_once(self._entry_path(batch), entry):
                self._sum_up(batch)
                return batch
            path.unlink()
        raise BusyError(
            f"Others append to {self.folder.name} without a pause.",
            remedy="Try again in a minute.",
            attempts=ATTEMPTS,
        )

    def read(self, batches: Sequence[int], columns: Columns, where: pc.Expression | None = None) -> pa.Table:
        """The rows of these batches in log order, with these columns; IntegrityError where some are gone."""
        schema = schema_of(columns)
        files = self._files(batches)
        if not files:
            return schema.empty_table()
        names = [*schema.names, "_row"]
        try:
            table = pq.read_table(files, columns=names, partitioning=None, filters=where)
        except (FileNotFoundError, pa.ArrowInvalid) as exc:
            raise self._damaged(str(exc)) from exc
        rows = table.column("_row").to_numpy()
        if (np.diff(rows) <= 0).any():
            table = table.sort_by("_row")
            rows = table.column("_row").to_numpy()
        if where is None and not np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            raise self._damaged("its rows are not one run")
        return table.select(schema.names).cast(schema)

    def stream(self, batch: int, columns: Columns) -> Iterator[pa.Table]:
        """The rows of a batch in log order, in bounded pieces."""
        schema = schema_of(columns)
        for file in self._files([batch]):
            try:
                parquet = pq.ParquetFile(file)
            except (FileNotFoundError, pa.ArrowInvalid) as exc:
                raise self._damaged(str(exc)) from exc
            with parquet:
                for piece in parquet.iter_batches(batch_size=BLOCK_ROWS, columns=schema.names):
                    yield pa.Table.from_batches([piece]).select(schema.names).cast(schema)

    def refresh(self) -> None:
        """See what was appended since the table was opened."""
        if self._table is not None and self._entry_path(self._table.version() + 1).exists():
            self._table.update_incremental()

    @property
    def _log(self) -> Path:
        return self.folder / "_delta_log"

    def _entry_path(self, number: int) -> Path:
        return self._log / f"{number:020d}.json"

    def _opened(self) -> Any:
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        if self._table is None:
            try:
                self._table = DeltaTable(self.folder)
            except TableNotFoundError as exc:
                raise self._damaged("the table is gone") from exc
        return self._table

    def _made(self, schema: pa.Schema) -> None:
        if self._entry_path(0).exists() or self._log.is_dir():
            return
        from deltalake import DeltaTable

        fields = [*schema, pa.field("_row", pa.int64()), pa.field("_batch", pa.int64())]
        DeltaTable.create(
            self.folder,
            pa.schema(fields),
            mode="ignore",
            partition_by=["_batch"],
            configuration={STATS_COLUMNS: "_row"},
        )
        for path in (self._entry_path(0), self._log, self.folder, self.folder.parent):
            sync(path)

    def _next_free(self, after: int, head: str) -> tuple[int, int | None]:
        """The number that comes next, and the number of the batch with that head if it is there.

        Only a batch behind `after` can have the head, which is a hash over all before it.
        """
        if not self._entry_path(after).exists():  # another engine tidied the log behind a checkpoint
            table = self._opened()
            table.update_incremental()
            return table.version() + 1, table.transaction_version(head)
        done = None
        while (path := self._entry_path(after + 1)).exists():
            after += 1
            for line in path.read_text().splitlines():
                action = json.loads(line)
                if action.get("txn", {}).get("appId") == head:
                    done = after
                if action.get("protocol", {}).get("minWriterVersion", 0) > WRITER_VERSION:
                    raise self._damaged("another engine raised its Delta protocol")
        return after + 1, done

    def _write(self, name: str, rows: pa.Table, first_row: int) -> Path:
        path = self.folder / name
        numbered = rows.append_column("_row", pa.array(np.arange(first_row, first_row + rows.num_rows)))
        pq.write_table(numbered, path, row_group_size=4 * BLOCK_ROWS)
        sync(path)
        sync(self.folder)
        return path

    def _sum_up(self, batch: int) -> None:
        if batch % CHECKPOINT_BATCHES:
            return
        table = self._opened()
        table.update_incremental()
        table.create_checkpoint()
        for path in self._log.glob(f"{table.version():020d}.checkpoint*.parquet"):
            sync(path)
        sync(self._log / "_last_checkpoint")
        sync(self._log)

    def _files(self, batches: Sequence[int]) -> list[Path]:
        table = self._opened()
        if self._listed[0] != table.version():
            order = [("partition._batch", "ascending"), ("min._row", "ascending")]
            actions = pa.table(table.get_add_actions(flatten=True)).sort_by(order)
            listed: dict[int, list[Path]] = {}
            columns = (actions.column(name).to_pylist() for name in ("partition._batch", "path"))
            for batch, name in zip(*columns, strict=True):
                listed.setdefault(batch, []).append(self.folder / unquote(name))
            self._listed = (table.version(), listed)
        try:
            return [file for batch in batches for file in self._listed[1][batch]]
        except KeyError as exc:
            raise self._damaged(f"batch {exc} is gone") from exc

    def _damaged(self, why: str) -> IntegrityError:
        return IntegrityError(
            f"The dataset log {self.folder.name} is damaged: {why}.",
            remedy="Restore its folder from your backup, then run `hitl audit verify`.",
            log=self.folder.name,
        )


def _entry(name: str, size: int, rows: tuple[int, int], batch: int, head: str) -> bytes:
    """The entry of Delta's log that adds this file and names its head as an application transaction."""
    first_row, count = rows
    last_row = first_row + count - 1
    now = time.time_ns() // 1_000_000
    bounds = {"minValues": {"_row": first_row}, "maxValues": {"_row": last_row}, "nullCount": {"_row": 0}}
    done = {"timestamp": now, "operation": "WRITE", "operationParameters": {"mode": "Append"}}
    added = {
        "path": name,
        "partitionValues": {"_batch": str(batch)},
        "size": size,
        "modificationTime": now,
        "dataChange": True,
        "stats": json.dumps({"numRecords": count, **bounds}),
    }
    actions = (
        {"commitInfo": {**done, "engineInfo": "hitl-mlops", "isBlindAppend": True}},
        {"txn": {"appId": head, "version": batch, "lastUpdated": now}},
        {"add": added},
    )
    return "".join(json.dumps(action) + "\n" for action in actions).encode()
