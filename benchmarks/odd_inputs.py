"""Rows like the base data that the input guard refuses, odd rows that it sees, and what it costs.

    python benchmarks/odd_inputs.py [--quick] [--json]

Ours: `decisions.odd` at its default rate of 0.001. Peer: scikit-learn's IsolationForest with
`contamination=0.001`, learned from all rows of the same base. The rows:

- digits: the demo's 500 known cheques; then its stream, where the new scanner is to be decided, negatives,
  and images on their side
- weather: 5,000 days; then the 36 years that follow as they were, with one temperature in Celsius, with two
  columns swapped, and with every column shuffled for itself
- banking77: 10,003 questions; then 3,080 others as they were, read backwards, and with their letters shuffled
- promise: bases of weather drawn at random; refused of all other days, without the margin (`exact`) and
  with it, on average
- speed: 100,000 rows of 20 numbers

What needs a data set that is absent (HITL_TEST_DATA) is left out and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import IsolationForest

from hitl_mlops.decisions.odd import OddGuard, OddPolicy, learn_guard, odd_rows
from hitl_mlops.decisions.schema import learn_schema
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.demo.cheques import SIDE, cheques

DATA = Path(os.environ.get("HITL_TEST_DATA", "../shared/data"))
RATE = OddPolicy().rate
SEED = 20_261_121
BASES = (50, 200, 1_000, 5_000)
ROWS, COLUMNS, BEST_OF = 100_000, 20, 5

Rows = dict[str, pd.DataFrame]
Judge = Callable[[pd.DataFrame], float]


def guard_of(base: pd.DataFrame, kind: InputKind, policy: OddPolicy | None = None) -> OddGuard:
    """Learned from a table that holds inputs only."""
    task = Task("benchmark", kind, tuple(base.columns), ("a", "b"))
    return learn_guard(base, task, learn_schema(base, task), policy or OddPolicy())


def refused(rows: pd.DataFrame, guard: OddGuard) -> float:
    """The share of rows that are odd."""
    nothing = np.zeros(len(rows), dtype=np.bool_)
    return float(np.logical_or.reduce([nothing, *odd_rows(rows, guard).values()]).mean())


def forest(base: pd.DataFrame) -> Judge:
    """The share of rows that the peer calls outliers."""
    fitted = IsolationForest(contamination=RATE, random_state=0).fit(base.to_numpy())
    return lambda rows: float((fitted.predict(rows.to_numpy()) < 0).mean())


def digits() -> tuple[pd.DataFrame, Rows]:
    """Pixels of the demo's cheques."""
    data = cheques()
    pixels = [name for name in data.base.columns if name.startswith("pixel")]
    stream = data.stream[pixels]
    old, new = stream[: data.new_scanner_from], stream[data.new_scanner_from :]
    images = old.to_numpy().reshape(-1, SIDE, SIDE)
    side = pd.DataFrame(images.transpose(0, 2, 1)[:, :, ::-1].reshape(len(old), -1), columns=pixels)
    return data.base[pixels], {"old_scanner": old, "new_scanner": new, "negative": 16 - old, "on_side": side}


def weather() -> tuple[pd.DataFrame, Rows]:
    """Eight numbers a day."""
    days = pd.read_csv(DATA / "weather" / "weather.csv").drop(columns="target")
    base, later = days[:5_000], days[5_000:]
    rng, swapped = np.random.default_rng(SEED), later.copy()
    swapped[["feat_1", "feat_4"]] = later[["feat_4", "feat_1"]].to_numpy()
    return base, {
        "later_years": later,
        "celsius": later.assign(feat_1=(later["feat_1"] - 32) * 5 / 9),
        "swapped": swapped,
        "shuffled": later.apply(lambda column: rng.permutation(column.to_numpy())),
    }


def banking77() -> tuple[pd.DataFrame, Rows]:
    """Questions of bank customers."""
    base, fresh = (pd.read_csv(DATA / "banking77" / f"{one}.csv")[["text"]] for one in ("train", "test"))
    rng = np.random.default_rng(SEED)
    shuffled = fresh["text"].map(lambda text: "".join(rng.permutation(list(text))))
    return base, {
        "others": fresh,
        "backwards": fresh.assign(text=fresh["text"].str[::-1]),
        "letters_shuffled": fresh.assign(text=shuffled),
    }


def promise(draws: int) -> dict[str, float]:
    """Refused on average of what the base is a sample of, beside the rate that was promised."""
    days = pd.read_csv(DATA / "weather" / "weather.csv").drop(columns="target")
    figures: dict[str, float] = {}
    for size in BASES:
        found = []
        for draw in range(draws):
            order = np.random.default_rng([SEED, draw]).permutation(len(days))
            base, rest = days.iloc[order[:size]], days.iloc[order[size:]]
            exact = guard_of(base, InputKind.TABLE, OddPolicy(margin=0.0))
            widened = guard_of(base, InputKind.TABLE)
            found.append((exact.rate, refused(rest, exact), refused(rest, widened)))
        promised, exactly, with_margin = np.mean(found, axis=0)
        figures |= {
            f"promise_{size}": round(float(promised), 5),
            f"exact_{size}": round(float(exactly), 5),
            f"refused_{size}": round(float(with_margin), 5),
        }
    return figures


def speed() -> dict[str, float]:
    """Microseconds a row, the best of five."""
    rng = np.random.default_rng(SEED)
    rows = pd.DataFrame(rng.normal(size=(ROWS, COLUMNS)) @ rng.normal(size=(COLUMNS, COLUMNS)))
    rows.columns = pd.Index([f"x{place}" for place in range(COLUMNS)])
    start = time.perf_counter()
    guard = guard_of(rows[:20_000], InputKind.TABLE)
    figures = {"learn_s": round(time.perf_counter() - start, 3)}
    ours, few_gaps = rows, rows.mask(rng.random(rows.shape) < 0.02)
    judge = forest(rows[:20_000])
    for name, call in (
        ("us_per_row", lambda: refused(ours, guard)),
        ("us_per_row_2_percent_missing", lambda: refused(few_gaps, guard)),
        ("forest_us_per_row", lambda: judge(ours)),
    ):
        figures[name] = round(min(_seconds(call) for _ in range(BEST_OF)) / ROWS * 1e6, 3)
    return figures


def _seconds(call: Callable[[], float]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(draws: int) -> dict[str, float]:
    """All figures; shares of rows, `forest_` those of the peer."""
    figures: dict[str, float] = {"rate": RATE}
    known = {"digits": (digits, InputKind.IMAGE), "weather": (weather, InputKind.TABLE)}
    for name, (read, kind) in (known | {"banking77": (banking77, InputKind.TEXT)}).items():
        if name != "digits" and not (DATA / name).exists():
            Console().print(f"{name} is left out: {DATA / name} is absent; set HITL_TEST_DATA.")
            continue
        base, rows = read()
        guard, judge = guard_of(base, kind), None if kind is InputKind.TEXT else forest(base)
        for which, asked in rows.items():
            figures[f"{name}_{which}"] = round(refused(asked, guard), 5)
            if judge is not None:
                figures[f"forest_{name}_{which}"] = round(judge(asked), 5)
        if name == "weather":
            figures |= promise(draws)
    return figures | speed()


def show(figures: dict[str, float]) -> None:
    """Every figure beside the peer's, where it has one."""
    table = Table("figure", "ours", "IsolationForest", title="shares of rows refused; microseconds a row")
    for name, figure in figures.items():
        if not name.startswith("forest_"):
            peer = figures.get(f"forest_{name}")
            table.add_row(name, f"{figure:g}", "" if peer is None else f"{peer:g}")
    Console().print(table)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="5 draws")
    parser.add_argument("--json", action="store_true", help="one object of figures as the last line")
    given = parser.parse_args()
    figures = measure(5 if given.quick else 100)
    show(figures)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
