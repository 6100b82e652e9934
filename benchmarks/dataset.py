"""Committing overrides: ours beside Delta MERGE and beside a full Parquet snapshot, in one run.

All three start from the same base of 1,000,000 rows and 20 columns and take the same overrides, 1,000 at a
time, on disk; what they hold in the end is compared. What each flushes to the disk is told in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from rich.console import Console
from rich.table import Table

from hitl_mlops.dataset.diff import diff
from hitl_mlops.dataset.labelled import LABEL_VIEW
from hitl_mlops.dataset.manifest import Lineage
from hitl_mlops.dataset.store import LABEL_SCHEMA
from hitl_mlops.dataset.store_delta import DeltaDatasetStore

START = datetime(2026, 1, 1, tzinfo=UTC)
LINEAGE = Lineage(0, "")
FLUSHED = {
    "ours": "rows, Delta log entry, manifest and their folders, each before the next names it (6 fsync);"
    " key tables are derived and not flushed",
    "MERGE": "nothing (deltalake leaves it to the operating system)",
    "snapshot": "the file (1 fsync)",
}


def base(rows: int, columns: int, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Examples of normal noise, and a label event for each."""
    ids = pa.array([f"case-{number:09d}" for number in range(rows)])
    moments = pa.array(np.full(rows, int(START.timestamp() * 1e6)), pa.timestamp("us", tz="UTC"))
    values = {f"x{place}": rng.normal(size=rows) for place in range(columns)}
    labels = {name: pa.nulls(rows, LABEL_SCHEMA.field(name).type) for name in LABEL_SCHEMA.names}
    labels["example_id"], labels["source"] = ids, pa.array(["base"] * rows)
    labels["label"] = pa.array(rng.integers(0, 10, rows).astype(str).tolist())
    labels["decided_at"] = moments
    examples = pa.table({"example_id": ids, "subject": ids, "at": moments, **values})
    return examples, pa.table(labels, schema=LABEL_SCHEMA)


def overrides(rows: int, count: int, turn: int, rng: np.random.Generator) -> pa.Table:
    """Label events of people for `count` examples that exist."""
    chosen = rng.choice(rows, count, replace=False)
    moment = START + timedelta(days=turn + 1)
    return pa.Table.from_pylist(
        [
            {
                "example_id": f"case-{number:09d}",
                "label": str(rng.integers(0, 10)),
                "source": "override",
                "resolution_id": f"res_{turn}_{number}",
                "reviewers": "rev_1",
                "model_label": "3",
                "model_version": "1",
                "policy_hash": "sha256:00",
                "pi": 0.5,
                "decided_at": moment,
            }
            for number in chosen
        ],
        schema=LABEL_SCHEMA,
    )


def size(folder: Path) -> int:
    """Bytes of all files under the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def timed(work: Callable[[], object], runs: int) -> tuple[float, object]:
    """Median seconds, and what the last run gave."""
    spans, result = [], None
    for _ in range(runs):
        os.sync()  # nobody pays for flushing what another wrote
        start = time.perf_counter()
        result = work()
        spans.append(time.perf_counter() - start)
    return statistics.median(spans), result


def merged(target: DeltaTable, events: pa.Table) -> None:
    """MERGE the overrides into the wide table: the peer."""
    source = events.select(["example_id", *LABEL_VIEW])
    updates = {name: f"source.{name}" for name in LABEL_VIEW}
    match = "target.example_id = source.example_id"
    target.merge(source, match, source_alias="source", target_alias="target").when_matched_update(
        updates
    ).execute()


def snapshot(wide: pa.Table, events: pa.Table, path: Path) -> pa.Table:
    """The wide table with the overrides in it, written whole and flushed: the other peer."""
    rows = np.array([int(name[5:]) for name in events.column("example_id").to_pylist()])
    source = np.arange(wide.num_rows)
    source[rows] = wide.num_rows + np.arange(len(rows))
    for name in LABEL_VIEW:
        column = pa.chunked_array([*wide.column(name).chunks, *events.column(name).chunks])
        wide = wide.set_column(wide.column_names.index(name), name, column.take(pa.array(source)))
    with path.open("wb") as file:
        pq.write_table(wide, file)
        file.flush()
        os.fsync(file.fileno())
    return wide


def measure(rows: int, columns: int, count: int, folder: Path) -> dict[str, float]:
    """All figures, from one base and the same overrides."""
    rng = np.random.default_rng(7)
    examples, labels = base(rows, columns, rng)
    store = DeltaDatasetStore(folder / "ours")
    figures: dict[str, float] = {"rows": rows, "columns": columns, "overrides": count}
    figures["first_commit_s"], first = timed(lambda: store.commit(examples, labels, LINEAGE, START), 1)
    wide = store.read(first)
    write_deltalake(folder / "merge", wide)
    none = examples.slice(0, 0)
    turns = [overrides(rows, count, turn, rng) for turn in range(12)]
    store.commit(none, turns[0], LINEAGE, START)  # all three warm up on the first turn
    merged(DeltaTable(folder / "merge"), turns[0])
    wide = snapshot(wide, turns[0], folder / "warm.parquet")

    before, spans = size(folder / "ours"), []
    for events in turns[1:]:
        span, _ = timed(lambda events=events: store.commit(none, events, LINEAGE, START), 1)
        spans.append(span)
    figures["commit_s"] = statistics.median(spans)
    figures["fastest_commit_s"] = min(spans)
    figures["commit_bytes"] = (size(folder / "ours") - before) / len(spans)
    span, _ = timed(lambda: DeltaDatasetStore(folder / "ours").commit(none, turns[-1], LINEAGE, START), 3)
    figures["cold_nothing_new_s"] = span

    before, spans = size(folder / "merge"), []
    for events in turns[1:4]:
        spans.append(timed(lambda events=events: merged(DeltaTable(folder / "merge"), events), 1)[0])
    figures["merge_s"], figures["merge_bytes"] = (
        statistics.median(spans),
        (size(folder / "merge") - before) / 3,
    )
    spans = []
    for turn, events in enumerate(turns[1:4]):
        span, wide = timed(
            lambda e=events, w=wide, t=turn: snapshot(w, e, folder / f"snapshot{t}.parquet"), 1
        )
        spans.append(span)
    figures["snapshot_s"] = statistics.median(spans)
    figures["snapshot_bytes"] = (folder / "snapshot0.parquet").stat().st_size
    return figures | compared(store, folder, wide)


def compared(store: DeltaDatasetStore, folder: Path, wide: pa.Table) -> dict[str, float]:
    """Contents after the fourth turn, and how long reading, telling apart and auditing take."""
    version = store.version(5)
    ours = store.read(version)
    merge = DeltaTable(folder / "merge").to_pyarrow_table().sort_by("example_id")
    equal = ours.equals(merge.select(ours.column_names).cast(ours.schema)) and ours.equals(
        wide.cast(ours.schema)
    )
    plain_s, _ = timed(lambda: pq.read_table(folder / "snapshot2.parquet"), 5)
    read_s, _ = timed(lambda: store.read(version), 5)
    diff_s, _ = timed(lambda: diff(store, store.version(4), version), 3)
    audit_s, digest = timed(lambda: store.recompute(version), 1)
    figures = {"contents_equal": equal, "digest_equal": digest == version.digest, "plain_read_s": plain_s}
    return figures | {
        "read_s": read_s,
        "read_ratio": read_s / plain_s,
        "diff_s": diff_s,
        "recompute_s": audit_s,
    }


def main() -> None:
    """Run, print a table, and with --json one object last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100,000 rows instead of 1,000,000")
    parser.add_argument("--json", action="store_true", help="print one object of figures as the last line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(100_000 if options.quick else 1_000_000, 20, 1_000, Path(folder))
    figures["speedup_merge"] = figures["merge_s"] / figures["commit_s"]
    figures["speedup_snapshot"] = figures["snapshot_s"] / figures["commit_s"]
    figures["size_ratio"] = figures["snapshot_bytes"] / figures["commit_bytes"]
    figures["size_ratio_merge"] = figures["merge_bytes"] / figures["commit_bytes"]
    table = Table("figure", "value", title=f"1,000 overrides on {figures['rows']:,} rows of 20 columns")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}" if isinstance(value, float) else str(value))
    flushed = Table("who", "what a commit flushes to the disk")
    for who, what in FLUSHED.items():
        flushed.add_row(who, what)
    console = Console()
    console.print(table)
    console.print(flushed)
    if options.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
