"""The drift gate beside plain Evidently: how fast, which verdicts, and how often it cries wolf.

    python benchmarks/drift_gate.py [--quick] [--json]

Plain is `Report([DataDriftPreset()])` on every row of both sides; ours is `EvidentlyMeasures`: Evidently on
50,000 stratified rows a side, its verdict kept where the permutation null at that size agrees, corrected over
all columns; its time has the page in it, plain's has not.

Twenty columns: normal, lognormal, Student-t and bounded numbers, whole numbers, categories of 2 to 200
values, and gaps. Two pairs of samples are compared: one without drift, one where columns drifted by shift,
scale, new category, changed shares and gaps, from a third of the size at which Evidently speaks to six times
of it.

What "same verdicts" means. Above 1,000 rows Evidently calls a column moved when its distance is .1 or more,
and on a million rows that distance is known to the third digit. So a sample must say the same of every column
that is not on the edge: `verdicts_equal_frac` is the share, over both pairs, of columns on which ours is
plain's. A column within .015 of .1 on all rows is on the edge, where a sample may say either; those are
counted apart (`verdicts_on_the_edge`, `verdicts_on_the_edge_equal`). Left out are the two columns of which
only the gaps changed: plain Evidently drops missing values and cannot see them (`gaps_seen`,
`gaps_seen_plain`). Up to 1,000 rows Evidently compares p-values with .05, column by column, and takes the
reference of a category for exact; its verdict there is mostly chance, and nothing to equal: false alarms are
counted instead.

False alarms: share of runs without drift in which any of the twenty columns is called moved, both sides
drawn anew in each run. Ours needs the null and Evidently to agree, so Evidently is asked only in runs where
the null says something: the alarm is the same, most runs are faster. `false_alarm_max` is the largest of the
four sizes; `…_low` and `…_high` bound each with 95 % (Clopper & Pearson 1934). With --quick, fewer rows and a
few runs: whether it works, and no figure.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from hitl_mlops.gates.measures_evidently import EvidentlyMeasures
from hitl_mlops.gates.measures_plain import beyond_chance
from hitl_mlops.gates.measures_sample import MAX_ROWS, comparable

SEED = 20_260_301
EDGE, THRESHOLD = 0.015, 0.1
SIZES = (100, 1_000, 100_000, 1_000_000)
GAPS_ONLY = ("income with gaps", "region with gaps")

Draw = Callable[[np.random.Generator, int], Any]


def numbers(draw: Draw, gaps: float = 0.0) -> Draw:
    """A column of numbers, a share of them missing."""

    def column(rng: np.random.Generator, rows: int) -> npt.NDArray[np.float64]:
        values = np.asarray(draw(rng, rows), dtype=float)
        if gaps:
            values[rng.random(rows) < gaps] = np.nan
        return values

    return column


def words(shares: npt.ArrayLike, gaps: float = 0.0) -> Draw:
    """A column of categories with these shares, a share of them missing."""
    chances = np.asarray(shares, dtype=float) / np.sum(shares)
    names = np.array([f"kind {place:03d}" for place in range(chances.size)] + [None], dtype=object)

    def column(rng: np.random.Generator, rows: int) -> npt.NDArray[np.object_]:
        codes = np.searchsorted(np.cumsum(chances)[:-1], rng.random(rows), side="right")
        if gaps:
            codes[rng.random(rows) < gaps] = chances.size
        return np.asarray(names[codes])

    return column


def normal(mean: float = 0.0, scale: float = 1.0, gaps: float = 0.0) -> Draw:
    """A normal column."""
    return numbers(lambda rng, rows: rng.normal(mean, scale, rows), gaps)


def lognormal(mean: float = 0.0, sigma: float = 1.0) -> Draw:
    """A column with a heavy tail on one side."""
    return numbers(lambda rng, rows: rng.lognormal(mean, sigma, rows))


def student(shift: float = 0.0, scale: float = 1.0) -> Draw:
    """A column with heavy tails: Student's t with three degrees of freedom."""
    return numbers(lambda rng, rows: shift + scale * rng.standard_t(3, rows))


def counts(rate: float) -> Draw:
    """A column of whole numbers, many of them equal."""
    return numbers(lambda rng, rows: rng.poisson(rate, rows))


ZIPF = 1 / np.arange(1, 201)
STEADY: dict[str, Draw] = {
    "normal 1": normal(),
    "normal 2": normal(50, 12),
    "normal 3": normal(),
    "normal 4": normal(),
    "normal 5": normal(),
    "amount": lognormal(3, 1),
    "duration": lognormal(0, 0.7),
    "return 1": student(),
    "return 2": student(),
    "visits": counts(3.0),
    "children": counts(0.8),
    "yes or no": words([0.7, 0.3]),
    "channel": words([0.5, 0.3, 0.2]),
    "product": words(np.ones(8)),
    "branch": words(np.arange(1, 31)),
    "place": words(ZIPF),
    "age with gaps": normal(40, 10, gaps=0.1),
    "income with gaps": normal(gaps=0.1),
    "region with gaps": words(np.ones(5), gaps=0.05),
    "score": numbers(lambda rng, rows: rng.beta(6, 1.2, rows)),
}
DRIFTED: dict[str, Draw] = STEADY | {
    "normal 2": normal(50 + 12 * 0.05, 12),  # a shift half as large as what Evidently speaks of
    "normal 3": normal(0.2),
    "normal 4": normal(0.5),
    "normal 5": normal(0, 1.35),
    "amount": lognormal(3.2, 1.1),
    "return 2": student(0.4),
    "visits": counts(3.5),
    "yes or no": words([0.67, 0.33]),  # changed shares, too little to speak of
    "channel": words([0.3, 0.3, 0.4]),
    "product": words([*np.ones(8), 0.6]),  # a new category
    "place": words(ZIPF[::-1]),
    "income with gaps": normal(gaps=0.3),
    "region with gaps": words(np.ones(5), gaps=0.25),
}


def draw(columns: dict[str, Draw], rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """One sample."""
    return pd.DataFrame({name: column(rng, rows) for name, column in columns.items()})


@dataclass(frozen=True)
class Timed:
    """Verdicts by column, plain's distances, and what they took."""

    moved: dict[str, bool]
    scores: dict[str, float]
    seconds: float
    cpu_seconds: float


def plain_evidently(reference: pd.DataFrame, current: pd.DataFrame) -> Timed:
    """Evidently's preset on all rows."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    start, cpu = time.perf_counter(), time.process_time()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
    took = time.perf_counter() - start, time.process_time() - cpu
    moved, scores = {}, {}
    for one in found:
        config = one["config"]
        if "column" in config:
            score, limit = float(one["value"]), config["threshold"]
            moved[config["column"]] = score <= limit if "p_value" in config["method"] else score >= limit
            scores[config["column"]] = score
    return Timed(moved, scores, *took)


def ours(reference: pd.DataFrame, current: pd.DataFrame) -> Timed:
    """The gate's measure, its page drawn too."""
    start, cpu = time.perf_counter(), time.process_time()
    found = EvidentlyMeasures().drift(reference, current)
    took = time.perf_counter() - start, time.process_time() - cpu
    moved = {one.column: one.drifted for one in found.columns}
    return Timed(moved, {one.column: one.score for one in found.columns}, *took)


def compared(rng: np.random.Generator, rows: int, table: Table) -> dict[str, float]:
    """Speed and verdicts on both pairs."""
    reference = draw(STEADY, rng, rows)
    pairs = {}
    for word, columns in (("no drift", STEADY), ("drift", DRIFTED)):
        current = draw(columns, rng, rows)
        pairs[word] = plain_evidently(reference, current), ours(reference, current)
    equal, edge = [], []
    for word, (theirs, found) in pairs.items():
        for name in STEADY:
            same, score = found.moved[name] == theirs.moved[name], theirs.scores[name]
            on_edge = rows > 1_000 and abs(score - THRESHOLD) < EDGE
            if word == "drift" and name in GAPS_ONLY:
                continue
            (edge if on_edge else equal).append(same)
            if not same or on_edge or (word == "drift" and name in DRIFTED and theirs.moved[name]):
                told = [word, name, f"{score:.3f}", _word(theirs.moved[name]), _word(found.moved[name])]
                table.add_row(*told, "on the edge" if on_edge else "")
    plain_s, ours_s = (min(pair[side].seconds for pair in pairs.values()) for side in (0, 1))
    plain_cpu_s, ours_cpu_s = (min(pair[side].cpu_seconds for pair in pairs.values()) for side in (0, 1))
    theirs, found = pairs["drift"]
    return {
        "rows": rows,
        "columns": len(STEADY),
        "seconds_plain": round(plain_s, 2),
        "seconds_ours": round(ours_s, 2),
        "speedup": round(plain_s / ours_s, 1),
        "speedup_cpu": round(plain_cpu_s / ours_cpu_s, 1),
        "verdicts_equal_frac": round(float(np.mean(equal)), 4),
        "verdicts": len(equal),
        "verdicts_on_the_edge": len(edge),
        "verdicts_on_the_edge_equal": int(sum(edge)),
        "moved_plain": sum(theirs.moved.values()),
        "moved_ours": sum(found.moved.values()),
        "gaps_seen": sum(found.moved[name] for name in GAPS_ONLY),
        "gaps_seen_plain": sum(theirs.moved[name] for name in GAPS_ONLY),
    }


def alarmed(reference: pd.DataFrame, current: pd.DataFrame) -> bool:
    """Any column is called moved; Evidently is asked where the null does not exclude it."""
    found = beyond_chance(*comparable(reference, current, MAX_ROWS))
    if not any(one.values_moved or one.gaps_moved for one in found.values()):
        return False
    return any(ours(reference, current).moved.values())


def false_alarms(
    rng: np.random.Generator,
    rows: int,
    runs: int,
    within_s: float,
    alarm: Callable[[pd.DataFrame, pd.DataFrame], bool],
) -> tuple[int, int]:
    """Runs with an alarm, and runs: as many as wanted, or as fit into the time."""
    alarms, done, start = 0, 0, time.perf_counter()
    while done < runs and (done == 0 or time.perf_counter() - start < within_s):
        alarms += alarm(draw(STEADY, rng, rows), draw(STEADY, rng, rows))
        done += 1
    return alarms, done


def measure(*, quick: bool, table: Table) -> dict[str, float]:
    """All figures."""
    rng, start = np.random.default_rng(SEED), time.perf_counter()
    small = [draw(STEADY, rng, 200) for _ in range(2)]
    plain_evidently(*small)  # imports, so that neither is timed with them
    ours(*small)
    figures = compared(rng, 50_000 if quick else 1_000_000, table)
    figures |= alarms_by_size(rng, quick=quick)
    return figures | {"seconds": round(time.perf_counter() - start, 1)}


def alarms_by_size(rng: np.random.Generator, *, quick: bool) -> dict[str, float]:
    """False alarms per run at each size, ours and up to 1,000 rows also plain Evidently's."""
    figures: dict[str, float] = {}
    budget = (3.0, 3.0, 3.0, 3.0) if quick else (120.0, 240.0, 240.0, 360.0)
    for rows, wanted, within_s in zip(SIZES, (1_000, 1_000, 400, 400), budget, strict=True):
        alarms, runs = false_alarms(rng, rows, wanted, within_s, alarmed)
        figures |= _share(f"false_alarm_{rows}", alarms, runs)
        if rows <= 1_000:
            plain_s = 3.0 if quick else 60.0
            alarms, runs = false_alarms(rng, rows, 100, plain_s, lambda a, b: _any(plain_evidently(a, b)))
            figures |= _share(f"false_alarm_plain_{rows}", alarms, runs)
    figures["false_alarm_max"] = max(figures[f"false_alarm_{rows}"] for rows in SIZES)
    return figures


def _any(found: Timed) -> bool:
    return any(found.moved.values())


def _share(key: str, alarms: int, runs: int) -> dict[str, float]:
    interval = binomtest(alarms, runs).proportion_ci(method="exact")
    ends = {f"{key}_low": round(interval.low, 4), f"{key}_high": round(interval.high, 4)}
    return {key: round(alarms / runs, 4), f"{key}_runs": runs} | ends


def _word(moved: bool) -> str:
    return "moved" if moved else "-"


def show(figures: dict[str, float], verdicts: Table) -> None:
    """The verdicts that say something, and one row for each size."""
    verdicts.caption = (
        f"{figures['rows']:,} rows: plain {figures['seconds_plain']} s, ours {figures['seconds_ours']} s, "
        f"{figures['speedup']} times as fast; {figures['verdicts_equal_frac']:.1%} of {figures['verdicts']} "
        f"verdicts equal; columns with other gaps seen: plain {figures['gaps_seen_plain']}, "
        f"ours {figures['gaps_seen']} of {len(GAPS_ONLY)}"
    )
    alarms = Table("rows", "plain Evidently", "ours", "95 % interval", "runs", title="False alarms per run")
    for rows in SIZES:
        key, plain = f"false_alarm_{rows}", figures.get(f"false_alarm_plain_{rows}")
        alarms.add_row(
            f"{rows:,}",
            "" if plain is None else f"{plain:.1%} of {figures[f'false_alarm_plain_{rows}_runs']}",
            f"{figures[key]:.1%}",
            f"{figures[f'{key}_low']:.1%} to {figures[f'{key}_high']:.1%}",
            f"{figures[f'{key}_runs']:,}",
        )
    for one in (verdicts, alarms):
        Console().print(one)


def main() -> None:
    """Print two tables, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="50,000 rows and a few runs")
    parser.add_argument("--json", action="store_true", help="one object of figures as the last line")
    given = parser.parse_args()
    verdicts = Table("pair", "column", "distance, all rows", "plain", "ours", "", title="Verdicts")
    figures = measure(quick=given.quick, table=verdicts)
    show(figures, verdicts)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
