"""The trail: what it finds and how fast it is, beside a plain hash chain.

Run from the repository: python benchmarks/trail.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.audit.checkpoint_file import FileCheckpoints
from hitl_mlops.audit.entry import Event, Kind, entry_body
from hitl_mlops.audit.keys import open_signer
from hitl_mlops.audit.sealing import Sealer
from hitl_mlops.audit.trail_sql import SqlTrail
from hitl_mlops.audit.verify import verify
from hitl_mlops.database.connect import Database
from tests.audit_room import NOON
from tests.trail_attacks import ATTACKS, HISTORY_SIZES, Bench, honest_histories

BATCH = 1_000


def an_entry(number: int) -> Event:
    """A decision as the gateway records it: two refs, a commitment, a route."""
    refs = {"decision": [f"dec_{number:024x}"], "policy": ["sha256:9f2c"]}
    return Event(
        Kind.DECISIONS_RECORDED, "gateway", NOON, refs, {"commitment": f"{number:064x}", "route": "auto"}
    )


def per_second(count: int, work: Callable[[], object]) -> float:
    """How many a second."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def measure_trail(folder: Path, singles: int, batched: int) -> dict[str, float]:
    """Speeds of the trail on SQLite, synchronous=FULL, in a file, with checkpoints in another file."""
    database = Database(f"sqlite:///{folder}/trail.db")
    database.create()
    signer = open_signer(folder / "trail.key", "hitl/benchmark")
    store = FileCheckpoints(folder / "checkpoints.txt")
    trail = SqlTrail(database, Sealer(signer, store))

    def one_by_one() -> None:
        for number in range(singles):
            trail.append([an_entry(number)])

    def in_batches() -> None:
        for start in range(0, batched, BATCH):
            trail.append([an_entry(number) for number in range(start, start + BATCH)])

    figures = {"entries_per_s": per_second(singles, one_by_one)}
    figures["batched_entries_per_s"] = per_second(batched, in_batches)
    trail.seal()
    found = []
    figures["verified_per_s"] = per_second(
        singles + batched, lambda: found.append(verify(trail, store, signer.verifier))
    )
    assert found[0].sound
    assert found[0].size == found[0].sealed == singles + batched
    database.close()
    return figures


def measure_chain(folder: Path, singles: int, batched: int) -> dict[str, float]:
    """Speeds of the plainest hash chain in SQLite, synchronous=FULL: body and link, no index, no proof."""
    connection = sqlite3.connect(folder / "chain.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE chain (sequence INTEGER PRIMARY KEY, body BLOB, link BLOB)")
    link = b""

    def append(start: int, count: int) -> None:
        nonlocal link
        rows = []
        for number in range(start, start + count):
            body = entry_body(number, an_entry(number))
            link = hashlib.sha256(link + body).digest()
            rows.append((number, body, link))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO chain VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")

    def check() -> None:
        before = b""
        for body, kept in connection.execute("SELECT body, link FROM chain ORDER BY sequence"):
            before = hashlib.sha256(before + body).digest()
            assert before == kept

    figures = {
        "chain_entries_per_s": per_second(singles, lambda: [append(at, 1) for at in range(singles)]),
        "chain_batched_entries_per_s": per_second(
            batched, lambda: [append(singles + at, BATCH) for at in range(0, batched, BATCH)]
        ),
        "chain_verified_per_s": per_second(singles + batched, check),
    }
    connection.close()
    return figures


def attack_all(mutations: int) -> list[tuple[str, int, int]]:
    """By class of attack: its name, how many we found and named, how many the plain chain found."""
    bench = Bench(HISTORY_SIZES)
    return [
        (
            attack.__name__,
            sum(bench.found_and_named(attack, seed) for seed in range(mutations)),
            sum(bench.chain_finds(attack, seed) for seed in range(mutations)),
        )
        for attack in ATTACKS
    ]


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    mutations, singles, batched = (100, 500, 20_000) if given.quick else (1_000, 5_000, 200_000)

    with tempfile.TemporaryDirectory() as folder:
        ours = measure_trail(Path(folder), singles, batched)
        chain = measure_chain(Path(folder), singles, batched)
    attacks = attack_all(mutations)
    alarms = sum(not found.sound for found in honest_histories(mutations))

    figures = {
        "attacks_found": sum(found for _, found, _ in attacks),
        "attacks_tried": mutations * len(attacks),
        "attack_classes": len(attacks),
        "chain_attacks_found": sum(found for _, _, found in attacks),
        "honest_histories": mutations,
        "false_alarms": alarms,
        **{name: round(value) for name, value in (ours | chain).items()},
    }
    show(figures, attacks, mutations)
    if given.json:
        print(json.dumps(figures))


def show(figures: dict[str, float], attacks: list[tuple[str, int, int]], mutations: int) -> None:
    """Two tables: what is found, and how fast."""
    console = Console()
    found = Table(
        "attack", "trail: found and named", "plain hash chain: found", title=f"{mutations} mutations each"
    )
    for name, ours, theirs in attacks:
        found.add_row(name.replace("_", " "), f"{ours}", f"{theirs}")
    found.add_row("false alarms on honest histories", f"{figures['false_alarms']}", "")
    console.print(found)
    speed = Table(
        "entries a second", "trail", "plain hash chain", title="SQLite, synchronous=FULL, in a file"
    )
    for title, name in (
        ("one by one", "entries_per_s"),
        (f"in batches of {BATCH:,}", "batched_entries_per_s"),
        ("verified", "verified_per_s"),
    ):
        speed.add_row(title, f"{figures[name]:,}", f"{figures[f'chain_{name}']:,}")
    console.print(speed)


if __name__ == "__main__":
    main()
