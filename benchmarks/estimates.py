"""Error rates from what policies have people review: weighted by the stored π, and plainly averaged.

    python benchmarks/estimates.py [--quick] [--json]

Twice: on simulated decisions, and on those that a model makes of the weather, day by day for decades.

Simulated, each run: 20,000 decisions are routed by a policy file through `routing.route`, the function that
`hitl decide` calls, which gives every decision its route and its π and draws the spot checks from the key
and the decision's id. Confidence is Beta(6, 1.2), a decision is wrong with probability
0.62 * (1 - confidence), and people see what was routed to them or drawn. The log itself is left out: writing
40,000,000 rows would measure the disk. The policy reviews the doubtful 15 % and spot-checks 3 % of the
others; the true rate is 10.33 %.

Weather, each run: the ready recipe learns from 2,000 days and decides the 8,000 that follow, in their order
and with their drift; there are twenty such stretches, taken in turn. The policy reviews what is below the
confidence that 15 % of the days learned from did not reach, and spot-checks 3 % of the others; the truth is
the share of those 8,000 decisions that were wrong. Without the data set (HITL_TEST_DATA) this half is left
out and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import beta, norm

from hitl_mlops.decisions.model import align_columns
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws
from hitl_mlops.statistics.rates import aipw_rate, rate
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recipe import Recipe

SURE, DOUBT, ERROR = 6.0, 1.2, 0.62
TRUE_RATE = ERROR * DOUBT / (SURE + DOUBT)
DOUBTFUL, SPOT_CHECKS = 0.15, 0.03
DECISIONS, ALPHA = 20_000, 0.05
SEED = 20_260_302
IDS = [f"d_{number:024x}" for number in range(DECISIONS)]
WEATHER = Path(os.environ.get("HITL_TEST_DATA", "../shared/data")) / "weather" / "weather.csv"
STRETCHES, LEARNED_DAYS, DECIDED_DAYS = 20, 2_000, 8_000

Interval = tuple[float, float, float]


@dataclass(frozen=True)
class Stream:
    """Decisions in their order.

    Attributes:
        policy: that routes them.
        confidence: of each decision. Shape (decisions,).
        wrong: the decision was wrong.
        true_rate: what the intervals are to cover.
    """

    policy: Policy
    confidence: npt.NDArray[np.float64]
    wrong: npt.NDArray[np.bool_]
    true_rate: float


def policy_at(bound: float) -> Policy:
    """Below the bound people review, above it 3 % are drawn."""
    return parse_policy(f"""
routes:
  auto:     {{confidence: ">= {bound:.4f}"}}
  standard: {{confidence: "< {bound:.4f}"}}
spot_checks: {{auto: {SPOT_CHECKS}}}
""")


POLICY = policy_at(float(beta.ppf(DOUBTFUL, SURE, DOUBT)))


def simulated(rng: np.random.Generator) -> Stream:
    """A fresh stream of independent decisions."""
    confidence = rng.beta(SURE, DOUBT, DECISIONS)
    wrong = rng.random(DECISIONS) < ERROR * (1 - confidence)
    return Stream(POLICY, confidence, wrong, TRUE_RATE)


def weather_stretches() -> list[Stream]:
    """What a model that learned from some years of weather says of the next decades."""
    days = pd.read_csv(WEATHER).rename(columns={"target": "label"})
    inputs = tuple(name for name in days.columns if name != "label")
    starts = np.linspace(0, len(days) - LEARNED_DAYS - DECIDED_DAYS, STRETCHES).astype(int).tolist()
    return [_stretch(days.iloc[at : at + LEARNED_DAYS + DECIDED_DAYS], inputs) for at in starts]


def _stretch(days: pd.DataFrame, inputs: tuple[str, ...]) -> Stream:
    task = Task("weather", InputKind.TABLE, inputs, ("0", "1"))
    learned = days[:LEARNED_DAYS]
    none = np.zeros(len(learned), dtype=np.bool_)
    fitted = fit(learned, task, Recipe(), held_back=none, dataset_digest="", dataset_number=1)
    said = fitted.estimator.predict_proba(days[list(inputs)])
    probabilities = align_columns(said, fitted.estimator.classes_, task.classes)
    confidence = probabilities.max(axis=1)
    answered = np.asarray(task.classes)[probabilities.argmax(axis=1)]
    wrong = (answered != days["label"].astype(str).to_numpy())[LEARNED_DAYS:]
    bound = float(np.quantile(confidence[:LEARNED_DAYS], DOUBTFUL))
    return Stream(policy_at(bound), confidence[LEARNED_DAYS:], wrong, float(wrong.mean()))


def one_run(rng: np.random.Generator, stream: Stream) -> dict[str, Interval]:
    """Estimate, low and high of each estimator, each less the truth, under one policy key."""
    confidence, wrong = stream.confidence, stream.wrong
    ids = IDS[: len(confidence)]
    routes = route(stream.policy, pd.DataFrame({"confidence": confidence}), draws(rng.bytes(32), ids))
    reviewed = routes.signatures > 0
    hajek = rate(wrong, routes.pi, reviewed, alpha=ALPHA)
    augmented = aipw_rate(wrong, routes.pi, reviewed, confidence, alpha=ALPHA)
    found = {
        "": (hajek.value or 0.0, hajek.low or 0.0, hajek.high or 0.0),
        "aipw_": (augmented.value or 0.0, augmented.low or 0.0, augmented.high or 0.0),
        "naive_": plain_mean(wrong[reviewed]),
    }
    return {name: tuple(figure - stream.true_rate for figure in one) for name, one in found.items()}  # type: ignore[misc]


def plain_mean(wrong: npt.NDArray[np.bool_]) -> Interval:
    """The mean of what was reviewed, with the usual interval."""
    mean = float(wrong.mean())
    half = float(norm.isf(ALPHA / 2)) * (mean * (1 - mean) / wrong.size) ** 0.5
    return mean, mean - half, mean + half


def measure(runs: int) -> dict[str, float]:
    """All figures; bias and half width in points."""
    rng, start = np.random.default_rng(SEED), time.perf_counter()
    figures: dict[str, float] = {"runs": runs, "decisions": DECISIONS, "true_rate": round(TRUE_RATE, 6)}
    figures |= of_runs(runs, rng, lambda _: simulated(rng))
    if WEATHER.exists():
        stretches = weather_stretches()
        rates = [one.true_rate for one in stretches]
        found = of_runs(runs, rng, lambda run: stretches[run % STRETCHES])
        figures |= {f"weather_{name}": figure for name, figure in found.items()}
        figures |= {
            "weather_decisions": DECIDED_DAYS,
            "weather_true_rate_lowest": round(min(rates), 4),
            "weather_true_rate_highest": round(max(rates), 4),
        }
    return figures | {"seconds": round(time.perf_counter() - start, 1)}


def of_runs(runs: int, rng: np.random.Generator, stream: Callable[[int], Stream]) -> dict[str, float]:
    """The figures of so many runs, the number of each giving its stream."""
    found = [one_run(rng, stream(run)) for run in range(runs)]
    figures: dict[str, float] = {}
    for prefix in ("", "aipw_", "naive_"):
        value, low, high = np.array([one[prefix] for one in found]).T
        figures |= {
            f"{prefix}coverage": round(float(((low <= 0) & (high >= 0)).mean()), 4),
            f"{prefix}bias": round(100 * float(value.mean()), 3),
            f"{prefix}half_width": round(100 * float((high - low).mean()) / 2, 3),
        }
    return figures


def show(figures: dict[str, float]) -> None:
    """One table for each kind of stream."""
    show_stream(figures, "", f"{DECISIONS:,} simulated decisions, true rate {TRUE_RATE:.2%}")
    if "weather_coverage" not in figures:
        Console().print(f"The weather is left out: {WEATHER} is absent; set HITL_TEST_DATA.")
        return
    low, high = figures["weather_true_rate_lowest"], figures["weather_true_rate_highest"]
    title = f"{DECIDED_DAYS:,} days of weather, true rate {low:.1%} to {high:.1%}"
    show_stream(figures, "weather_", title)


def show_stream(figures: dict[str, float], stream: str, title: str) -> None:
    """One row for each estimator."""
    table = Table(
        "estimator",
        "95 % interval covers",
        "off by, points",
        "half width, points",
        title=f"{figures['runs']:,} runs of {title}",
    )
    rows = (
        ("weighted by 1/π (Hájek)", ""),
        ("with confidence (AIPW)", "aipw_"),
        ("mean of reviewed", "naive_"),
    )
    for name, prefix in rows:
        table.add_row(
            name,
            f"{figures[f'{stream}{prefix}coverage']:.4f}",
            f"{figures[f'{stream}{prefix}bias']:+.3f}",
            f"{figures[f'{stream}{prefix}half_width']:.2f}",
        )
    Console().print(table)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="200 runs")
    parser.add_argument("--json", action="store_true", help="one object of figures as the last line")
    given = parser.parse_args()
    figures = measure(200 if given.quick else 2_000)
    show(figures)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
