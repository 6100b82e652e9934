"""How often a model is right now, before people have said so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.rates import Rate, wilson

FloatArray = npt.NDArray[np.float64]

_LABELS_PER_BIN = 20
_SLOPE_ERROR = 0.5  # accuracy rises by 1 +- 2 * 0.5 with confidence inside a bin


def label_free_accuracy(
    confidence: npt.ArrayLike,
    labelled_confidence: npt.ArrayLike,
    right: npt.ArrayLike,
    pi: npt.ArrayLike,
    *,
    bins: int = 40,
    alpha: float = 0.05,
) -> Rate:
    """The share of unlabelled decisions that are right, with the interval in which it will turn out to lie.

    The mean confidence, corrected by what people said of other decisions of the same model: within each bin
    of confidence by the mean of right - confidence, weighted by 1/pi (differences of confidence: Guillory,
    Shankar, Ebrahimi, Darrell & Schmidt 2021, *Predicting with confidence on unseen distributions*; the
    correction within bins is post-stratification, Saerndal, Swensson & Wretman 1992, section 7.6). So the
    confidence need not be calibrated. It sees that cases became harder, where the model is less sure of them;
    it does **not** see that the truth changed while the model stayed as sure: only new labels show that.

    Args:
        confidence: of each decision that the estimate speaks of, in [0, 1]. Shape (decisions,).
        labelled_confidence: of each decision that people reviewed, in [0, 1]. Shape (labels,).
        right: people agreed with it. Shape (labels,).
        pi: probability with which it was to be reviewed, in (0, 1]. Shape (labels,).
        bins: how many at the most, of equal shares of the decisions; each with 20 effective labels or more.
        alpha: one minus the coverage.

    The interval is Wilson's at the effective number of labels, half a right and half a wrong one added per
    bin. In it are the chance of the decisions themselves and, where they are surer or less sure than the
    labelled ones of their bin, an accuracy that rises by 0 to 2 where confidence rises by 1. No label or no
    decision: all None.

    Raises:
        InputError: shapes differ, a confidence is NaN or outside [0, 1], or a pi outside (0, 1].

    >>> labels = [0.9] * 100, [True] * 80 + [False] * 20, [1.0] * 100  # sure to .9 and right in .8
    >>> one = label_free_accuracy([0.9] * 500 + [0.7] * 500, *labels)
    >>> one.value  # 0.8 - 0.1
    0.7
    """
    sure, known, hits, chances = (
        np.asarray(column, dtype=np.float64) for column in (confidence, labelled_confidence, right, pi)
    )
    _require(sure, known, hits, chances)
    if sure.size == 0 or known.size == 0:
        return Rate(None, None, None, int(known.size), int(sure.size))
    edges = _edges(sure, known, 1 / chances, bins)
    place, there = (np.searchsorted(edges, column, side="right") for column in (known, sure))
    labels = _labels(place, known, hits, 1 / chances, edges.size + 1)
    count = np.bincount(there, minlength=edges.size + 1)
    share = count / sure.size
    here = np.bincount(there, sure, count.size) / np.maximum(count, 1)
    accuracy = np.clip(labels.accuracy + here - labels.confidence, 0.0, 1.0)
    shrunk = (accuracy * labels.effective + 0.5) / (labels.effective + 1)
    chance = shrunk * (1 - shrunk)
    spread = np.sum(np.square(share) * np.maximum(labels.variance, chance / labels.effective))
    spread += np.sum(share * chance) / sure.size
    spread += np.square(_SLOPE_ERROR * np.sum(share * np.abs(here - labels.confidence)))
    mean, centre = np.sum(share * accuracy), np.sum(share * shrunk)
    low, high = wilson(np.asarray(mean), np.asarray(centre * (1 - centre) / spread), alpha)
    figures = [round(float(one), 12) for one in (mean, low, high)]
    return Rate(figures[0], figures[1], figures[2], int(known.size), int(sure.size))


@dataclass(frozen=True, slots=True)
class _Labels:
    """What people said in each bin, weighted; `variance` is that of accuracy - confidence. Shape (bins,)."""

    accuracy: FloatArray
    confidence: FloatArray
    variance: FloatArray
    effective: FloatArray


def _labels(
    place: npt.NDArray[np.int64], known: FloatArray, hits: FloatArray, weights: FloatArray, count: int
) -> _Labels:
    total = np.bincount(place, weights, count)
    accuracy, confidence = (np.bincount(place, weights * one, count) / total for one in (hits, known))
    residual = weights * (hits - known - (accuracy - confidence)[place])
    return _Labels(
        accuracy=accuracy,
        confidence=confidence,
        variance=np.bincount(place, np.square(residual), count) / np.square(total),
        effective=np.square(total) / np.bincount(place, np.square(weights), count),
    )


def _edges(sure: FloatArray, known: FloatArray, weights: FloatArray, bins: int) -> FloatArray:
    """Lower ends of all bins but the first, rising; as many as leave enough labels in every bin."""
    wanted = np.unique(np.quantile(sure, np.arange(1, bins) / bins, method="inverted_cdf"))
    place = np.searchsorted(wanted, known, side="right")
    mass, squares = (np.bincount(place, one, wanted.size + 1) for one in (weights, np.square(weights)))
    edges: list[float] = []
    held = np.zeros(2)
    for lower, one in enumerate(zip(mass, squares, strict=True)):
        if _enough(held) and _enough(np.array([mass[lower:].sum(), squares[lower:].sum()])):
            edges.append(wanted[lower - 1])
            held = np.zeros(2)
        held += one
    return np.asarray(edges)


def _enough(held: FloatArray) -> bool:
    """Sum of weights and of their squares: as good as enough labels of one weight."""
    return bool(held[0] ** 2 >= _LABELS_PER_BIN * held[1] > 0)


def _require(sure: FloatArray, known: FloatArray, hits: FloatArray, chances: FloatArray) -> None:
    inside = all(np.all((one >= 0) & (one <= 1)) for one in (sure, known, hits))
    fits = sure.ndim == 1 and known.ndim == 1 and known.shape == hits.shape == chances.shape
    if not fits or not inside or not np.all((chances > 0) & (chances <= 1)):
        raise InputError(
            "Confidences, outcomes and review probabilities do not fit together.",
            remedy="Give one confidence in [0, 1], one outcome and one probability in (0, 1] per label.",
        )
