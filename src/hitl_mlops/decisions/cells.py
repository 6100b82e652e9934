"""What a cell may hold: every value of a column as a plain JSON value, with the reasons for those refused.

A reason names the column and never the value, so that it may stand in the trail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.cases import Column, column_of, microseconds, objects
from hitl_mlops.decisions.schema import ColumnSpec, ColumnType, InputSchema

LONGEST_TEXT = 100_000
LONGEST_ID = 200
EXACT_UP_TO = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A screened column.

    Attributes:
        column: plain values, one for each row; what stands in a refused row does not count.
        faults: what is wrong → rows where it is, shape (n,).
    """

    column: Column
    faults: dict[str, npt.NDArray[np.bool_]]


def screen_input(column: pd.Series, spec: ColumnSpec) -> Cells:
    """The cells of an input column, held against what the base data showed."""
    if spec.type is ColumnType.NUMBER:
        return _numbers(column, spec)
    if spec.type is ColumnType.FLAG:
        if column.dtype == bool:
            return Cells(column.to_numpy(), {})
        return _each(column, lambda value: _flag(value, spec))
    return _sound_texts(column, LONGEST_TEXT) or _each(column, lambda value: _text(value, spec))


def screen_inputs(frame: pd.DataFrame, schema: InputSchema) -> dict[str, Cells]:
    """The cells of every input column; numbers in which nothing is wrong are looked at all together."""
    numbers = [spec for spec in schema.columns if spec.type is ColumnType.NUMBER]
    block = _sound_numbers(frame, numbers) if len(numbers) > 1 else None
    if block is None:
        return {spec.name: screen_input(frame[spec.name], spec) for spec in schema.columns}
    sound = {spec.name: Cells(block[:, place], {}) for place, spec in enumerate(numbers)}
    return {
        spec.name: sound.get(spec.name) or screen_input(frame[spec.name], spec) for spec in schema.columns
    }


def _sound_numbers(frame: pd.DataFrame, specs: Sequence[ColumnSpec]) -> npt.NDArray[np.float64] | None:
    """The columns as floats, shape (rows, columns), where every cell is a sound number; else None."""
    cells = frame[[spec.name for spec in specs]].to_numpy()
    if cells.dtype == object and set(map(type, cells.ravel().tolist())) <= {int, float}:
        with suppress(OverflowError):
            cells = cells.astype(np.float64)
    if cells.dtype != np.float64:
        return None
    low = np.array([-math.inf if spec.low is None else spec.low for spec in specs])
    high = np.array([math.inf if spec.high is None else spec.high for spec in specs])
    believed = (low <= cells) & (cells <= high) & (np.abs(cells) < EXACT_UP_TO)
    return cells if believed.all() else None


def screen_attribute(column: pd.Series) -> Cells:
    """The cells of a kept column: any single value, or none."""
    if column.dtype.kind in "if" and isinstance(column.dtype, np.dtype):
        values = column.to_numpy(dtype=np.int64 if column.dtype.kind == "i" else np.float64)
        inexact = values.dtype.kind == "i" and (values > EXACT_UP_TO) | (values < -EXACT_UP_TO)
        suspects = {"has more digits than a float holds": inexact, "is infinite": np.isinf(values)}
        return Cells(values, {fault: rows for fault, rows in suspects.items() if np.any(rows)})
    if column.dtype == bool:
        return Cells(column.to_numpy(), {})
    return _sound_texts(column, LONGEST_TEXT) or _each(column, _attribute)


def screen_id(column: pd.Series) -> Cells:
    """The cells of a column of ids, as text."""
    return _sound_texts(column, LONGEST_ID) or _each(column, _id)


def screen_time(column: pd.Series) -> Cells:
    """The cells of a column of times, in microseconds since 1970 in UTC, int64.

    A time without a zone is refused: nobody can say which moment it is.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        gaps = column.isna().to_numpy()
        counted = column.dt.tz_convert("UTC").dt.as_unit("us").fillna(pd.Timestamp(0, tz="UTC"))
        return Cells(counted.astype(np.int64).to_numpy(), {"has no value": gaps} if gaps.any() else {})
    return _each(column, _microseconds)


def _sound_texts(column: pd.Series, longest: int) -> Cells | None:
    """The column as it is, where every value is plain text of ASCII that is not blank; else None."""
    values = column.tolist()
    if not values or set(map(type, values)) != {str}:
        return None
    joined = "".join(values)
    sound = joined.isascii() and "\0" not in joined and len(max(values, key=len)) <= longest
    return Cells(objects(values), {}) if sound and all(map(str.strip, values)) else None


def _each(column: pd.Series, judge: Callable[[Any], tuple[Any, str | None]]) -> Cells:
    """Judge every cell."""
    judged = [judge(value) for value in _plain(column)]
    wrong: dict[str, npt.NDArray[np.bool_]] = {}
    for place, (_, fault) in enumerate(judged):
        if fault is not None:
            wrong.setdefault(fault, np.zeros(len(judged), dtype=bool))[place] = True
    return Cells(column_of([value for value, _ in judged]), wrong)


def _plain(column: pd.Series) -> Sequence[Any]:
    values: list[Any] = column.astype(object).tolist()
    return values


def _numbers(column: pd.Series, spec: ColumnSpec) -> Cells:
    faults: dict[str, npt.NDArray[np.bool_]] = {}
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        whole = isinstance(column.dtype, np.dtype) and column.dtype.kind == "i"
        values = column.to_numpy(np.int64) if whole else column.to_numpy(np.float64, na_value=np.nan)
    else:
        cells = _each(column, _number)
        values, faults = cells.column.astype(np.float64), cells.faults
    numbers = values.astype(np.float64, copy=False)
    finite = np.isfinite(numbers)
    if not finite.all():
        gaps = np.isnan(numbers) & ~any_fault(faults, len(numbers))
        if gaps.any() and not spec.may_be_missing:
            faults = {**faults, "has no value": gaps}
    with np.errstate(invalid="ignore"):
        suspects = {
            "is infinite": np.isinf(numbers),
            "has more digits than a float holds": finite & (np.abs(numbers) >= EXACT_UP_TO),
            "is far outside the range of the base data": finite & _outside(numbers, spec),
        }
    return Cells(values, faults | {fault: rows for fault, rows in suspects.items() if rows.any()})


def _outside(numbers: npt.NDArray[np.float64], spec: ColumnSpec) -> npt.NDArray[np.bool_]:
    low = -math.inf if spec.low is None else spec.low
    high = math.inf if spec.high is None else spec.high
    return (numbers < low) | (numbers > high)


def any_fault(faults: dict[str, npt.NDArray[np.bool_]], count: int) -> npt.NDArray[np.bool_]:
    """Rows in which anything is wrong, shape (count,)."""
    joined: npt.NDArray[np.bool_] = np.logical_or.reduce([np.zeros(count, dtype=bool), *faults.values()])
    return joined


def _missing(value: Any) -> bool:
    return (
        value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))
    )


def _number(value: Any) -> tuple[float | None, str | None]:
    if _missing(value):
        return None, None
    if isinstance(value, bool):
        return None, "is true or false, not a number"
    if isinstance(value, str) and (
        "_" in value or not value.isascii()
    ):  # Python alone reads 1_000 and other digits
        return None, "is not a number"
    try:
        return float(value), None
    except OverflowError:
        return None, "has more digits than a float holds"
    except (TypeError, ValueError):
        return None, "is not a number"


def _flag(value: Any, spec: ColumnSpec) -> tuple[bool | None, str | None]:
    if _missing(value):
        return None, None if spec.may_be_missing else "has no value"
    if isinstance(value, bool) or value in (0, 1):
        return bool(value), None
    spelled = {"true": True, "false": False}.get(str(value).strip().lower())
    return spelled, None if spelled is not None else "is neither true nor false"


def _text(value: Any, spec: ColumnSpec) -> tuple[str | None, str | None]:
    if _missing(value) or (isinstance(value, str) and not value.strip()):
        return None, None if spec.may_be_missing else "has no value"
    plain, fault = _attribute(value)
    return (plain if isinstance(plain, str) else _spelled(plain)), fault


def _attribute(value: Any) -> tuple[Any, str | None]:
    if isinstance(value, str):
        return value, _text_fault(value)
    if _missing(value):
        return None, None
    if isinstance(value, (bool, int)):
        return value, "has more digits than a float holds" if abs(value) > EXACT_UP_TO else None
    if isinstance(value, (float, Decimal)):
        number = float(value)
        return number, None if math.isfinite(number) else "is infinite"
    if isinstance(value, (datetime, date)):
        return value.isoformat(), None
    return None, "holds more than one value"


def _text_fault(value: str) -> str | None:
    if len(value) > LONGEST_TEXT:
        return f"is longer than {LONGEST_TEXT:,} characters"
    if value.isascii():
        return "holds a NUL character" if "\0" in value else None
    if "\0" in value:
        return "holds a NUL character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate)"
    return None


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _id(value: Any) -> tuple[str, str | None]:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), None  # a whole number is exact, however long
    plain, fault = _attribute(value)
    if plain is None or (isinstance(plain, str) and not plain.strip()):
        return "", fault or "has no value"
    if isinstance(plain, float) and abs(plain) >= EXACT_UP_TO:
        return "", "has more digits than a float holds"
    name = plain if isinstance(plain, str) else _spelled(plain)
    return name, fault or (f"is longer than {LONGEST_ID} characters" if len(name) > LONGEST_ID else None)


def _moment(value: Any) -> tuple[datetime | None, str | None]:
    if _missing(value):
        return None, "has no value"
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
        elif isinstance(value, datetime):
            moment = value.to_pydatetime(warn=False) if isinstance(value, pd.Timestamp) else value
        else:
            return None, "is not a time"
        return (None, "has no time zone") if moment.tzinfo is None else (moment.astimezone(UTC), None)
    except (ValueError, OverflowError):
        return None, "is not a time"


def _microseconds(value: Any) -> tuple[int, str | None]:
    moment, fault = _moment(value)
    return 0 if moment is None else microseconds(moment), fault
