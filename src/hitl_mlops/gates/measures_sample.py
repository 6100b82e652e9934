"""Two samples made comparable: a bounded part of each, its columns as numbers or as text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.drift import numeric

MAX_ROWS = 50_000
"""Rows of a side that are looked at: more make it slower, and the verdict hardly ever another."""

STRATA = "answer"
"""Column by whose values a sample is stratified, where a frame has it."""


def comparable(
    reference: pd.DataFrame, current: pd.DataFrame, max_rows: int, strata: str = STRATA
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """At most so many rows of each, with the columns they share, in the reference's order.

    A column is of floats where all its values on both sides are numbers, infinite ones missing; else of
    texts. Column names are text.

    Raises:
        InputError: they share no column, a name stands twice, or one frame has no rows.
    """
    names = [[str(name) for name in frame.columns] for frame in (reference, current)]
    shared = [name for name in names[0] if name in set(names[1])]
    if not shared:
        raise InputError(
            "The two samples share no column, so no drift can be measured.",
            remedy="Compare samples of the same inputs.",
        )
    if reference.empty or current.empty:
        raise InputError(
            f"A sample is empty: {len(reference)} rows against {len(current)}.",
            remedy="Wait for more cases.",
        )
    if any(side.count(name) > 1 for side in names for name in shared):
        raise InputError("A column's name stands twice.", remedy="Give each column its own name.")
    parts = [sampled(frame, max_rows, strata) for frame in (reference, current)]
    pairs = [
        _same_kind(*(part.iloc[:, side.index(name)] for part, side in zip(parts, names, strict=True)))
        for name in shared
    ]
    left, right = (dict(zip(shared, side, strict=True)) for side in zip(*pairs, strict=True))
    return pd.DataFrame(left), pd.DataFrame(right)


def sampled(frame: pd.DataFrame, max_rows: int, strata: str = STRATA) -> pd.DataFrame:
    """At most so many rows, one of every stretch of equal length, always the same; in their order.

    The rows are stretched out by the values of the column `strata`, where there is one, and within each in
    the order given: so every value and every time is represented by its share (proportional allocation).
    """
    size = len(frame)
    if size <= max_rows:
        return frame.reset_index(drop=True)
    starts = np.arange(max_rows + 1, dtype=np.int64) * size // max_rows
    lengths = np.diff(starts)
    offsets = (np.random.default_rng(0).random(max_rows) * lengths).astype(np.int64)
    return frame.iloc[np.sort(_order(frame, strata)[starts[:-1] + offsets])].reset_index(drop=True)


def _order(frame: pd.DataFrame, strata: str) -> npt.NDArray[np.int64]:
    if strata not in frame.columns:
        return np.arange(len(frame), dtype=np.int64)
    codes, _ = pd.factorize(frame[strata].astype(str))
    return np.asarray(np.argsort(codes, kind="stable"), dtype=np.int64)


def _same_kind(reference: pd.Series, current: pd.Series) -> tuple[pd.Series, pd.Series]:
    sides = [reference, current]
    there = [one for one in sides if one.notna().any()]
    if there and all(numeric(one) for one in there):
        try:
            reference, current = (_numbers(one) for one in sides)
        except OverflowError:  # an integer that no float can hold
            pass
        else:
            return reference, current
    reference, current = (one.astype(object).where(one.isna(), one.astype(str)) for one in sides)
    return reference.where(reference.notna(), None), current.where(current.notna(), None)


def _numbers(column: pd.Series) -> pd.Series:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(np.where(np.isfinite(values), values, np.nan))
