"""Models that err as often as a rehearsal asks, and otherwise say what is true in the world of the drill."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

FULL_NAME = f"{__name__}.Erring"
"""What a stored model names, and a registry of the drill must trust."""


class Erring(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Says what the estimator says, but the second likeliest class where a row's draw lies in [low, high).

    What it says is as sure as what the estimator says, so that a policy routes it alike.

    Args:
        estimator: fitted; what it says is true in the world of the drill.
        low: where it begins to err.
        high: where it ends.
    """

    def __init__(self, estimator: Any, low: float = 0.0, high: float = 0.0) -> None:
        self.estimator = estimator
        self.low = low
        self.high = high

    @property
    def classes_(self) -> Any:
        """The estimator's."""
        return self.estimator.classes_

    def predict_proba(self, inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
        """One row per case; shape (n, classes)."""
        said = np.array(self.estimator.predict_proba(inputs), dtype=np.float64)
        drawn = draws(inputs)
        rows = np.flatnonzero((drawn >= self.low) & (drawn < self.high))
        order = np.argsort(-said[rows], axis=1, kind="stable")
        first, second = order[:, 0], order[:, 1]
        said[rows, first], said[rows, second] = said[rows, second], said[rows, first]
        return said


def draws(inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each row, the same for the same values whatever their type; shape (n,)."""
    if not len(inputs):
        return np.empty(0)
    texts = pd.DataFrame({str(name): inputs[name].map(_text) for name in inputs.columns})
    hashed = pd.util.hash_pandas_object(texts, index=False, categorize=False).to_numpy()
    return hashed / 2.0**64


def _text(value: Any) -> str:
    try:
        return f"{float(value):.6g}"
    except (TypeError, ValueError):
        return str(value)


def between(drawn: npt.NDArray[np.float64], low: float, high: float) -> tuple[float, float]:
    """The draws between which that share of the rows lies, from `low` to `high` of all, each in [0, 1].

    >>> between(np.array([0.1, 0.2, 0.6, 0.9]), 0.0, 0.5)
    (0.0, 0.6)
    """
    ordered = [0.0, *np.sort(drawn)[1:].tolist(), 1.0]
    return ordered[round(low * len(drawn))], ordered[round(high * len(drawn))]
