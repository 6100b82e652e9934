"""Cases as columns: one row and a million are screened, asked and recorded the same way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.record import Case

Column: TypeAlias = npt.NDArray[Any]
"""Values of one column: float64 (NaN: no value), int64, bool, or objects (None: no value)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Some cases, in order; it reads as a sequence of `Case`.

    Attributes:
        ids: case ids.
        subjects: whose data each is; the same list as `ids` where the project names no subject.
        moments: event times in microseconds since 1970 in UTC, int64.
        inputs: what the model sees, name → column.
        kept: the kept columns, name → column; one that is an input too is the same array.
    """

    ids: list[str]
    subjects: list[str]
    moments: npt.NDArray[np.int64]
    inputs: Mapping[str, Column]
    kept: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int) -> Case:
        return self.take([row]).records()[0]

    def __iter__(self) -> Iterator[Case]:
        return iter(self.records())

    def records(self) -> list[Case]:
        """Every case as a record."""
        moments = [moment_of(each) for each in self.moments.tolist()]
        inputs, kept = rows_of(self.inputs, len(self)), rows_of(self.kept, len(self))
        return [Case(*each) for each in zip(self.ids, self.subjects, moments, inputs, kept, strict=True)]

    def take(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> Cases:
        """The cases at those places, in that order."""
        places = np.asarray(rows, dtype=np.intp)
        taken = {id(column): column[places] for column in (*self.inputs.values(), *self.kept.values())}
        ids = [self.ids[place] for place in places.tolist()]
        own = self.subjects is not self.ids
        return Cases(
            ids,
            [self.subjects[place] for place in places.tolist()] if own else ids,
            self.moments[places],
            {name: taken[id(column)] for name, column in self.inputs.items()},
            {name: taken[id(column)] for name, column in self.kept.items()},
        )

    def frame(self) -> pd.DataFrame:
        """The inputs as a model sees them, one row each; gaps are NaN."""
        return frame_of(self.inputs)


def cases_of(records: Sequence[Case]) -> Cases:
    """The same cases as columns; all have the columns of the first.

    Raises:
        KeyError: a case lacks a column.
    """
    first = records[0] if records else None
    ids = [one.case_id for one in records]
    subjects = [one.subject for one in records]
    inputs = (
        {name: column_of([one.inputs[name] for one in records]) for name in first.inputs} if first else {}
    )
    kept = (
        {name: column_of([one.attributes[name] for one in records]) for name in first.attributes}
        if first
        else {}
    )
    moments = np.array([microseconds(one.at) for one in records], dtype=np.int64)
    return Cases(ids, ids if subjects == ids else subjects, moments, inputs, kept)


def column_of(values: list[Any]) -> Column:
    """The values as the narrowest column that gives them back: `column_values` is its inverse."""
    kinds = set(map(type, values))
    if kinds <= {float, type(None)}:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if kinds == {bool}:
        return np.array(values, dtype=bool)
    if kinds == {int}:
        with_int64 = max(values) < 2**63 and min(values) >= -(2**63)
        return np.array(values, dtype=np.int64) if with_int64 else objects(values)
    return objects(values)


def objects(values: list[Any]) -> Column:
    """The values as they are, whatever they are."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def column_values(column: Column) -> list[Any]:
    """The column as JSON values; None where there is none."""
    values: list[Any] = column.tolist()
    if column.dtype.kind == "f":
        gaps = np.isnan(column)
        if gaps.any():
            return [None if gap else value for value, gap in zip(values, gaps.tolist(), strict=True)]
    return values


def rows_of(columns: Mapping[str, Column], count: int) -> list[dict[str, Any]]:
    """The columns as a dict for each row."""
    names = list(columns)
    if not names:
        return [{} for _ in range(count)]
    lists = [column_values(column) for column in columns.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def frame_of(columns: Mapping[str, Column]) -> pd.DataFrame:
    """The columns as a frame; where all are numbers, they are floats."""
    if columns and all(column.dtype.kind in "fi" for column in columns.values()):
        matrix = np.empty((len(next(iter(columns.values()))), len(columns)))
        for place, column in enumerate(columns.values()):
            matrix[:, place] = column
        return pd.DataFrame(matrix, columns=list(columns))
    return pd.DataFrame({name: as_series(column) for name, column in columns.items()})


def as_series(column: Column) -> pd.Series:
    """The column as pandas holds it: text as text, gaps as NaN, a column of gaps as floats."""
    if column.dtype != object:
        return pd.Series(column)
    series = pd.Series(column.tolist())
    return series.astype(np.float64) if series.dtype == object and series.isna().all() else series


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(count: int) -> datetime:
    """The moment that many microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=count)
