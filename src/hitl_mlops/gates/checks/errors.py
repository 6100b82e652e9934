"""Whether the challenger errs more than the champion: as people overrule it, in truth, and by cost."""

from __future__ import annotations

from collections import defaultdict
from math import ceil
from typing import Any

import numpy as np

from hitl_mlops.gates.checks.finding import (
    Finding,
    change_of,
    comparable,
    lack,
    not_asked,
    not_worse,
    paired_change,
    points,
    rate_of,
    span,
)
from hitl_mlops.gates.evidence import ChallengerEvidence, FloatArray, JudgedCases, TextArray
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.rates import Rate, rate, weighted_mean

_DEAREST = 5


def override_rate(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """People would overrule the challenger no oftener than the champion, by the margin: 1/pi, paired.

    Live decisions alone where enough of them are labelled; else with the base data that was held back.
    """
    cases = comparable(evidence)
    live = cases.where(cases.live)
    enough = live.known.sum() >= policy.at_least_labels
    basis, words = (live, "live decisions") if enough else (cases, "cases")
    count = int(basis.known.sum())
    missing = lack(basis, count, policy.at_least_labels, words)
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
    details = {"basis": words, "live": int(live.known.sum()), **_both_rates(basis)}
    return Finding(verdict, reason, change.value, policy.margin, change.interval, count, details)


def error_rate(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """The challenger errs no oftener than the champion by the margin, though people err too.

    An override is no error yet: who reviews errs with some rate e, which shrinks a difference by 1 - 2e at
    the most. The interval is widened by that much on the side where it matters, over live and base data.
    """
    cases, words = comparable(evidence), "cases"
    count = int(cases.known.sum())
    missing = lack(cases, count, policy.at_least_labels, words)
    if missing:
        return Finding(Verdict.INCONCLUSIVE, missing, bound=policy.error_margin, count=count)
    change = _in_truth(change_of(cases, policy.alpha), policy.reviewer_error)
    verdict = not_worse(change, policy.error_margin)
    reason = (
        f"Error {points(change.value)} points against the champion's ({span(change, policy.alpha)}) on "
        f"{count} live and held-back cases, if people err in up to {policy.reviewer_error:.0%}; "
        f"the margin is {points(policy.error_margin)}."
    )
    details = {"reviewer_error": policy.reviewer_error, **_both_rates(cases)}
    return Finding(verdict, reason, change.value, policy.error_margin, change.interval, count, details)


def severity(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """The challenger's errors cost no more than the champion's, by a share of the dearest error."""
    if not policy.costs:
        return not_asked(
            "The policy names no costs of errors (gates.severity.costs).", policy.severity_margin
        )
    cases = comparable(evidence)
    count = int(cases.known.sum())
    missing = lack(cases, count, policy.at_least_labels, "cases")
    if missing or cases.champion is None:
        return Finding(Verdict.INCONCLUSIVE, missing, bound=policy.severity_margin, count=count)
    dearest = max(*policy.costs.values(), policy.default_cost)
    ours = _costs(cases.truth, cases.challenger, policy)
    theirs = _costs(cases.truth, cases.champion, policy)
    change = paired_change(cases, ours / dearest, theirs / dearest, policy.alpha)
    verdict = not_worse(change, policy.severity_margin)
    weights = np.where(cases.labelled, 1 / cases.pi, 0.0)
    means = [float(weighted_mean(one, weights)[0]) for one in (ours, theirs)]
    reason = (
        f"Errors cost {means[0]:.3g} a case, the champion's {means[1]:.3g}: {points(change.value)} points of "
        f"the dearest error ({dearest:g}; {span(change, policy.alpha)}), margin "
        f"{points(policy.severity_margin)}."
    )
    details = {
        "challenger_cost": means[0],
        "champion_cost": means[1],
        "dearest": dearest,
        "mostly": _mostly(cases, ours * weights),
    }
    return Finding(verdict, reason, change.value, policy.severity_margin, change.interval, count, details)


def _enough_for(change: Rate, margin: float, count: int, words: str) -> str:
    """How many cases would settle it, were the difference to stay as it is: an interval narrows by √n."""
    if change.value is None or change.high is None or change.value >= margin:
        return ""
    needed = count * ((change.high - change.value) / (margin - change.value)) ** 2
    return f" If it stays so, {ceil(needed):,} {words} would settle it."


def _both_rates(cases: JudgedCases) -> dict[str, Any]:
    return {
        "labelled": int(cases.labelled.sum()),
        "challenger_error": rate_of(rate(cases.challenger_wrong, cases.pi, cases.labelled)),
        "champion_error": rate_of(rate(cases.champion_wrong, cases.pi, cases.labelled)),
    }


def _in_truth(change: Rate, reviewer_error: float) -> Rate:
    """The interval that holds the difference of true errors, where so many labels are wrong or fewer."""
    if change.low is None or change.high is None:
        return change
    shrunk = 1 - 2 * reviewer_error
    low, high = min(change.low, change.low / shrunk), max(change.high, change.high / shrunk)
    return Rate(change.value, max(low, -1.0), min(high, 1.0), change.reviewed, change.decisions)


def _costs(truth: TextArray, said: TextArray, policy: GatesPolicy) -> FloatArray:
    """What each case costs as it was answered, in the policy's unit; 0 where it is right."""
    pairs = [(str(true), str(answer)) for true, answer in zip(truth, said, strict=True)]
    known = {pair: policy.cost(*pair) for pair in set(pairs)}
    return np.array([known[pair] for pair in pairs], dtype=np.float64)


def _mostly(cases: JudgedCases, costs: FloatArray) -> dict[str, float]:
    """True → said, with what it costs in all, the dearest first."""
    sums: defaultdict[str, float] = defaultdict(float)
    for place in np.flatnonzero(cases.labelled & (costs > 0)):
        sums[f"{cases.truth[place]}→{cases.challenger[place]}"] += float(costs[place])
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:_DEAREST])
