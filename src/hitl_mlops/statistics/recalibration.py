"""Confidences that mean what they say: by one temperature, or by a rising curve through what people said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression, minimize_scalar

from hitl_mlops.errors import InputError

FloatArray = npt.NDArray[np.float64]

HOTTEST = 100.0
"""Temperatures are sought between one over this and this."""

_SMALLEST = 1e-12  # a probability of zero has no logarithm


@dataclass(frozen=True, slots=True)
class IsotonicCurve:
    """Accuracy given the confidence, never falling.

    Attributes:
        confidence: rising. Shape (points,).
        accuracy: of each point, in [0, 1]. Shape (points,).
    """

    confidence: FloatArray
    accuracy: FloatArray

    def apply(self, confidence: npt.ArrayLike) -> FloatArray:
        """The accuracy to expect; straight lines between points, level beyond the ends."""
        given = np.asarray(confidence, dtype=np.float64)
        return np.asarray(np.interp(given, self.confidence, self.accuracy))


def isotonic_curve(
    confidence: npt.ArrayLike, right: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> IsotonicCurve:
    """The rising curve that is nearest to what people said, in squares.

    Zadrozny & Elkan (2002), *Transforming classifier scores into accurate multiclass probability estimates*.
    Equal confidences are one point. It needs hundreds of labels; with fewer take the temperature.

    Args:
        confidence: of each labelled case, in [0, 1].
        right: the answer was right.
        weights: 1/pi of each case; None: 1.

    Raises:
        InputError: no case, shapes differ, or a confidence is NaN or outside [0, 1].

    >>> curve = isotonic_curve([0.6, 0.7, 0.8, 0.9], [False, True, False, True])
    >>> curve.accuracy, curve.apply([0.65, 1.0])
    (array([0. , 0.5, 0.5, 1. ]), array([0.25, 1.  ]))
    """
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    masses = np.ones_like(sure) if weights is None else np.asarray(weights, dtype=np.float64)
    fits = sure.shape == hits.shape == masses.shape and sure.size > 0
    if not (fits and np.all((sure >= 0) & (sure <= 1)) and np.all(masses > 0)):
        raise InputError(
            "There is no case, or confidences, outcomes and weights do not fit together.",
            remedy="Give one confidence in [0, 1], one outcome and one weight above 0 per labelled case.",
        )
    points, place = np.unique(sure, return_inverse=True)
    total = np.bincount(place, weights=masses)
    mean = np.bincount(place, weights=masses * hits) / total
    return IsotonicCurve(points, np.asarray(isotonic_regression(mean, weights=total).x, dtype=np.float64))


def temperature(
    probabilities: npt.ArrayLike, truth: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """The temperature under which the model would have been least surprised; above 1: it was too sure.

    Guo, Pleiss, Sun & Weinberger (2017), *On calibration of modern neural networks*. The likeliest class of a
    case stays the same.

    Args:
        probabilities: shape (cases, classes).
        truth: column of the right class of each case. Shape (cases,).
        weights: 1/pi of each case; None: 1.

    Raises:
        InputError: no case, shapes differ, a probability is NaN or negative, or a truth is no column.

    >>> thrice = [[0.9, 0.1]] * 4  # says .9 and is right three times of four: the logit ln 9 becomes ln 3
    >>> round(temperature(thrice, [0, 0, 0, 1]), 3)
    2.0
    """
    said, right = np.asarray(probabilities, dtype=np.float64), np.asarray(truth, dtype=np.int64)
    _require_probabilities(said, right)
    masses = np.ones(right.size) if weights is None else np.asarray(weights, dtype=np.float64)
    logs, rows = np.log(np.maximum(said, _SMALLEST)), np.arange(right.size)

    def surprise(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        normalised = scaled[rows, right] - np.logaddexp.reduce(scaled, axis=1)
        return float(-(masses * normalised).sum())

    bound = float(np.log(HOTTEST))
    found = minimize_scalar(surprise, bounds=(-bound, bound), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def at_temperature(probabilities: npt.ArrayLike, degrees: float) -> FloatArray:
    """The probabilities at that temperature; each row sums to 1. Shape (cases, classes).

    >>> at_temperature([[0.9, 0.1]], 2.0)
    array([[0.75, 0.25]])
    """
    logs = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST)) / degrees
    return np.asarray(np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)))


def _require_probabilities(said: FloatArray, right: npt.NDArray[np.int64]) -> None:
    fits = said.ndim == 2 and right.shape == said.shape[:1] and right.size > 0  # noqa: PLR2004 - a matrix
    if not fits or not np.all(said >= 0) or not np.all((right >= 0) & (right < said.shape[1])):
        raise InputError(
            "There is no case, or probabilities and truths do not fit together.",
            remedy="Give one row of probabilities and one column number per labelled case.",
        )
