"""An estimator whose confidences mean what they say, learned from rows that it did not see."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.recalibration import IsotonicCurve, at_temperature, isotonic_curve, temperature

FloatArray = npt.NDArray[np.float64]


class Recalibration(StrEnum):
    """How confidences are set right."""

    NONE = "none"
    TEMPERATURE = "temperature"
    ISOTONIC = "isotonic"


FEWEST_ROWS = {Recalibration.NONE: 0, Recalibration.TEMPERATURE: 30, Recalibration.ISOTONIC: 200}
"""Held-out rows with fewer teach nothing but chance."""

_TRIFLE = 1e-9


class Recalibrated:
    """An estimator with its confidences set right: the answers stay, their probabilities change.

    Stored with the model: attributes are only added, as models of yesterday are loaded tomorrow.

    Attributes:
        estimator: fitted, with `predict_proba` and `classes_`.
        classes_: those of the estimator.
        method: `temperature` or `isotonic`.
        degrees: the temperature; 1 under `isotonic`.
        confidence: points of the isotonic curve, rising; empty under `temperature`.
        accuracy: of each point.
    """

    def __init__(self, estimator: Any, method: str, degrees: float, curve: IsotonicCurve) -> None:
        self.estimator = estimator
        self.classes_ = estimator.classes_
        self.method = method
        self.degrees = degrees
        self.confidence = curve.confidence
        self.accuracy = curve.accuracy

    def predict_proba(self, inputs: Any) -> FloatArray:
        """Shape (n, classes), each row sums to 1; the likeliest class is the estimator's."""
        said = np.asarray(self.estimator.predict_proba(inputs), dtype=np.float64)
        if self.method == Recalibration.TEMPERATURE:
            return at_temperature(said, self.degrees)
        return with_confidence(said, IsotonicCurve(self.confidence, self.accuracy).apply(said.max(axis=1)))

    def predict(self, inputs: Any) -> npt.NDArray[Any]:
        """The likeliest class of each row."""
        best: npt.NDArray[Any] = np.asarray(self.classes_)[self.predict_proba(inputs).argmax(axis=1)]
        return best


def recalibrated(
    estimator: Any,
    method: Recalibration,
    said: FloatArray,
    labels: npt.NDArray[np.str_],
    known: npt.ArrayLike,
) -> Any:
    """The estimator, its confidences set right by what was said of held-out rows.

    Args:
        estimator: fitted; the rows may have been learned from, as long as what was `said` was not.
        method: `none` gives the estimator back as it is.
        said: probabilities of held-out rows. Shape (n, classes).
        labels: their truth. Shape (n,).
        known: the class of each column of `said`. A row of another class is wrong, whatever was said; it
            teaches the isotonic curve, and cannot teach a temperature.

    Raises:
        InputError: too few rows.
    """
    if method is Recalibration.NONE:
        return estimator
    names = np.asarray(known).astype(str)
    places = {name: place for place, name in enumerate(names.tolist())}
    truth = np.array([places.get(label, -1) for label in labels.tolist()], dtype=np.int64)
    usable = truth >= 0 if method is Recalibration.TEMPERATURE else np.ones(len(truth), dtype=np.bool_)
    if usable.sum() < FEWEST_ROWS[method]:
        raise InputError(
            f"{int(usable.sum())} held-out rows are too few to recalibrate by {method.value}; "
            f"{FEWEST_ROWS[method]} are needed.",
            remedy="Set model.recalibrate in hitl.yaml to none"
            + (" or temperature." if method is Recalibration.ISOTONIC else "."),
            rows=int(usable.sum()),
        )
    empty = IsotonicCurve(np.empty(0), np.empty(0))
    if method is Recalibration.TEMPERATURE:
        return Recalibrated(estimator, method.value, temperature(said[usable], truth[usable]), empty)
    curve = isotonic_curve(np.clip(said.max(axis=1), 0.0, 1.0), said.argmax(axis=1) == truth)
    return Recalibrated(estimator, method.value, 1.0, curve)


def with_confidence(said: FloatArray, confidence: FloatArray) -> FloatArray:
    """The probabilities with that much for the likeliest class, the others in their proportions.

    A likeliest class stays it: it keeps a trifle more than the next one. Where the others had nothing, what
    is left is shared evenly.

    >>> with_confidence(np.array([[0.6, 0.3, 0.1]]), np.array([0.8])).round(3)
    array([[0.8 , 0.15, 0.05]])
    >>> with_confidence(np.array([[0.6, 0.4]]), np.array([0.2])).round(3)
    array([[0.5, 0.5]])
    """
    rows, top = np.arange(len(said)), said.argmax(axis=1)
    others = said.copy()
    others[rows, top] = 0.0
    left = others.sum(axis=1, keepdims=True)
    even = np.full_like(said, 1.0 / max(said.shape[1] - 1, 1))
    shares = np.divide(others, left, out=even, where=left > 0)
    shares[rows, top] = 0.0
    next_share = shares.max(axis=1, initial=0.0)
    kept = np.maximum(confidence, next_share / (1.0 + next_share) + _TRIFLE)
    given = shares * (1.0 - kept)[:, np.newaxis]
    given[rows, top] = kept if said.shape[1] > 1 else 1.0
    return np.asarray(given)
