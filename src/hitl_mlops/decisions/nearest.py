"""Which known inputs are nearest to others, by the yardstick of the base data. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.likeness import Yardstick

FloatArray = npt.NDArray[np.float64]
_BUCKETS = 2**14
_GRAM_LENGTHS = (3, 5)


@dataclass(frozen=True, slots=True)
class Known:
    """Inputs among which others are looked for; see `learn`.

    Attributes:
        numbers: in standard deviations, missing ones as 0. Shape (n, columns of numbers).
        texts: column → its character n-grams, each row of length 1. Sparse, shape (n, buckets).
        others: columns that are alike where they are equal, as text. Shape (n, columns).
        yardstick: how columns are compared.
        names: the columns in either.
    """

    numbers: FloatArray
    texts: dict[str, Any]
    others: npt.NDArray[np.object_]
    yardstick: Yardstick
    names: tuple[tuple[str, ...], tuple[str, ...]]

    def distances(self, inputs: pd.DataFrame) -> FloatArray:
        """How far each row lies from each known one; shape (rows, n), 0 where nothing differs.

        Mean over the columns of the square of: numbers in standard deviations; texts by the angle between
        their n-grams, between 0 and 2; others 0 where equal, else 1.
        """
        numbers, texts, others = _read(inputs, self.yardstick, *self.names)
        columns = self.numbers.shape[1] + len(self.texts) + self.others.shape[1]
        total = (
            np.square(numbers).sum(axis=1)[:, np.newaxis]
            + np.square(self.numbers).sum(axis=1)
            - 2.0 * numbers @ self.numbers.T
        )
        for name, grams in self.texts.items():
            total += 2.0 * (1.0 - (texts[name] @ grams.T).toarray())
        for place in range(self.others.shape[1]):
            total += others[:, place][:, np.newaxis] != self.others[:, place]
        return np.asarray(np.maximum(total, 0.0) / max(1, columns), dtype=np.float64)


def learn(inputs: pd.DataFrame, yardstick: Yardstick) -> Known:
    """These inputs are those among which others are looked for."""
    names = [str(name) for name in inputs.columns]
    numbers = tuple(name for name in names if name in yardstick.spread)
    others = tuple(name for name in names if name not in yardstick.spread and name not in yardstick.texts)
    return Known(*_read(inputs, yardstick, numbers, others), yardstick, (numbers, others))


def nearest(distances: FloatArray, count: int) -> npt.NDArray[np.intp]:
    """The places of the smallest in each row, the smallest first; ties go to the later place.

    >>> nearest(np.array([[0.5, 0.1, 0.5]]), 2).tolist()
    [[1, 2]]
    """
    backwards = distances[:, ::-1]
    order = np.argsort(backwards, axis=1, kind="stable")[:, :count]
    return np.asarray(distances.shape[1] - 1 - order)


def _read(
    inputs: pd.DataFrame, yardstick: Yardstick, numbers: tuple[str, ...], others: tuple[str, ...]
) -> tuple[FloatArray, dict[str, Any], npt.NDArray[np.object_]]:
    read = np.empty((len(inputs), len(numbers)))
    for place, name in enumerate(numbers):
        column = pd.to_numeric(inputs[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        read[:, place] = np.nan_to_num(column / yardstick.spread[name], nan=0.0, posinf=0.0, neginf=0.0)
    texts = {name: _grams(inputs[name]) for name in inputs.columns if name in yardstick.texts}
    words = np.empty((len(inputs), len(others)), dtype=object)
    for place, name in enumerate(others):
        words[:, place] = [str(value) for value in inputs[name]]
    return read, texts, words


def _grams(column: pd.Series[Any]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    reader = HashingVectorizer(
        analyzer="char_wb", ngram_range=_GRAM_LENGTHS, n_features=_BUCKETS, alternate_sign=False
    )
    return reader.transform(["" if value is None else str(value) for value in column])
