"""Error rates from what policies have people review: weighted by the stored π, and plainly averaged.

    python benchmarks/estimates.py [--quick] [--json]

Each run: 20,000 decisions are routed by a policy file through `routing.route`, the function that `hitl
decide` calls, which gives every decision its route and its π and draws the spot checks from the key and the
decision's id. Simulated: confidence is Beta(6, 1.2), a decision is wrong with probability
0.62 * (1 - confidence), and people see what was routed to them or drawn. The log itself is left out: writing
40,000,000 rows would measure the disk. The policy reviews the doubtful 15 % and spot-checks 3 % of the
others; the true rate is 10.33 %.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import beta, norm

from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.statistics.rates import aipw_rate, rate

SURE, DOUBT, ERROR = 6.0, 1.2, 0.62
TRUE_RATE = ERROR * DOUBT / (SURE + DOUBT)
DOUBTFUL, SPOT_CHECKS = 0.15, 0.03
DECISIONS, ALPHA = 20_000, 0.05
SEED = 20_260_302
BOUND = round(float(beta.ppf(DOUBTFUL, SURE, DOUBT)), 4)
POLICY = parse_policy(f"""
routes:
  auto:     {{confidence: ">= {BOUND}"}}
  standard: {{confidence: "< {BOUND}"}}
spot_checks: {{auto: {SPOT_CHECKS}}}
""")

Interval = tuple[float, float, float]


def one_run(rng: np.random.Generator, ids: list[str]) -> dict[str, Interval]:
    """Estimate, low and high of each estimator on one stream of decisions."""
    confidence = rng.beta(SURE, DOUBT, len(ids))
    wrong = rng.random(len(ids)) < ERROR * (1 - confidence)
    routes = route(POLICY, pd.DataFrame({"confidence": confidence}), ids, rng.bytes(32))
    reviewed = routes.signatures > 0
    hajek = rate(wrong, routes.pi, reviewed, alpha=ALPHA)
    augmented = aipw_rate(wrong, routes.pi, reviewed, confidence, alpha=ALPHA)
    return {
        "hajek": (hajek.value or 0.0, hajek.low or 0.0, hajek.high or 0.0),
        "aipw": (augmented.value or 0.0, augmented.low or 0.0, augmented.high or 0.0),
        "naive": plain_mean(wrong[reviewed]),
    }


def plain_mean(wrong: npt.NDArray[np.bool_]) -> Interval:
    """The mean of what was reviewed, with the usual interval."""
    mean = float(wrong.mean())
    half = float(norm.isf(ALPHA / 2)) * (mean * (1 - mean) / wrong.size) ** 0.5
    return mean, mean - half, mean + half


def measure(runs: int) -> dict[str, float]:
    """All figures; bias and half width in points."""
    rng, start = np.random.default_rng(SEED), time.perf_counter()
    ids = [f"d_{number:024x}" for number in range(DECISIONS)]
    found = [one_run(rng, ids) for _ in range(runs)]
    figures: dict[str, float] = {"runs": runs, "decisions": DECISIONS, "true_rate": round(TRUE_RATE, 6)}
    for name, prefix in (("hajek", ""), ("aipw", "aipw_"), ("naive", "naive_")):
        value, low, high = np.array([one[name] for one in found]).T
        covered = (low <= TRUE_RATE) & (high >= TRUE_RATE)
        figures |= {
            f"{prefix}coverage": round(float(covered.mean()), 4),
            f"{prefix}bias": round(100 * float(value.mean() - TRUE_RATE), 3),
            f"{prefix}half_width": round(100 * float((high - low).mean()) / 2, 3),
        }
    return figures | {"seconds": round(time.perf_counter() - start, 1)}


def show(figures: dict[str, float]) -> None:
    """One row for each estimator."""
    table = Table(
        "estimator",
        "95 % interval covers",
        "off by, points",
        "half width, points",
        title=f"{figures['runs']:,} runs of {DECISIONS:,} decisions, true rate {TRUE_RATE:.2%}",
    )
    rows = (
        ("weighted by 1/π (Hájek)", ""),
        ("with confidence (AIPW)", "aipw_"),
        ("mean of reviewed", "naive_"),
    )
    for name, prefix in rows:
        table.add_row(
            name,
            f"{figures[f'{prefix}coverage']:.4f}",
            f"{figures[f'{prefix}bias']:+.3f}",
            f"{figures[f'{prefix}half_width']:.2f}",
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
