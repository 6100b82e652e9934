"""Routing a million decisions at once, beside a plain loop over rows.

Run from the repository: python benchmarks/routing.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.policy_file import read_policy
from hitl_mlops.routing.route import Routes, route
from hitl_mlops.routing.sampling import draws

KEY = b"k" * 32
TRIES = 5
CONFIGS = Path(__file__).parent.parent / "configs"
STOLEN = ("lost_or_stolen_card", "compromised_card", "card_swallowed")
CLASSES = 77
"""Intents of the customers' messages that the tickets policy is for."""


def some_cases(count: int, *, surest: float) -> tuple[pd.DataFrame, list[str]]:
    """So many decisions with their ids: confidences from .2 up to 1, a share above .9, one label of 77."""
    rng = np.random.default_rng(7)
    confidence = np.where(
        rng.random(count) < surest, rng.uniform(0.9, 1, count), rng.uniform(0.2, 0.9, count)
    )
    names = np.array(
        [*STOLEN, *(f"intent_{number}" for number in range(CLASSES - len(STOLEN)))], dtype=object
    )
    columns = pd.DataFrame({"confidence": confidence, "label": names[rng.integers(0, CLASSES, count)]})
    return columns, [f"d_{number:024x}" for number in range(count)]


def plain_loop(columns: pd.DataFrame, ids: list[str]) -> list[tuple[Any, ...]]:
    """The tickets policy as one would write it down by hand, a row at a time; what `Routes` says of each."""
    answers = []
    for confidence, label, decision_id in zip(columns["confidence"], columns["label"], ids, strict=True):
        level, reasons = 0, []
        if not 0 <= confidence <= 1:
            level, reasons = 2, ["the model gave no usable answer → senior"]
        if label in STOLEN:
            level = 2
            reasons.append("rule: a stolen card is never left to a model → senior")
        tier = 0 if confidence >= 0.8 else 1 if confidence >= 0.4 else 2
        reasons.append(f"confidence → {('auto', 'standard', 'senior')[tier]}")
        level = max(level, tier)
        drawn = level == 0 and fraction(decision_id) < 0.03
        pi = 1.0 if level else 0.03
        asked = 1 if level or drawn else 0
        answers.append((("auto", "standard", "senior")[level], tuple(reasons), pi, drawn, asked))
    return answers


def fraction(case_id: str) -> float:
    """`sampling.draws` of the id, with the standard library."""
    raw = case_id.encode()
    digest = hashlib.blake2b(len(raw).to_bytes(8, "big") + raw, key=KEY, digest_size=32).digest()
    return int.from_bytes(digest[12:19], "big") / 2**56


def same(ours: Routes, theirs: list[tuple[Any, ...]]) -> bool:
    """Both say the same of every row."""
    columns = (ours.route, ours.reasons, ours.pi, ours.spot_check, ours.signatures)
    return list(zip(*(column.tolist() for column in columns), strict=True)) == theirs


def per_second(count: int, work: Callable[[], object]) -> tuple[float, float]:
    """How many a second: of the best of five tries, and of the middle one."""
    times = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    times.sort()
    return count / times[0], count / times[TRIES // 2]


def measure(tickets: Policy, weather: Policy, rows: int, peer_rows: int) -> dict[str, float]:
    """Decisions a second, median of five, on one core; what is automatic costs a keyed draw each."""
    figures: dict[str, float] = {}
    columns, ids = some_cases(rows, surest=0.3)
    few, few_ids = columns.head(peer_rows), ids[:peer_rows]
    assert same(route(tickets, few, draws(KEY, few_ids)), plain_loop(few, few_ids))
    routes = route(tickets, columns, draws(KEY, ids))
    figures["automatic_share"] = round(float((routes.route == "auto").mean()), 3)
    figures["best_decisions_per_s"], figures["decisions_per_s"] = per_second(
        rows, lambda: route(tickets, columns, draws(KEY, ids))
    )
    _, figures["weather_decisions_per_s"] = per_second(rows, lambda: route(weather, columns, draws(KEY, ids)))
    sure, sure_ids = some_cases(rows, surest=1.0)
    _, figures["all_automatic_decisions_per_s"] = per_second(
        rows, lambda: route(weather, sure, draws(KEY, sure_ids))
    )
    doubtful = sure.assign(confidence=0.5)
    _, figures["none_automatic_decisions_per_s"] = per_second(
        rows, lambda: route(weather, doubtful, draws(KEY, sure_ids))
    )
    _, figures["peer_decisions_per_s"] = per_second(peer_rows, lambda: plain_loop(few, few_ids))
    figures["ratio"] = round(figures["decisions_per_s"] / figures["peer_decisions_per_s"], 1)
    return {name: figure if figure < 1000 else round(figure) for name, figure in figures.items()}


def show(figures: dict[str, float], rows: int, peer_rows: int) -> None:
    """One table."""
    drawn = Table("decisions a second", "", title="routing on one core, median of five")
    for title, name in (
        (f"tickets policy, {rows:,} at once, {figures['automatic_share']:.0%} automatic", "decisions_per_s"),
        ("the same, best of five", "best_decisions_per_s"),
        ("weather policy", "weather_decisions_per_s"),
        ("weather policy, all automatic: a keyed draw each", "all_automatic_decisions_per_s"),
        ("weather policy, none automatic", "none_automatic_decisions_per_s"),
        (f"plain loop by hand, tickets policy, {peer_rows:,} rows", "peer_decisions_per_s"),
    ):
        drawn.add_row(title, f"{figures[name]:,}")
    drawn.add_row("times the plain loop", f"{figures['ratio']:g}")
    Console().print(drawn)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows, peer_rows = (100_000, 5_000) if given.quick else (1_000_000, 20_000)
    tickets, weather = (read_policy(CONFIGS / name / "policy.yaml") for name in ("tickets", "weather"))
    figures = measure(tickets, weather, rows, peer_rows)
    show(figures, rows, peer_rows)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
