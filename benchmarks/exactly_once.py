"""Whether every answer is collected exactly once, on 1,000 schedules of all that can come between.

    python benchmarks/exactly_once.py [--quick] [--json]

A schedule is 25 steps drawn by Hypothesis, always the same ones: people answer, edit, skip and delete, tasks
are deleted, time passes, pages come late, twice and out of order, the server dies between pages, a collector
is killed inside a transaction, two collect at once while people edit, refused answers are released and
dropped. After most steps answers are collected, in one of seven ways. A dictionary, made of the desk as it
stands, says which resolutions there must be; after every collection they are compared with those in the book,
and at the end of a schedule once more after a sweep. The desk is a twin in memory; the databases are SQLite
and a PostgreSQL that this program starts, each with all schedules. --quick: 40.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.database.connect import Database
from tests.collection_machine import Seen, run_schedules
from tests.postgres import fresh_database, postgres_server


def measure(*, quick: bool) -> tuple[dict[str, float], Counter[str]]:
    """All figures, and how often each step was taken on both databases together."""
    many = 40 if quick else 1_000
    figures, steps = dict[str, float](), Counter[str]()
    with postgres_server() as server, fresh_database(server) as postgres:
        for name, url in (("sqlite", "sqlite://"), ("postgresql", postgres)):
            database = Database(url)
            database.create()
            begun = time.perf_counter()
            seen = run_schedules(database, many)
            figures |= _figures(name, seen, time.perf_counter() - begun)
            steps += seen.steps
            database.close()
    return figures, steps


def _figures(name: str, seen: Seen, seconds: float) -> dict[str, float]:
    told = {"schedules": seen.schedules, "steps": sum(seen.steps.values()), "compared": seen.compared}
    told |= {"lost": seen.lost, "doubled": seen.doubled, "seconds": seconds}
    return {f"{key}_{name}": float(value) for key, value in told.items()}


def show(figures: dict[str, float], steps: Counter[str]) -> None:
    """One row for each database, then one for each step."""
    table = Table("database", "schedules", "steps", "resolutions compared", "lost", "doubled", "seconds")
    for name in ("sqlite", "postgresql"):
        keys = ("schedules", "steps", "compared", "lost", "doubled", "seconds")
        table.add_row(name, *(f"{figures[f'{key}_{name}']:,.0f}" for key in keys))
    Console().print(table)
    taken = Table("step", "taken, on both")
    for step, count in steps.most_common():
        taken.add_row(step, f"{count:,}")
    Console().print(taken)


def main() -> None:
    """Print tables, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures, steps = measure(quick=given.quick)
    show(figures, steps)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
