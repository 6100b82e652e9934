"""How far confidence is from being right: a gap that reads zero on a perfect model, at any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from hitl_mlops.errors import InputError

FloatArray = npt.NDArray[np.float64]

_SEED = 20240501
_MOST_RESAMPLED = 20_000


@dataclass(frozen=True, slots=True)
class CalibrationGap:
    """The debiased gap between confidence and accuracy.

    Attributes:
        value: in [0, 1]; None with fewer than two cases in every bin.
        low: lower end of its bootstrap interval.
        high: upper end of its bootstrap interval.
        count: cases it rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int


def calibration_gap(
    confidence: npt.ArrayLike,
    right: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    bins: int = 10,
    alpha: float = 0.05,
) -> CalibrationGap:
    """The L2 gap between confidence and accuracy, less what chance alone would show.

    Cases are put into bins of equal size by confidence; of each bin's squared gap its sampling variance is
    taken off (Kumar, Liang & Ma 2019, *Verified uncertainty calibration*, definition 5.1). The raw gap reads
    about .06 on a perfect model at n = 200; this one about 0. Interval: percentile
    bootstrap, 200 draws, always the same.

    Args:
        confidence: of each case, in [0, 1].
        right: the answer was right.
        weights: 1/pi of each case; None: 1.
        bins: how many at the most, so that each holds ten cases or more.
        alpha: one minus the coverage.

    Empty, or all in bins of one: None. Ties in confidence stay in the order given.

    Raises:
        InputError: shapes differ, or a confidence is NaN or outside [0, 1].

    >>> half = calibration_gap([1.0] * 40, [True, False] * 20)  # sure, and right half of the time
    >>> round(half.value, 3)  # sqrt(0.5^2 - 0.25 / 9)
    0.471
    >>> calibration_gap([0.5] * 40, [True, False] * 20).value
    0.0
    """
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    masses = np.ones_like(sure) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (sure.shape == hits.shape == masses.shape) or not np.all((sure >= 0) & (sure <= 1)):
        raise InputError(
            "Confidences and outcomes do not fit together, or a confidence is outside [0, 1].",
            remedy="Give one confidence, one outcome and one weight per case.",
        )
    if sure.size < 2:  # noqa: PLR2004 - one case has no variance
        return CalibrationGap(None, None, None, int(sure.size))
    order = np.argsort(sure, kind="stable")
    count = int(np.clip(sure.size // 10, 1, bins))
    starts = np.linspace(0, sure.size, count, endpoint=False).astype(np.int64)
    sure, hits, masses = sure[order], hits[order], masses[order]
    value = float(_gap(sure, hits, masses, starts))
    draws = _resampled(sure, hits, masses, starts, np.random.default_rng(_SEED))
    low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2])
    return CalibrationGap(value, min(float(low), value), max(float(high), value), int(sure.size))


def gap_change(
    ours: tuple[npt.ArrayLike, npt.ArrayLike],
    theirs: tuple[npt.ArrayLike, npt.ArrayLike],
    weights: npt.ArrayLike | None = None,
    *,
    alpha: float = 0.05,
) -> CalibrationGap:
    """Our gap less theirs, of two models asked on the same cases, in [-1, 1]; negative is better.

    Each is `calibration_gap`; its interval is normal, with the spread of 200 bootstrap samples of cases, the
    same for both models (Efron & Tibshirani 1993, *An introduction to the bootstrap*, chapter 13). Of more
    than 20,000 cases, evenly spaced ones make the interval's samples, and its width is brought back to all.

    Args:
        ours: (confidence, right) of each case.
        theirs: the same of the other model, in the same order.
        weights: 1/pi of each case; None: 1.
        alpha: one minus the coverage.

    Fewer than two cases: None.

    Raises:
        InputError: as `calibration_gap`.

    >>> same = ([0.9] * 40, [True] * 36 + [False] * 4)
    >>> gap_change(same, same).value, gap_change(same, same).high
    (0.0, 0.0)
    """
    found = [calibration_gap(*one, weights, alpha=alpha) for one in (ours, theirs)]
    if found[0].value is None or found[1].value is None:
        return CalibrationGap(None, None, None, found[0].count)
    count, value = found[0].count, found[0].value - found[1].value
    some = np.arange(0, count, -(-count // _MOST_RESAMPLED))
    masses = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    rows = np.random.default_rng(_SEED).choice(some, (200, some.size))
    drawn = [
        [_of_rows(np.asarray(sure, dtype=np.float64), np.asarray(hits, dtype=np.float64), masses, row)]
        for sure, hits in (ours, theirs)
        for row in rows
    ]
    spread = np.subtract(*np.array(drawn).reshape(2, -1)).std() * np.sqrt(some.size / count)
    half = float(norm.isf(alpha / 2) * spread)
    return CalibrationGap(value, max(value - half, -1.0), min(value + half, 1.0), count)


def _of_rows(sure: FloatArray, hits: FloatArray, masses: FloatArray, rows: npt.NDArray[np.int64]) -> float:
    """The gap of these rows."""
    order = rows[np.argsort(sure[rows], kind="stable")]
    starts = np.linspace(0, rows.size, int(np.clip(rows.size // 10, 1, 10)), endpoint=False)
    return float(_gap(sure[order], hits[order], masses[order], starts.astype(np.int64)))


def _gap(sure: FloatArray, hits: FloatArray, masses: FloatArray, starts: npt.NDArray[np.int64]) -> FloatArray:
    """Along the last axis; weighted bins use the effective number of cases for their variance."""
    total = np.add.reduceat(masses, starts, axis=-1)
    safe = np.where(total > 0, total, 1.0)
    accuracy = np.add.reduceat(masses * hits, starts, axis=-1) / safe
    mean = np.add.reduceat(masses * sure, starts, axis=-1) / safe
    effective = np.square(total) / np.maximum(np.add.reduceat(np.square(masses), starts, axis=-1), 1e-300)
    chance = accuracy * (1 - accuracy) / np.maximum(effective - 1, 1.0)
    squared = (total * (np.square(mean - accuracy) - chance)).sum(axis=-1) / safe.sum(axis=-1)
    return np.asarray(np.sqrt(np.clip(squared, 0.0, 1.0)))


def _resampled(
    sure: FloatArray,
    hits: FloatArray,
    masses: FloatArray,
    starts: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> FloatArray:
    """Gaps of 200 bootstrap samples, drawn within the bins, so that no bin is ever empty."""
    ends = np.append(starts[1:], sure.size)
    sizes = np.repeat(ends - starts, ends - starts)
    offsets = np.repeat(starts, ends - starts)
    rows = [offsets + (rng.random(sure.size) * sizes).astype(np.int64) for _ in range(200)]
    return np.asarray([_gap(sure[row], hits[row], masses[row], starts) for row in rows])
