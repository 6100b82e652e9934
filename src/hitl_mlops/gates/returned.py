"""What the labels that a challenger has over the champion gave back, from the cases it is judged on."""

from __future__ import annotations

import numpy as np

from hitl_mlops.gates.checks.finding import change_of
from hitl_mlops.gates.evidence import ChallengerEvidence, JudgedCases
from hitl_mlops.kpis.returns import HELD_BACK, LIVE, PER, Change, LabelReturn
from hitl_mlops.statistics.calibration import gap_change

FEWEST_CASES = 30
ALPHA = 0.05


def label_returns(evidence: ChallengerEvidence, labels: int) -> tuple[LabelReturn, ...]:
    """For the held-back base data and for live decisions, those of which enough are known.

    Both models answer the same cases, so that the difference is paired; live decisions weigh 1/pi.

    Args:
        evidence: what is known of the challenger.
        labels: new labels that it learned from, and the champion did not; none: nothing is told.
    """
    cases = evidence.cases.where(evidence.cases.held_back)
    if labels <= 0 or cases.champion is None or evidence.champion is None:
        return ()
    found = []
    for basis, chosen in ((HELD_BACK, ~cases.live), (LIVE, cases.live)):
        some = cases.where(chosen)
        change = change_of(some, ALPHA) if some.known.sum() >= FEWEST_CASES else None
        if change is None or change.value is None or change.low is None or change.high is None:
            continue
        found.append(
            LabelReturn(
                version=evidence.model_version,
                before=evidence.champion,
                basis=basis,
                cases=int(some.known.sum()),
                labels=labels,
                accuracy=_per(labels, -change.value, -change.high, -change.low),
                calibration_gap=_gap(some, labels),
            )
        )
    return tuple(found)


def _gap(cases: JudgedCases, labels: int) -> Change | None:
    some = cases.where(cases.labelled)
    sure = some.champion_confidence
    if sure is None or len(some) < FEWEST_CASES or np.isnan([sure, some.challenger_confidence]).any():
        return None
    ours, theirs = (some.challenger_confidence, ~some.challenger_wrong), (sure, ~some.champion_wrong)
    change = gap_change(ours, theirs, 1 / some.pi, alpha=ALPHA)
    if change.value is None or change.low is None or change.high is None:
        return None
    return _per(labels, change.value, change.low, change.high)


def _per(labels: int, value: float, low: float, high: float) -> Change:
    """Rounded to what an entry of the trail can show again."""
    return Change(*(round(one * PER / labels, 6) for one in (value, low, high)))
