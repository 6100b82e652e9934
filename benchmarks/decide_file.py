"""Deciding a Parquet file of a million rows: rows a second, recorded, and the memory it takes.

    python benchmarks/decide_file.py [--quick] [--json]

The project has a champion that was trained here, a scikit-learn pipeline on 20 columns of numbers, and real
parts: SQLite in a file with synchronous=FULL, the trail with its signed checkpoints, tickets in the outbox;
only the models' registry is in memory. Each file is decided by a process of its own, whose largest resident
memory is what the operating system says at its end, beside that of a process that only opened the project
and decided one row. Every case is new. Some 2 % of the decisions become tickets (unsure, or spot checks),
as the table says. At the end every row must be recorded, and the first file's trail must verify against
what is stored.

There is no peer: no tool at hand decides, routes and records a file. What a row costs without a record is
told beside it: the same model asked about the same frames, and nothing kept.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.decisions.decide import RECORDED_AT_ONCE
from hitl_mlops.decisions.table_file import TableFile
from hitl_mlops.project import Project
from tests.freeze_room import open_again
from tests.loop_room import begin

COLUMNS = 20
TRAINED_ON = 4_000
SIZES = (100_000, 1_000_000)
QUICK_SIZES = (20_000, 60_000)
GOAL_ROWS_PER_S = 100_000
POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.55"}
  standard: {confidence: "< 0.55"}
spot_checks: {auto: 0.01}
"""
FORKED = multiprocessing.get_context("fork")  # a process inherits the model that the project was given


def cases(first: int, count: int) -> pd.DataFrame:
    """Cases without their truth: an id in order of arrival, and columns of noise within one range."""
    noise = np.random.default_rng(first).normal(size=(count, COLUMNS)).clip(-3, 3)
    table = pd.DataFrame(noise, columns=[f"x{place}" for place in range(COLUMNS)])
    table.insert(0, "case_id", [f"case-{number:09d}" for number in range(first, first + count)])
    return table


def a_project(folder: Path) -> Project:
    """A project with a champion that is sure of most cases."""
    base = cases(0, TRAINED_ON)
    score = 4 * base[[f"x{place}" for place in range(5)]].sum(axis=1)
    base["label"] = np.where(score + np.random.default_rng(1).normal(size=len(base)) > 0, "yes", "no")
    loop = begin(folder, base, "--kind", "table")
    (loop.folder / "policy.yaml").write_text(POLICY)
    project = open_again(loop.folder)
    project.train()
    return project


def write(path: Path, first: int, count: int) -> None:
    """A Parquet file of so many cases, in row groups of 100,000."""
    schema = pa.schema([("case_id", pa.string())] + [(f"x{place}", pa.float64()) for place in range(COLUMNS)])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, count, 100_000):
            table = cases(first + start, min(100_000, count - start))
            writer.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False))


def decide(project: Project, path: Path, told: Connection) -> None:
    """Decide the file in this process; tell rows, seconds, tickets and the largest memory."""
    again = open_again(project.settings.folder, project.parts.registry)
    again.serving()  # loading the model is not what is measured
    again.decide(cases(500_000_000 + os.getpid(), 1))
    start = time.perf_counter()
    total = again.decide_file(path)
    seconds = time.perf_counter() - start
    again.close()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told.send((total.decided, seconds, total.tickets, total.refused, peak_mb))


def in_a_process(project: Project, path: Path) -> tuple[int, float, int, int, float]:
    """What `decide` tells, from a process that ends after it."""
    ours, theirs = FORKED.Pipe()
    process = FORKED.Process(target=decide, args=(project, path, theirs))
    process.start()
    found: tuple[int, float, int, int, float] = ours.recv()
    process.join()
    return found


def asked_only(project: Project, path: Path) -> float:
    """Rows a second of the model alone, on the frames that deciding would show it."""
    champion, columns = project.serving().champion, [f"x{place}" for place in range(COLUMNS)]
    rows, start = 0, time.perf_counter()
    for frame in TableFile(path).pieces(RECORDED_AT_ONCE):
        champion.probabilities(frame[columns])
        rows += len(frame)
    return rows / (time.perf_counter() - start)


def run(sizes: tuple[int, int]) -> dict[str, Any]:
    """Decide a file of each size, and one of one row."""
    figures: dict[str, Any] = {"load_before": os.getloadavg()[0], "columns": COLUMNS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with contextlib.redirect_stdout(io.StringIO()):
            project = a_project(folder / "project")
        paths = [folder / f"{size}.parquet" for size in (1, *sizes)]
        for at, (path, size) in enumerate(zip(paths, (1, *sizes), strict=True)):
            write(path, 1_000_000 + 10_000_000 * at, size)
        _, _, _, _, figures["peak_mb_1"] = in_a_process(project, paths[0])
        for path, size, short in zip(paths[1:], sizes, ("100k", "1m"), strict=True):
            decided, seconds, tickets, refused, peak = in_a_process(project, path)
            assert decided == size - refused, (decided, refused, size)
            figures |= {
                f"rows_{short}": size,
                f"rows_per_s_{short}": size / seconds,
                f"tickets_frac_{short}": tickets / size,
                f"refused_{short}": refused,
                f"peak_mb_{short}": peak,
            }
            if short == "100k":
                check = project.verify_trail()
                assert check.sound, check
        figures["asked_only_per_s"] = asked_only(project, paths[-1])
        figures["bytes_per_row"] = (project.settings.state / "hitl.db").stat().st_size / sum(sizes)
        project.close()
    return {"rows_per_s": figures["rows_per_s_1m"], **figures}


def tell(figures: dict[str, Any]) -> None:
    """The figures for people."""
    drawn = Table(title=f"A Parquet file of {COLUMNS} columns, decided and recorded")
    for head in ("rows", "rows/s", "became tickets", "peak MB"):
        drawn.add_column(head, justify="right")
    drawn.add_row("1", "", "", f"{figures['peak_mb_1']:,.0f}")
    for short in ("100k", "1m"):
        drawn.add_row(
            f"{figures[f'rows_{short}']:,}",
            f"{figures[f'rows_per_s_{short}']:,.0f}",
            f"{figures[f'tickets_frac_{short}']:.1%}",
            f"{figures[f'peak_mb_{short}']:,.0f}",
        )
    console = Console()
    console.print(drawn)
    console.print(
        f"goal {GOAL_ROWS_PER_S:,} rows/s; the model alone: {figures['asked_only_per_s']:,.0f}; in the "
        f"database {figures['bytes_per_row']:,.0f} bytes a row; load before {figures['load_before']:.1f}"
    )


def main() -> None:
    """Measure and tell."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--quick", action="store_true", help="small files")
    words.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
    said = words.parse_args()
    figures = run(QUICK_SIZES if said.quick else SIZES)
    tell(figures)
    if said.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
