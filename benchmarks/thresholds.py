"""How often a threshold breaks what it promised: picked by eye, and by Learn-then-Test.

    python benchmarks/thresholds.py [--quick] [--json]

A history of n decisions is drawn, a threshold is chosen so that at most 1 % of all decisions should be
automatic and wrong, and the true share is computed in closed form. Confidence is Beta(6, 1.2) and a decision
is wrong with probability 0.62 * (1 - confidence). By eye: the lowest threshold whose share in the history is
at most the target. Both choose among the same thresholds. "weighted": 3 % spot checks from confidence .92 on,
all below reviewed.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.stats import beta

from hitl_mlops.statistics.risk_control import THRESHOLDS, certify, past_decisions

TARGET, DELTA = 0.01, 0.05
SURE, DOUBT, ERROR = 6.0, 1.2, 0.62
SIZES = (500, 2_000, 10_000)
WEIGHTED_SIZE, SPOT_CHECKS, REVIEWED_BELOW = 20_000, 0.03, 0.92
SEED = 20_260_301


@dataclass(frozen=True)
class Chosen:
    """What a rule chose in every draw: the true slip rates and the shares that are automatic."""

    slips: npt.NDArray[np.float64]
    coverage: npt.NDArray[np.float64]

    @property
    def violations(self) -> float:
        """Share of draws in which the true slip rate is above the target."""
        return float((self.slips > TARGET).mean())


def true_slips(threshold: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of all decisions that are automatic and wrong: E[0.62 (1 - c) 1{c >= t}] for c ~ Beta."""
    mean = DOUBT / (SURE + DOUBT)
    return np.asarray(ERROR * mean * beta.sf(threshold, SURE, DOUBT + 1))


def by_eye(confidence: npt.NDArray[np.float64], wrong: npt.NDArray[np.bool_]) -> float:
    """The lowest threshold that looks good; above 1 where none does."""
    failed = np.sort(confidence[wrong])
    slips = failed.size - np.searchsorted(failed, THRESHOLDS, side="left")
    good = np.flatnonzero(slips <= TARGET * confidence.size)
    return float(THRESHOLDS[good[-1]])


def draw(rng: np.random.Generator, size: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Confidences, and which decisions are wrong."""
    confidence = rng.beta(SURE, DOUBT, size)
    return confidence, rng.random(size) < ERROR * (1 - confidence)


def chosen(thresholds: list[float | None]) -> Chosen:
    """What these thresholds truly do; nothing is automatic where none was found."""
    places = np.array([2.0 if one is None else one for one in thresholds])
    return Chosen(true_slips(places), np.asarray(beta.sf(places, SURE, DOUBT)))


def all_reviewed(rng: np.random.Generator, size: int, draws: int) -> tuple[Chosen, Chosen]:
    """Ours and by eye, where people reviewed every decision."""
    ours, eye = [], []
    for _ in range(draws):
        confidence, wrong = draw(rng, size)
        ours.append(certify(past_decisions(confidence, wrong), target=TARGET, delta=DELTA).threshold)
        eye.append(by_eye(confidence, wrong))
    return chosen(ours), chosen(list(eye))


def spot_checked(rng: np.random.Generator, size: int, draws: int) -> Chosen:
    """Ours, where few of the sure decisions were reviewed."""
    ours = []
    for _ in range(draws):
        confidence, wrong = draw(rng, size)
        pi = np.where(confidence >= REVIEWED_BELOW, SPOT_CHECKS, 1.0)
        reviewed = rng.random(size) < pi
        past = past_decisions(confidence, wrong & reviewed, reviewed, pi)
        ours.append(certify(past, target=TARGET, delta=DELTA).threshold)
    return chosen(ours)


def measure(draws: int) -> dict[str, float]:
    """All figures."""
    rng, start = np.random.default_rng(SEED), time.perf_counter()
    figures: dict[str, float] = {"draws": draws, "target": TARGET, "delta": DELTA}
    for size in SIZES:
        ours, eye = all_reviewed(rng, size, draws)
        figures |= {
            f"violations_ltt_{size}": ours.violations,
            f"violations_naive_{size}": eye.violations,
            f"coverage_ltt_{size}": round(float(ours.coverage.mean()), 4),
            f"coverage_naive_{size}": round(float(eye.coverage.mean()), 4),
        }
    weighted = spot_checked(rng, WEIGHTED_SIZE, draws)
    figures[f"violations_weighted_{WEIGHTED_SIZE}"] = weighted.violations
    figures[f"coverage_weighted_{WEIGHTED_SIZE}"] = round(float(weighted.coverage.mean()), 4)
    for rule in ("ltt", "naive"):
        figures[f"violations_{rule}"] = max(figures[f"violations_{rule}_{size}"] for size in SIZES)
    best = float(THRESHOLDS[np.flatnonzero(true_slips(THRESHOLDS) <= TARGET)[-1]])
    figures["coverage_possible"] = round(float(beta.sf(best, SURE, DOUBT)), 4)
    return figures | {"seconds": round(time.perf_counter() - start, 1)}


def show(figures: dict[str, float]) -> None:
    """One row for each size of the history."""
    table = Table(
        "decisions",
        "broken by eye",
        "broken by ours",
        "auto by eye",
        "auto by ours",
        title=f"Slips of at most {TARGET:.0%} promised, with probability {1 - DELTA:.0%}",
        caption=f"{figures['draws']:,} draws; {figures['coverage_possible']:.1%} could be automatic",
    )
    for size in SIZES:
        table.add_row(
            f"{size:,}",
            f"{figures[f'violations_naive_{size}']:.4f}",
            f"{figures[f'violations_ltt_{size}']:.4f}",
            f"{figures[f'coverage_naive_{size}']:.1%}",
            f"{figures[f'coverage_ltt_{size}']:.1%}",
        )
    table.add_row(
        f"{WEIGHTED_SIZE // 1_000}k weighted",
        "",
        f"{figures[f'violations_weighted_{WEIGHTED_SIZE}']:.4f}",
        "",
        f"{figures[f'coverage_weighted_{WEIGHTED_SIZE}']:.1%}",
    )
    Console().print(table)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="200 draws")
    parser.add_argument("--json", action="store_true", help="one object of figures as the last line")
    given = parser.parse_args()
    figures = measure(200 if given.quick else 10_000)
    show(figures)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
