"""What a check says, and the words and comparisons that several checks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hitl_mlops.gates.evidence import ChallengerEvidence, FloatArray, JudgedCases
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.rates import Rate, difference, difference_of_all

SHOWN = 20
"""Names in a report's details at the most."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with the figure it rests on; fields as in `GateResult`."""

    verdict: Verdict
    reason: str
    figure: float | None = None
    bound: float | None = None
    interval: tuple[float, float] | None = None
    count: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
    asked: bool = True


def not_asked(reason: str, bound: float | None = None) -> Finding:
    """The project declares nothing that the gate could look at."""
    return Finding(Verdict.INCONCLUSIVE, reason, bound=bound, asked=False)


def labelled(evidence: ChallengerEvidence) -> JudgedCases:
    """Labelled rows that the challenger did not learn from: the only ones that may speak for it."""
    return evidence.cases.where(evidence.cases.held_back & evidence.cases.labelled)


def comparable(evidence: ChallengerEvidence) -> JudgedCases:
    """As `labelled`, and where all cases were gathered also those without a label."""
    cases = evidence.cases
    return cases.where(cases.held_back & (cases.labelled | cases.complete))


def change_of(cases: JudgedCases, alpha: float) -> Rate:
    """The challenger's error rate less the champion's, paired and weighted by 1/pi."""
    return paired_change(
        cases, cases.challenger_wrong.astype(np.float64), cases.champion_wrong.astype(np.float64), alpha
    )


def paired_change(cases: JudgedCases, ours: FloatArray, theirs: FloatArray, alpha: float) -> Rate:
    """What the challenger's answers cost more than the champion's, a case, weighted by 1/pi.

    Args:
        cases: the cases.
        ours: what each costs as the challenger answered, in [0, 1]; shape (len(cases),).
        theirs: as the champion answered.
        alpha: one minus the level of the interval.
    """
    if cases.complete:
        return difference_of_all(ours - theirs, cases.differs, cases.pi, cases.labelled, alpha=alpha)
    return difference(ours, theirs, cases.pi, cases.labelled, alpha=alpha)


def lack(cases: JudgedCases, count: int, needed: int, words: str) -> str:
    """Why nothing can be compared; empty where enough cases can."""
    if cases.champion is None:
        return "There is no champion to compare with."
    return f"{count} labelled {words} were held back; {needed} are needed." if count < needed else ""


def not_worse(change: Rate, margin: float) -> Verdict:
    """Pass where the whole interval lies below the margin, fail where it lies above; else neither."""
    if change.low is None or change.high is None:
        return Verdict.INCONCLUSIVE
    if change.high < margin:
        return Verdict.PASS
    return Verdict.FAIL if change.low > margin else Verdict.INCONCLUSIVE


def within(value: float, low: float, bound: float) -> Verdict:
    """Pass where the estimate keeps the bound, fail where it is proven to break it; else neither."""
    if value <= bound:
        return Verdict.PASS
    return Verdict.FAIL if low > bound else Verdict.INCONCLUSIVE


def points(value: float | None) -> str:
    """A share as points, with its sign."""
    return "unknown" if value is None else f"{100 * value:+.1f}"


def span(change: Rate, alpha: float) -> str:
    """The interval in words, `95 %: -1.2…+0.3`."""
    return f"{100 * (1 - alpha):.3g} %: {points(change.low)}…{points(change.high)}"


def rate_of(one: Rate) -> dict[str, Any]:
    """A rate as JSON values."""
    return {"value": one.value, "low": one.low, "high": one.high, "count": one.reviewed}
