"""A column that gives the label away: most often it was written down after the truth was known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

PURE = 0.995
"""Share of rows whose label the column tells, from which it is said to give the label away."""
BINS = 20
"""Numbers with many values are told apart by so many groups of equal size."""
ROWS_PER_VALUE = 5
"""With fewer rows a value tells its label by chance."""
MOST_VALUES = 50


def purity(cells: pd.Series[Any], labels: pd.Series[Any]) -> float:
    """Share of rows that are right when each value of the column is answered by its commonest label.

    Numbers with many values are cut into 20 groups of equal size, their commonest value apart; empty cells
    are a value too. 0.0 where the column has too many values for the rows to say anything, or where one
    label alone is this common.

    Args:
        cells: the column, length n.
        labels: the labels as text, length n, none missing, with the same index.

    >>> purity(pd.Series(list("aabb") * 10), pd.Series(list("xxyy") * 10))
    1.0
    >>> purity(pd.Series(list("abab") * 10), pd.Series(list("xxyy") * 10))
    0.5
    """
    if len(labels) == 0 or labels.value_counts().iloc[0] >= PURE * len(labels):
        return 0.0
    groups = _groups(cells, labels.nunique())
    if groups is None or groups.nunique(dropna=False) * ROWS_PER_VALUE > len(groups):
        return 0.0
    counts = pd.crosstab(groups.to_numpy(), labels.to_numpy())
    return float(counts.max(axis=1).sum() / len(labels))


def _groups(cells: pd.Series[Any], classes: int) -> pd.Series[Any] | None:
    """A group for each cell; None where the column has too many words."""
    words = cells.astype(object).map(str)
    if words.nunique() <= max(MOST_VALUES, 2 * classes):
        return words
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().sum() > cells.isna().sum():
        return None
    numbers = numbers.where(np.isfinite(numbers))
    if numbers.isna().all():
        return None
    common = numbers.mode().iloc[0]  # where nothing was paid, say: not to be mixed with the smallest payments
    binned = pd.qcut(numbers.where(numbers != common), BINS, labels=False, duplicates="drop")
    return binned.where(numbers != common, BINS).fillna(-1)
