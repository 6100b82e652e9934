"""From which confidence on decisions may be automatic, by what people said of past ones, and its cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from hitl_mlops.statistics.rates import Rate, rate
from hitl_mlops.statistics.risk_control import (
    THRESHOLDS,
    Certificate,
    PastDecisions,
    certify,
    decisions_needed,
)

CURVE_POINTS = 41


class Verdict(StrEnum):
    """Whether a threshold may be promised."""

    CERTIFIED = "certified"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Setting:
    """What one threshold would have meant for the past decisions.

    Attributes:
        threshold: automatic from this confidence on.
        coverage: share of the decisions that would have been automatic, in [0, 1].
        slips: automatic and wrong, over all decisions, by the labels there are, with its 95 % interval.
        certified: the slip rate is proven to be at most the target.
    """

    threshold: float
    coverage: float
    slips: Rate
    certified: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """What would be needed to prove a threshold, if things go on as seen; an estimate for planning.

    Attributes:
        threshold: the one in question.
        decisions: how many more.
        labels: how many more, those awaited among them.
    """

    threshold: float
    decisions: int
    labels: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """The threshold that is proven, beside the present one.

    Attributes:
        verdict: certified, or inconclusive.
        reason: one sentence with the figures.
        target: the slip rate that is promised, over all decisions.
        delta: probability of a false promise.
        proposed: the lowest threshold that is proven; None where none is.
        present: what the policy says now.
        missing: what would prove the present threshold, or else the surest decisions; None where something
            is proven, or where no number of labels would do.
        decisions: how many the figures speak of.
        labels: how many of them have a label.
        awaited: how many were to be reviewed and have none yet; they count as wrong in the proof, and are
            left out of the rates.
        exact: proven by binomial tails; otherwise by a bet on weighted labels.
        curve: rising thresholds, for a drawing.
    """

    verdict: Verdict
    reason: str
    target: float
    delta: float
    proposed: Setting | None
    present: Setting
    missing: Missing | None
    decisions: int
    labels: int
    awaited: int
    exact: bool
    curve: tuple[Setting, ...]

    @property
    def coverage_change(self) -> float | None:
        """Share of decisions that would become automatic, negative where they would go to people."""
        return None if self.proposed is None else self.proposed.coverage - self.present.coverage


def calibrate(past: PastDecisions, *, present: float, target: float, delta: float) -> Calibration:
    """The lowest threshold whose slip rate is proven to be at most `target`, and its cost.

    Args:
        past: decisions of the model in question (`risk_control.past_decisions`); none is inconclusive.
        present: the confidence from which the policy lets decisions through now.
        target: slip rate over all decisions, in (0, 1).
        delta: probability of a false promise, in (0, 1).

    Raises:
        InputError: target or delta is outside (0, 1).

    >>> from hitl_mlops.statistics.risk_control import past_decisions
    >>> past = past_decisions([0.95] * 300 + [0.6] * 100, [False] * 300 + [True] * 100)
    >>> found = calibrate(past, present=0.99, target=0.01, delta=0.05)
    >>> found.proposed.threshold, found.proposed.coverage, found.present.coverage
    (0.95, 0.75, 0.0)
    """
    proof = certify(past, target=target, delta=delta)
    proposed = None if proof.threshold is None else _setting(past, proof, proof.threshold)
    now = _setting(past, proof, present)
    missing = None if proposed is not None else _missing(past, present, target, delta)
    return Calibration(
        verdict=Verdict.INCONCLUSIVE if proposed is None else Verdict.CERTIFIED,
        reason=_reason(past, proposed, missing, target, delta),
        target=target,
        delta=delta,
        proposed=proposed,
        present=now,
        missing=missing,
        decisions=int(past.confidence.size),
        labels=int(past.reviewed.sum()),
        awaited=int(past.awaited.sum()),
        exact=proof.exact,
        curve=tuple(_setting(past, proof, one) for one in _places(past, now, proposed)),
    )


def _setting(past: PastDecisions, proof: Certificate, threshold: float) -> Setting:
    through = past.automatic(threshold)
    return Setting(
        threshold=threshold,
        coverage=float(through.mean()) if through.size else 0.0,
        slips=rate(past.wrong & through, past.pi, past.reviewed),
        certified=proof.threshold is not None and threshold >= proof.threshold,
    )


def _missing(past: PastDecisions, present: float, target: float, delta: float) -> Missing | None:
    """For the present threshold; where it will not do, for the first that lets anything through.

    Answers still awaited are taken to come, and to be right.
    """
    if not past.eligible.any():
        return None
    answered = replace(past, awaited=np.zeros_like(past.awaited))
    surest = past.confidence[past.eligible].max(initial=0.0)
    lower = THRESHOLDS[surest >= THRESHOLDS]
    for threshold in (min(present, float(lower[0])), float(lower[0])):
        needed = decisions_needed(answered, threshold, target=target, delta=delta)
        if needed is not None:
            more = needed - past.confidence.size
            return Missing(threshold, more, round(more * past.pi.mean()) + int(past.awaited.sum()))
    return None


def _reason(
    past: PastDecisions, proposed: Setting | None, missing: Missing | None, target: float, delta: float
) -> str:
    if proposed is not None:
        return (
            f"From {proposed.threshold:g} on, at most {100 * target:g} % of all decisions are automatic "
            f"and wrong, with probability {100 * (1 - delta):g} %."
        )
    if not past.reviewed.any():
        return "Nobody has said anything of these decisions yet."
    if not past.eligible.any():
        return "The policy sends every one of these decisions to people, whatever the confidence."
    waits = int(past.awaited.sum())
    open_ones = f", {waits:,} of them awaited already" if waits else ""
    if missing is not None:
        return (
            f"No threshold is proven. For {missing.threshold:g} it takes about {missing.labels:,} more labels"
            f"{open_ones}, and {missing.decisions:,} more decisions."
        )
    return "No threshold is proven: too many of the surest decisions are wrong for this target."


def _places(past: PastDecisions, present: Setting, proposed: Setting | None) -> Iterable[float]:
    """Evenly from the least confidence to 1, with the two that are compared; none without decisions."""
    if not past.confidence.size:
        return ()
    least = np.floor(100 * past.confidence.min()) / 100
    wanted = {present.threshold} | ({proposed.threshold} if proposed is not None else set())
    return sorted({*np.linspace(least, 1.0, CURVE_POINTS).round(4).tolist(), *wanted})
