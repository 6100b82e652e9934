"""Ratios of rates between groups, and changes of shares whose two bases are different cases."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.rates import Rate


@dataclass(frozen=True, slots=True)
class Ratio:
    """One rate divided by another, with its confidence interval.

    Attributes:
        value: the ratio, ≥ 0; None where the lower rate is 0 or one is not known.
        low: lower end, ≥ 0; 0 where nothing is known.
        high: upper end; infinite where the divisor may be 0, or nothing is known.
    """

    value: float | None
    low: float
    high: float


def rate_ratio(first: Rate, second: Rate) -> Ratio:
    """The first rate divided by the second, of two groups that share no case.

    The interval is made of those of the two rates (Donner & Zou 2012, *Closed-form confidence intervals for
    functions of the normal mean and standard deviation*, MOVER-R), so it has their coverage, and is finite
    and wide, not missing, where a rate is 0.

    >>> from hitl_mlops.statistics.rates import rate
    >>> ones = [1.0] * 100
    >>> few, many = rate([True] * 8 + [False] * 92, ones, ones), rate([True] * 50 + [False] * 50, ones, ones)
    >>> found = rate_ratio(few, many)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.16, 0.08, 0.31)
    """
    if first.value is None or second.value is None or first.interval is None or second.interval is None:
        return Ratio(None, 0.0, inf)
    (low, high), (below, above) = first.interval, second.interval
    product = first.value * second.value
    under, over = low * (2 * first.value - low), high * (2 * first.value - high)
    wide, narrow = above * (2 * second.value - above), below * (2 * second.value - below)
    root = product + sqrt(max(product**2 - under * wide, 0.0))
    return Ratio(
        value=first.value / second.value if second.value else None,
        low=under / root if root > 0 else 0.0,
        high=(product + sqrt(max(product**2 - over * narrow, 0.0))) / narrow if narrow > 0 else inf,
    )


def share_change(
    ours: tuple[npt.ArrayLike, npt.ArrayLike],
    theirs: tuple[npt.ArrayLike, npt.ArrayLike],
    pi: npt.ArrayLike,
    *,
    alpha: float = 0.05,
) -> Rate:
    """Our share less theirs, each of hits among its own cases: precision, of two sets of answers.

    Paired and weighted by 1/pi, linearised variance (Saerndal, Swensson & Wretman 1992, section 5.7), with
    half a case for and half a case against added to each share at the largest weight.

    Args:
        ours: (hit, counted) of each case: whether it is a hit, and whether it counts for us.
        theirs: the same for them.
        pi: probability with which each case was to be labelled, in (0, 1]; all cases are labelled.
        alpha: one minus the coverage.

    `reviewed` of the result counts the cases in the smaller base. An empty base: all None.

    Raises:
        InputError: a pi is outside (0, 1].

    >>> change = share_change(([1, 1, 0], [1, 1, 0]), ([1, 0, 0], [1, 1, 1]), [1.0, 1.0, 1.0])
    >>> round(change.value, 3), change.reviewed
    (0.667, 2)
    """
    chances = np.asarray(pi, dtype=np.float64)
    if not np.all((chances > 0) & (chances <= 1)):
        raise InputError(
            "A labelled case has no review probability in (0, 1].",
            remedy="Count only cases whose probability was fixed at routing.",
        )
    weights = 1 / chances
    bases = [np.asarray(one[1], dtype=bool) for one in (ours, theirs)]
    size = min(int(base.sum()) for base in bases)
    if size == 0:
        return Rate(None, None, None, 0, int(chances.size))
    change, variance, influence = 0.0, 0.0, np.zeros(chances.size)
    for sign, one, base in zip((1.0, -1.0), (ours, theirs), bases, strict=True):
        hits, total = np.asarray(one[0], dtype=np.float64), weights[base].sum()
        share = float((weights * hits)[base].sum() / total)
        influence += sign * np.where(base, weights * (hits - share) / total, 0.0)
        change, variance = change + sign * share, variance + (weights[base].max() / total) ** 2 / 2
    half = norm.isf(alpha / 2) * sqrt(float(np.square(influence).sum()) + variance)
    low, high = max(change - half, -1.0), min(change + half, 1.0)
    return Rate(round(change, 12), round(low, 12), round(high, 12), size, int(chances.size))
