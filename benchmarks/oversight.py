"""How soon a reviewer who stamps is found out by secret seeds, and how often one who checks is suspected.

    python benchmarks/oversight.py [--quick] [--json]

Simulated reviewers are given questions whose suggestion is known to be wrong, and catch each with a fixed
probability. After every seed one looks: `stamping_e` at alpha .01 against "catches 80 % or more". Told are
the median number of seeds to the alarm at catch rates of 20 to 70 % in 2,000 reviewers each (--quick: 400),
up to 1,000 seeds; and the share of 1,000 reviewers who catch just 80 % and are ever suspected in 1,000 seeds,
which is the hardest honest case, and of as many who catch 95 %.

Beside it what teams do: an exact binomial test of the same at .01, looked at after every seed.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.stats import binom

from hitl_mlops.statistics.catch_rate import ALARM_ALPHA, PROMISED, stamping_e

RATES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
HONEST = (PROMISED, 0.95)
SEEDS = 1_000
SEED = 20_261_121
FloatArray = npt.NDArray[np.float64]


def first_alarm(alarms: npt.NDArray[np.bool_]) -> FloatArray:
    """Seeds to each reviewer's first alarm; infinity where there is none."""
    return np.where(alarms.any(axis=1), alarms.argmax(axis=1) + 1.0, np.inf)


def ours(caught: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """After which seeds the evidence has reached its bound."""
    return stamping_e(caught)[:, 1:] >= 1 / ALARM_ALPHA


def tested_each_time(caught: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """After which seeds a binomial test speaks against the promise."""
    counts = np.cumsum(caught, axis=1)
    return np.asarray(binom.cdf(counts, np.arange(1, caught.shape[1] + 1), PROMISED) < ALARM_ALPHA)


def measure(*, quick: bool) -> dict[str, float]:
    """All figures."""
    rng, figures = np.random.default_rng(SEED), {}
    for rate in RATES:
        caught = rng.random((400 if quick else 2_000, SEEDS)) < rate
        figures[f"median_seeds_at_{rate * 100:.0f}"] = float(np.median(first_alarm(ours(caught))))
    for rate in HONEST:
        caught = rng.random((200 if quick else 1_000, SEEDS)) < rate
        name = "" if rate == PROMISED else f"_at_{rate * 100:.0f}"
        figures[f"false_alarm_frac{name}"] = float(ours(caught).any(axis=1).mean())
        figures[f"peer_false_alarm_frac{name}"] = float(tested_each_time(caught).any(axis=1).mean())
    return figures


def show(figures: dict[str, float]) -> None:
    """One row for each catch rate."""
    table = Table("catches", "median seeds to the alarm", "ever suspected", "by a test at every seed")
    for rate in RATES:
        table.add_row(f"{rate:.0%}", f"{figures[f'median_seeds_at_{rate * 100:.0f}']:g}", "", "")
    for rate in HONEST:
        name = "" if rate == PROMISED else f"_at_{rate * 100:.0f}"
        shares = (f"{figures[f'{who}false_alarm_frac{name}']:.1%}" for who in ("", "peer_"))
        table.add_row(f"{rate:.0%}", "", *shares)
    Console().print(table)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = measure(quick=given.quick)
    show(figures)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
