"""Whether the challenger errs more than the champion."""

from __future__ import annotations

from math import ceil

from hitl_mlops.gates.checks.finding import (
    Finding,
    change_of,
    comparable,
    lack,
    not_worse,
    points,
    rate_of,
    span,
)
from hitl_mlops.gates.evidence import ChallengerEvidence
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.rates import Rate, rate


def override_rate(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """The challenger's error rate is not worse than the champion's by the margin, weighted by 1/pi, paired.

    Live decisions alone where enough of them are labelled; else with the base data that was held back.
    """
    cases = comparable(evidence)
    live = cases.where(cases.live)
    enough = live.known.sum() >= policy.at_least_labels
    basis, words = (live, "live decisions") if enough else (cases, "cases")
    count = int(basis.known.sum())
    missing = lack(cases, count, policy.at_least_labels, words)
    if missing:
        return Finding(Verdict.INCONCLUSIVE, missing, bound=policy.margin, count=count)
    change = change_of(basis, policy.alpha)
    verdict = not_worse(change, policy.margin)
    reason = (
        f"Error {points(change.value)} points against the champion's ({span(change, policy.alpha)}) on "
        f"{count} {words}, {int(basis.labelled.sum())} of them labelled; the margin is "
        f"{points(policy.margin)}."
    )
    if verdict is Verdict.INCONCLUSIVE:
        reason += _enough_for(change, policy.margin, count, words)
    details = {
        "basis": words,
        "live": int(live.known.sum()),
        "labelled": int(basis.labelled.sum()),
        "challenger_error": rate_of(rate(basis.challenger_wrong, basis.pi, basis.labelled)),
        "champion_error": rate_of(rate(basis.champion_wrong, basis.pi, basis.labelled)),
    }
    return Finding(verdict, reason, change.value, policy.margin, change.interval, count, details)


def _enough_for(change: Rate, margin: float, count: int, words: str) -> str:
    """How many cases would settle it, were the difference to stay as it is: an interval narrows by √n."""
    if change.value is None or change.high is None or change.value >= margin:
        return ""
    needed = count * ((change.high - change.value) / (margin - change.value)) ** 2
    return f" If it stays so, {ceil(needed):,} {words} would settle it."
