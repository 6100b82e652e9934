"""What each column of a table holds, found and told, and the cells made ready for an estimator.

The `as_…` functions stand inside saved models by their names: a model that was saved yesterday calls them
tomorrow, so they are only ever added to. They read cells as they come back from CSV, Parquet or JSON.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.errors import InputError

MISSING = "(missing)"
FEW_VALUES = 30
"""Up to this many distinct words a column is a category, however few rows there are."""
MOSTLY = 0.95
"""Share of filled cells that must read as a number or date before the column counts as one."""
NEARLY_UNIQUE = 0.9
"""Share of distinct values among filled cells above which words name rows and teach nothing."""
SENTENCE_WORDS = 3.0
"""Mean number of words from which a column with many values is text."""
LARGEST = 1e100


class ColumnType(StrEnum):
    """How a recipe uses a column."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    DATE = "date"
    TEXT = "text"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """What was found of one column.

    Attributes:
        column: its name.
        type: how a recipe uses it.
        why: what it was concluded from, a few words for people.
    """

    column: str
    type: ColumnType
    why: str


def column_types(frame: pd.DataFrame, inputs: Sequence[str]) -> list[FoundColumn]:
    """Each input column with the type found and why, in the order of `inputs`.

    Looks at every row. Empty and constant columns are dropped, as are columns whose values name rows.

    Raises:
        InputError: a column is missing or there twice.
    """
    missing = [column for column in inputs if column not in frame.columns]
    if missing:
        raise InputError(
            f"The data have no column {', '.join(map(repr, missing))}; they have "
            f"{', '.join(map(repr, frame.columns[:40]))}.",
            remedy="Correct task.inputs in hitl.yaml, or the file's header.",
            missing=missing,
        )
    twice = [column for column in inputs if list(frame.columns).count(column) > 1]
    if twice:
        raise InputError(
            f"The data have the column {twice[0]!r} more than once.",
            remedy="Rename or remove one of them in the file.",
            columns=twice,
        )
    return [FoundColumn(column, *_type_of(column, frame[column])) for column in inputs]


def _type_of(name: str, cells: pd.Series[Any]) -> tuple[ColumnType, str]:
    filled = cells[cells.notna()].astype(object)
    distinct = int(filled.map(str).nunique())
    if why := _worthless(name, cells, filled, distinct):
        return ColumnType.DROPPED, why
    if _all(filled, (bool, np.bool_)):
        return ColumnType.BOOLEAN, "true or false"
    if _all(filled, numbers.Number):
        return ColumnType.NUMBER, f"numbers, {distinct} distinct" + _gaps(cells)
    if _all(filled, (dt.date, dt.datetime)):
        return ColumnType.DATE, "dates"
    return _type_of_words(filled.map(str), distinct)


def _worthless(name: str, cells: pd.Series[Any], filled: pd.Series[Any], distinct: int) -> str | None:
    """Why nothing can be learned from the column; None where something can."""
    if filled.empty:
        return "always empty"
    if isinstance(filled.iloc[0], (list, tuple, dict, set, np.ndarray, bytes)):
        return f"cells hold {type(filled.iloc[0]).__name__}, not single values"
    if distinct == 1 and len(filled) == len(cells):
        return f"always {repr(filled.iloc[0])[:20]}"
    named_id = name.lower() == "id" or name.lower().endswith(("_id", " id", "uuid"))
    if named_id and distinct == len(filled) > FEW_VALUES:
        return "an id: another value in every row"
    return None


def _type_of_words(words: pd.Series[Any], distinct: int) -> tuple[ColumnType, str]:
    as_number = pd.to_numeric(words, errors="coerce").notna()
    coded = words.str.fullmatch(r"0\d+").any()  # 01234 is a code: as a number it would lose its zero
    if as_number.mean() >= MOSTLY and not coded:
        odd = int((~as_number).sum())
        return ColumnType.NUMBER, "numbers written as text" + (f", {odd} unreadable" if odd else "")
    as_date = _moments(words).notna()
    if as_date.mean() >= MOSTLY and not as_number.any():
        odd = int((~as_date).sum())
        return ColumnType.DATE, "ISO dates written as text" + (f", {odd} unreadable" if odd else "")
    if distinct <= FEW_VALUES:
        return ColumnType.CATEGORY, f"{distinct} distinct values"
    mean_words = float(words.map(lambda text: len(text.split())).mean())
    if mean_words >= SENTENCE_WORDS:
        return ColumnType.TEXT, f"{distinct} distinct texts of {mean_words:.0f} words"
    if distinct > NEARLY_UNIQUE * len(words):
        return ColumnType.DROPPED, f"{distinct} distinct values in {len(words)} rows: names rows, not kinds"
    return ColumnType.CATEGORY, f"{distinct} distinct values, rare ones together"


def _all(values: pd.Series[Any], kinds: Any) -> bool:
    return bool(values.map(lambda value: isinstance(value, kinds)).all())


def _gaps(cells: pd.Series[Any]) -> str:
    empty = int(cells.isna().sum())
    return f", {empty} empty" if empty else ""


def _moments(column: pd.Series[Any]) -> pd.Series[Any]:
    texts = column.map(lambda cell: None if _empty(cell) else str(cell))
    return pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)


def _empty(cell: Any) -> bool:
    return cell is None or cell is pd.NaT or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell))


def as_numbers(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Cells as numbers, shape (n, columns); what is no finite number becomes NaN, true and false 1 and 0.

    Numbers beyond ±1e100 become ±1e100: the square of a larger one overflows in the scaling.
    """
    if all(isinstance(kind, np.dtype) and kind.kind in "fiub" for kind in frame.dtypes):
        cells = frame.to_numpy(dtype=np.float64, copy=True)  # the way of pixels: 20 times faster
    else:
        columns = [pd.to_numeric(frame[name], errors="coerce") for name in frame.columns]
        cells = np.column_stack([column.to_numpy(dtype=np.float64, na_value=np.nan) for column in columns])
    cells[~np.isfinite(cells)] = np.nan
    return np.asarray(np.clip(cells, -LARGEST, LARGEST), dtype=np.float64)


def as_words(frame: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Cells as words, shape (n, columns); whole numbers are spelt without a point, empty is `(missing)`."""
    words = [[_word(cell) for cell in frame[name]] for name in frame.columns]
    return np.array(words, dtype=object).reshape(len(frame.columns), len(frame)).T


def _word(cell: Any) -> str:
    if _empty(cell):
        return MISSING
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def as_dates(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Times as days since 1970, month, day, weekday and hour, shape (n, 5 x columns); unreadable is NaN.

    Month, day, weekday and hour repeat: each is there as a plain number. Times are read in UTC.
    """
    parts: list[npt.NDArray[np.float64]] = []
    for name in frame.columns:
        moments = _moments(frame[name])
        seconds = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[s]").astype(np.float64)
        days = pd.Series(np.where(moments.isna(), np.nan, seconds / 86400.0))
        fields = (days, moments.dt.month, moments.dt.day, moments.dt.weekday, moments.dt.hour)
        parts.extend(np.asarray(field, dtype=np.float64) for field in fields)
    return np.column_stack(parts)


def as_texts(frame: pd.DataFrame) -> npt.NDArray[np.object_]:
    """The first column as strings, shape (n,); empty cells become empty strings."""
    cells = frame.iloc[:, 0] if isinstance(frame, pd.DataFrame) else frame
    return np.array(["" if _empty(cell) else str(cell) for cell in cells], dtype=object)
