"""Columns that give the label away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

MOST_ROWS = 20_000
_BINS, _FEWEST, _SEED = 64, 5, 20240501


def single_column_recalls(inputs: pd.DataFrame, labels: Sequence[str]) -> dict[str, float]:
    """Column → mean recall over all classes of the best guess from that column alone, in [0, 1].

    The guess is the likeliest class of each value, numbers in 64 bins, learned on one half of the rows and
    tried on the other; at most 20,000 rows, drawn with a fixed seed. A column that says the label reads 1,
    one that says nothing 1 / classes. Fewer than two classes with 5 rows in either half: nothing.

    >>> truth = ["a", "b"] * 40
    >>> single_column_recalls(pd.DataFrame({"copy": truth, "same": [7] * 80}), truth)
    {'copy': 1.0, 'same': 0.5}
    """
    order = np.random.default_rng(_SEED).permutation(len(inputs))[:MOST_ROWS]
    learn, trial = order[: len(order) // 2], order[len(order) // 2 :]
    truth = pd.factorize(np.asarray(labels, dtype=object))[0]
    counts = [np.bincount(truth[half], minlength=truth.max(initial=0) + 1) for half in (learn, trial)]
    judged = np.flatnonzero(np.minimum(*counts) >= _FEWEST)
    if judged.size < 2:  # noqa: PLR2004 - one class is always recalled
        return {}
    found = {}
    for name in inputs.columns:
        codes = _codes(inputs[name], learn)
        said = _guesses(codes, truth, learn, counts[0])[codes[trial]]
        right = np.bincount(truth[trial], weights=said == truth[trial], minlength=len(counts[1]))
        found[str(name)] = round(float((right[judged] / counts[1][judged]).mean()), 6)
    return found


def _codes(column: pd.Series[Any], learn: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Equal values have equal codes, from 0; near numbers too where there are many; missing is a value."""
    if is_numeric_dtype(column) and not is_bool_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[learn][np.isfinite(values[learn])]
        distinct = np.unique(known)
        if distinct.size > _BINS:
            edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]))
            return np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values, side="right"))
    texts = pd.Series([None if one is None else str(one) for one in column.tolist()], dtype=object)
    return np.asarray(pd.factorize(texts, use_na_sentinel=False)[0])


def _guesses(
    codes: npt.NDArray[np.int64],
    truth: npt.NDArray[np.int64],
    learn: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Code → the class it speaks for most, each class weighing the same; never seen: the first class."""
    width = len(counts)
    table = np.bincount(codes[learn] * width + truth[learn], minlength=(codes.max() + 1) * width)
    shares = table.reshape(-1, width) / np.maximum(counts, 1)
    return np.asarray(shares.argmax(axis=1))
