"""Error and override rates of all decisions, from the few that people reviewed.

Reviewed decisions are the doubtful ones, so their plain mean is no rate of anything. Each counts 1/pi,
where pi is the probability with which it was to be reviewed (Hajek 1971, *Comment on an essay by D. Basu*;
Saerndal, Swensson & Wretman 1992, *Model Assisted Survey Sampling*, section 5.7 for the linearised variance).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.stats import norm

from hitl_mlops.errors import InputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its confidence interval.

    Attributes:
        value: the estimate; None where nothing was reviewed.
        low: lower end of the interval; None where nothing was reviewed.
        high: upper end of the interval; None where nothing was reviewed.
        reviewed: decisions with a label that the estimate rests on.
        decisions: decisions that it speaks of.
    """

    value: float | None
    low: float | None
    high: float | None
    reviewed: int
    decisions: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends; None where nothing was reviewed."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def rate(wrong: npt.ArrayLike, pi: npt.ArrayLike, reviewed: npt.ArrayLike, *, alpha: float = 0.05) -> Rate:
    """The Hajek rate over all decisions with its 1 - alpha interval, which never leaves [0, 1].

    Args:
        wrong: the decision was wrong (or overridden); read only where `reviewed`. Shape (decisions,).
        pi: probability with which each decision was to be reviewed, in (0, 1].
        reviewed: the decision has a label.
        alpha: one minus the coverage of the interval.

    The interval is Wilson's (1927) at the effective number of decisions, mean * (1 - mean) / variance, where
    one wrong and one right decision are added at the largest weight for mean and variance: so it has a width
    when none or all are wrong. It covers in .94 to .97 of samples, also where the spot checks found nothing.
    Nothing reviewed: all None.

    Raises:
        InputError: shapes differ, or a reviewed decision has a pi outside (0, 1] or no truth value.

    >>> one = rate([True, False, False], [1.0, 0.5, 0.5], [True, True, True])
    >>> one.value  # 1 / (1 + 2 + 2)
    0.2
    >>> rate([], [], []).value is None
    True
    """
    values, weights, seen = _checked(wrong, pi, reviewed)
    mean, low, high = rate_intervals(values, weights, alpha=alpha)
    return _as_rate(mean, low, high, seen)


def rate_by_group(
    groups: Sequence[str],
    wrong: npt.ArrayLike,
    pi: npt.ArrayLike,
    reviewed: npt.ArrayLike,
    *,
    alpha: float = 0.05,
) -> dict[str, Rate]:
    """The rate within each group, by the group's name in order; a group without reviews has value None.

    >>> rate_by_group(["a", "b", "a"], [True, False, False], [1.0, 1.0, 1.0], [True, False, True])["a"].value
    0.5
    """
    names = np.asarray(groups, dtype=object)
    columns = [np.asarray(column) for column in (wrong, pi, reviewed)]
    return {
        str(name): rate(*(column[names == name] for column in columns), alpha=alpha)
        for name in sorted(set(names.tolist()), key=str)
    }


def difference(
    challenger_wrong: npt.ArrayLike,
    champion_wrong: npt.ArrayLike,
    pi: npt.ArrayLike,
    reviewed: npt.ArrayLike,
    *,
    alpha: float = 0.05,
) -> Rate:
    """Challenger's error rate minus the champion's on the same cases, in [-1, 1]; negative is better.

    Paired and weighted by 1/pi, linearised variance, with half a case for and half a case against added at
    the largest weight, so that a handful of agreeing cases does not look like certainty. Arguments as in
    `rate`. Nothing reviewed: all None.

    >>> two = difference([False, True], [True, True], [1.0, 1.0], [True, True])
    >>> two.value, two.low, two.high
    (-0.5, -1.0, 0.700227919089)
    """
    theirs, _, _ = _checked(challenger_wrong, pi, reviewed)
    values, weights, seen = _checked(champion_wrong, pi, reviewed)
    if not seen.any():
        return _as_rate(np.nan, np.nan, np.nan, seen)
    mean, variance = weighted_mean(theirs - values, weights)
    half = norm.isf(alpha / 2) * np.sqrt(variance + np.square(_largest(weights) / weights.sum()))
    return _as_rate(mean, np.maximum(mean - half, -1.0), np.minimum(mean + half, 1.0), seen)


def difference_of_all(
    changes: npt.ArrayLike,
    differs: npt.ArrayLike,
    pi: npt.ArrayLike,
    reviewed: npt.ArrayLike,
    *,
    alpha: float = 0.05,
) -> Rate:
    """As `difference`, where the answers of both models are known for every case, labelled or not.

    Where both answer the same, the difference is 0 without a label; only the cases where they differ are
    uncertain. Two intervals are made and the narrower is taken: by the weights of the labelled ones
    (two-phase sampling, Saerndal, Swensson & Wretman 1992, section 9.3), and by letting every unlabelled
    one count fully for either side (Manski 1989). The second is narrower where few of them wait.

    Args:
        changes: challenger wrong - champion wrong, -1, 0 or 1; read only where labelled. Shape (cases,).
        differs: the models' answers differ.
        pi: as in `rate`.
        reviewed: as in `rate`.
        alpha: as in `rate`.

    `reviewed` of the result counts the labelled cases on which they differ. No case: all None.

    >>> one = difference_of_all([-1, -1, 0, 0], [True, True, False, False], [1.0] * 4, [True] * 4)
    >>> one.value, one.reviewed
    (-0.5, 2)
    """
    seen, apart = np.asarray(reviewed, dtype=np.bool_), np.asarray(differs, dtype=np.bool_)
    if apart.size == 0:
        return Rate(None, None, None, 0, 0)
    halves, weights, known = _checked((np.asarray(changes, dtype=np.float64) + 1) / 2, pi, seen & apart)
    values, size, critical = np.where(known, 2 * halves - 1, 0.0), apart.size, norm.isf(alpha / 2)
    waiting = int((apart & ~seen).sum())
    mean = values.sum() / size
    half = (waiting + critical * np.sqrt(np.square(values).sum() + waiting + 1)) / size
    if known.any():
        share, (apart_mean, variance) = apart.mean(), weighted_mean(values[apart], weights[apart])
        largest = (1 / np.asarray(pi, dtype=np.float64)[apart]).max()
        variance = np.square(share) * (variance + np.square(largest / weights.sum()))
        variance = variance + share * (1 - share) / size * np.square(apart_mean)
        if critical * np.sqrt(variance) < half:
            mean, half = share * apart_mean, critical * np.sqrt(variance)
    found = _as_rate(mean, max(mean - half, -1.0), min(mean + half, 1.0), np.ones(size, dtype=np.bool_))
    return replace(found, reviewed=int(known.sum()))


def aipw_rate(
    wrong: npt.ArrayLike,
    pi: npt.ArrayLike,
    reviewed: npt.ArrayLike,
    confidence: npt.ArrayLike,
    *,
    alpha: float = 0.05,
) -> Rate:
    """The rate with the unreviewed filled in from their confidence, corrected by the reviewed ones.

    Augmented inverse probability weighting (Robins, Rotnitzky & Zhao 1994): unbiased whatever the model's
    confidence is worth, because pi is known; narrower where it is worth something. The expected error given
    the confidence is a weighted isotonic regression, fitted on one half and used on the other.

    `confidence` of each decision lies in [0, 1], higher meaning surer; the other arguments are `rate`'s.

    >>> sure = aipw_rate([True, False] * 20, [1.0] * 40, [True] * 40, [0.4, 0.9] * 20)
    >>> sure.value
    0.5
    """
    values, weights, seen = _checked(wrong, pi, reviewed)
    if not seen.any():
        return _as_rate(np.nan, np.nan, np.nan, seen)
    expected = _expected_error(values, weights, np.asarray(confidence, dtype=np.float64))
    corrected = expected + weights * (values - expected)
    mean = float(np.clip(corrected.mean(), 0.0, 1.0))
    size, largest = values.size, _largest(weights)
    centre = (mean * size + largest) / (size + 2 * largest)
    variance = corrected.var() / size + np.square(largest / size)
    effective = np.minimum(centre * (1 - centre) / variance, seen.sum())
    return _as_rate(mean, *wilson(np.asarray(mean), effective, alpha), seen)


def weighted_mean(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Hajek mean and its linearised variance along the last axis; weight 0: not reviewed, all 0: NaN.

    >>> mean, variance = weighted_mean(np.array([1.0, 0.0, 0.0]), np.array([1.0, 2.0, 2.0]))
    >>> float(mean), round(float(variance), 4)  # (1 * 0.8^2 + 4 * 0.2^2 + 4 * 0.2^2) / 5^2
    (0.2, 0.0384)
    """
    total = weights.sum(axis=-1)
    safe = np.where(total > 0, total, np.nan)
    mean = (weights * values).sum(axis=-1) / safe
    centred = weights * (values - mean[..., np.newaxis])
    return mean, np.square(centred).sum(axis=-1) / np.square(safe)


def rate_intervals(
    values: FloatArray, weights: FloatArray, *, alpha: float = 0.05
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Estimate, lower and upper end along the last axis, for many samples at once; NaN without reviews.

    Args:
        values: 1 where wrong, 0 elsewhere.
        weights: 1/pi where reviewed, 0 elsewhere.
        alpha: one minus the coverage.
    """
    mean, _ = weighted_mean(values, weights)
    largest = _largest(weights)[..., np.newaxis]
    pseudo = np.broadcast_to(np.array([1.0, 0.0]), (*values.shape[:-1], 2))
    centre, spread = weighted_mean(
        np.concatenate([values, pseudo], axis=-1), np.concatenate([weights, largest, largest], axis=-1)
    )
    effective = np.minimum(centre * (1 - centre) / spread, (weights > 0).sum(axis=-1))
    low, high = wilson(mean, effective, alpha)
    return mean, low, high


def wilson(mean: FloatArray, effective: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    """Wilson's (1927) interval at so many effective decisions; it contains the mean and stays in [0, 1].

    >>> low, high = wilson(np.array(0.5), np.array(100.0), 0.05)
    >>> round(float(low), 4), round(float(high), 4)
    (0.4038, 0.5962)
    """
    square = norm.isf(alpha / 2) ** 2
    middle = (mean + square / (2 * effective)) / (1 + square / effective)
    spread = mean * (1 - mean) / effective + square / np.square(2 * effective)
    half = np.sqrt(square * spread) / (1 + square / effective)
    low = np.where(mean <= 0, 0.0, np.minimum(middle - half, mean))
    high = np.where(mean >= 1, 1.0, np.maximum(middle + half, mean))
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def _expected_error(values: FloatArray, weights: FloatArray, confidence: FloatArray) -> FloatArray:
    expected = np.empty_like(values)
    fold = np.arange(values.size) % 2
    for half in (0, 1):
        learn = (fold != half) & (weights > 0)
        if not learn.any():
            expected[fold == half] = 0.5
            continue
        order = np.argsort(confidence[learn], kind="stable")
        known = confidence[learn][order]
        fit = isotonic_regression(values[learn][order], weights=weights[learn][order], increasing=False)
        expected[fold == half] = np.interp(confidence[fold == half], known, fit.x)
    return expected


def _largest(weights: FloatArray) -> FloatArray:
    return np.asarray(weights.max(axis=-1, initial=0.0))


def _checked(
    wrong: npt.ArrayLike, pi: npt.ArrayLike, reviewed: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, BoolArray]:
    seen = np.asarray(reviewed, dtype=np.bool_)
    values, chances = np.asarray(wrong, dtype=np.float64), np.asarray(pi, dtype=np.float64)
    if not (values.shape == chances.shape == seen.shape):
        raise InputError(
            f"Truth values {values.shape}, pi {chances.shape} and marks {seen.shape} differ in shape.",
            remedy="Give one of each per decision.",
        )
    if not np.all((chances[seen] > 0) & (chances[seen] <= 1)):
        raise InputError(
            "A reviewed decision has no review probability in (0, 1].",
            remedy="Count only decisions whose probability was fixed at routing.",
        )
    if not np.all((values[seen] >= 0) & (values[seen] <= 1)):
        raise InputError(
            "A reviewed decision is neither right nor wrong.", remedy="Leave unresolved decisions unreviewed."
        )
    weights = np.divide(1.0, chances, out=np.zeros_like(chances), where=seen)
    return np.where(seen, values, 0.0), weights, seen


def _as_rate(mean: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, seen: BoolArray) -> Rate:
    count = int(seen.sum())
    if count == 0:
        return Rate(None, None, None, 0, int(seen.size))
    figures = [round(float(np.asarray(figure)), 12) for figure in (mean, low, high)]
    return Rate(figures[0], figures[1], figures[2], count, int(seen.size))
