"""Whether the challenger treats the groups that a project protects alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import comb, inf

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from hitl_mlops.gates.checks.finding import SHOWN, Finding, comparable, not_asked, rate_of
from hitl_mlops.gates.evidence import BoolArray, ChallengerEvidence, FloatArray, JudgedCases
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.rates import Rate, rate
from hitl_mlops.statistics.ratios import Ratio, rate_ratio

NO_UPPER_END = 1000.0
"""Stands in a report for an upper end that is not known: the higher rate may be 0."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """The lower rate of two groups by the higher one.

    Attributes:
        what: the rate compared, `approve` or `errors`.
        column: the protected column.
        lower: the group with the lower rate.
        higher: the other group.
        ratio: lower by higher.
        bound: the least that it may be.
    """

    what: str
    column: str
    lower: str
    higher: str
    ratio: Ratio
    bound: float

    @property
    def verdict(self) -> Verdict:
        if self.ratio.high < self.bound:
            return Verdict.FAIL
        return Verdict.PASS if self.ratio.low >= self.bound else Verdict.INCONCLUSIVE

    @property
    def told(self) -> str:
        value = "unknown" if self.ratio.value is None else f"{self.ratio.value:.2f}"
        high = "?" if self.ratio.high == inf else f"{self.ratio.high:.2f}"
        return (
            f"{self.what}, {self.column}: {self.lower} by {self.higher} is {value} "
            f"({self.ratio.low:.2f}…{high}), bound {self.bound:g}"
        )


def fairness(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Of every two groups, the lower rate is proven to be the bound's share of the higher one, or more.

    Compared are how often the challenger gives an answer of `outcome` and, where no outcome is named or
    `error_ratio` is set, how often it errs. The bound is the four-fifths rule by default (29 CFR 1607.4 D);
    groups of less than `smallest` of the cases are not judged (1607.15 A 2 a). Intervals are corrected over
    all pairs of groups. A group with too few cases leaves it open, for it may be the one that is wronged.
    """
    if not evidence.cases.groups:
        return not_asked("No protected columns are declared (task.protected).", policy.fairness_ratio)
    cases = comparable(evidence)
    groups = {column: _groups(cases, column, policy) for column in cases.groups}
    rates = dict(_rates(cases, groups, policy))
    thin = sorted(
        {f"{key[1]} = {key[2]}" for key, one in rates.items() if one.reviewed < policy.at_least_group}
    )
    pairs = sorted(_pairs(rates, policy), key=lambda pair: (pair.ratio.high, pair.ratio.low))
    details = {
        "rates": {f"{what}, {column} = {name}": rate_of(one) for (what, column, name), one in rates.items()},
        "too_few": thin[:SHOWN],
        "without_group": {column: _unknown(cases, column) for column in cases.groups},
    }
    if not pairs:
        lack = f"No two groups have {policy.at_least_group} cases each."
        return Finding(Verdict.INCONCLUSIVE, lack, bound=policy.fairness_ratio, details=details)
    said = [pair.verdict for pair in pairs]
    verdict = (
        Verdict.FAIL
        if Verdict.FAIL in said
        else Verdict.PASS
        if set(said) == {Verdict.PASS} and not thin and _every_column_compared(pairs, cases)
        else Verdict.INCONCLUSIVE
    )
    worst = min(pairs, key=lambda pair: (pair.verdict is not Verdict.FAIL, pair.ratio.low))
    few = f" Too few cases: {', '.join(thin[:3])}." if thin else ""
    return Finding(
        verdict,
        f"{worst.told}; weakest of {len(pairs)} pairs of groups.{few}",
        worst.ratio.value,
        worst.bound,
        (worst.ratio.low, min(worst.ratio.high, NO_UPPER_END)),
        sum(one.reviewed for one in rates.values()),
        details,
    )


def _groups(cases: JudgedCases, column: str, policy: GatesPolicy) -> dict[str, BoolArray]:
    """Group → its cases, of those that are large enough to be judged."""
    values = cases.groups[column]
    known = sorted({str(value) for value in values if value is not None})
    found = {name: np.asarray(values == name, dtype=np.bool_) for name in known}
    return {name: of for name, of in found.items() if of.sum() >= policy.smallest_group * len(cases)}


def _rates(
    cases: JudgedCases, groups: Mapping[str, Mapping[str, BoolArray]], policy: GatesPolicy
) -> Iterator[tuple[tuple[str, str, str], Rate]]:
    """(what, column, group) → its rate with an interval at a chance corrected over all pairs."""
    whats = bool(policy.outcome) + _errors_judged(policy)
    pairs = whats * sum(comb(len(found), 2) for found in groups.values())
    alpha = policy.alpha / max(pairs, 1)
    known = np.ones(len(cases), dtype=np.bool_) if cases.complete else cases.labelled
    pi = np.ones(len(cases)) if cases.complete else cases.pi
    selected = np.isin(cases.challenger.astype(str), policy.outcome)
    for column, found in groups.items():
        for name, of in found.items():
            if policy.outcome:
                what = " or ".join(policy.outcome)
                yield (what, column, name), _rate(selected[of], pi[of], known[of], alpha)
            if _errors_judged(policy):
                wrong = cases.challenger_wrong[of], cases.pi[of], cases.labelled[of]
                yield ("errors", column, name), _rate(*wrong, alpha)


def _rate(hits: BoolArray, pi: FloatArray, known: BoolArray, alpha: float) -> Rate:
    """As `rate`, wider where few cases carry most of the weight: Student's t at Kish's effective number."""
    weights = 1 / pi[known]
    effective = weights.sum() ** 2 / np.square(weights).sum() if weights.size else 0.0
    wider = 2 * norm.sf(student.isf(alpha / 2, max(effective - 1, 1.0)))
    return rate(hits, pi, known, alpha=float(wider))


def _errors_judged(policy: GatesPolicy) -> bool:
    return not policy.outcome or policy.error_ratio > 0


def _pairs(rates: Mapping[tuple[str, str, str], Rate], policy: GatesPolicy) -> Iterator[_Pair]:
    enough = {key: one for key, one in rates.items() if one.reviewed >= policy.at_least_group}
    for (first, one), (second, other) in combinations(enough.items(), 2):
        if first[:2] != second[:2]:
            continue
        bound = policy.fairness_ratio
        if first[0] == "errors" and policy.error_ratio > 0:
            bound = policy.error_ratio
        low, high = sorted([(one.value or 0.0, first[2], one), (other.value or 0.0, second[2], other)])
        yield _Pair(first[0], first[1], low[1], high[1], rate_ratio(low[2], high[2]), bound)


def _every_column_compared(pairs: list[_Pair], cases: JudgedCases) -> bool:
    return {pair.column for pair in pairs} == set(cases.groups)


def _unknown(cases: JudgedCases, column: str) -> int:
    return sum(value is None for value in cases.groups[column])
