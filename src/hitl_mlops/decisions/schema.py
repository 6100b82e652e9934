"""What inputs look like, learned from the base data, so that an odd row is seen before a model sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.documents import did_you_mean
from hitl_mlops.errors import InputError

MOST_CATEGORIES = 50
RANGE_SLACK_FRAC = 1.0
"""How far beyond the learned range a number may lie, as a share of that range, on either side."""


class ColumnType(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    FLAG = "flag"
    CATEGORY = "category"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One input column as the base data shows it.

    Attributes:
        name: the column.
        type: what it holds.
        may_be_missing: the base data has gaps in it too.
        low: smallest number that is still believed; None: no bound.
        high: largest number that is still believed; None: no bound.
        categories: the values seen, by name, where there are at most 50; a new one is not refused.
    """

    name: str
    type: ColumnType
    may_be_missing: bool = False
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputSchema:
    """The input columns, in the order of the task."""

    columns: tuple[ColumnSpec, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            spec.name: {
                "type": spec.type.value,
                "may_be_missing": spec.may_be_missing,
                "low": spec.low,
                "high": spec.high,
                "categories": list(spec.categories),
            }
            for spec in self.columns
        }


def read_schema(plain: Mapping[str, Any]) -> InputSchema:
    """The schema that `to_dict` wrote."""
    return InputSchema(
        tuple(
            ColumnSpec(
                name,
                ColumnType(spec["type"]),
                bool(spec["may_be_missing"]),
                spec["low"],
                spec["high"],
                tuple(spec["categories"]),
            )
            for name, spec in plain.items()
        )
    )


def learn_schema(base: pd.DataFrame, task: Task) -> InputSchema:
    """The types, ranges and categories of the task's inputs in the base data.

    Ranges are widened by their own width on either side. All pixels of an image share one range, since a
    corner that was always blank may hold ink tomorrow. A column that never changes has no range. Text
    columns are numbers where every value reads as one.

    Raises:
        InputError: an input column is missing from the base data, or has no value at all; or one of several
            of an image holds no numbers.
    """
    require_columns(base, task.inputs)
    specs = tuple(_learn_column(base[name], name, task) for name in task.inputs)
    if task.kind is InputKind.IMAGE and len(specs) > 1:
        _require_pixels(specs)
        block = base[list(task.inputs)].to_numpy(dtype=np.float64, na_value=np.nan)
        low, high = _widened(block[np.isfinite(block)])
        specs = tuple(ColumnSpec(spec.name, spec.type, spec.may_be_missing, low, high) for spec in specs)
    return InputSchema(specs)


def _require_pixels(specs: tuple[ColumnSpec, ...]) -> None:
    others = [spec.name for spec in specs if spec.type not in (ColumnType.NUMBER, ColumnType.FLAG)]
    if others:
        raise InputError(
            f"The image's column {others[0]!r} holds no numbers in the base data.",
            remedy="Let task.inputs in hitl.yaml name pixel columns only, or one column of paths.",
            columns=others,
        )


def require_columns(frame: pd.DataFrame, names: tuple[str, ...]) -> None:
    """The frame has every one of the columns; else InputError names all that are missing."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        known = [str(name) for name in frame.columns]
        raise InputError(
            f"{'A column is' if len(missing) == 1 else 'Columns are'} missing: {', '.join(missing)}.",
            remedy=f"{_meant(missing[0], known, names)}Add it to the file, or change task in hitl.yaml.",
            missing=missing,
        )


def _meant(missing: str, known: list[str], names: tuple[str, ...]) -> str:
    """The likeliest of the columns that are there and are asked for under no name of their own."""
    others = [name for name in known if name not in names]
    return f"{did_you_mean(missing, others)} " if others else ""


def _learn_column(column: pd.Series, name: str, task: Task) -> ColumnSpec:
    present = column.dropna()
    if present.empty:
        raise InputError(
            f"The column {name!r} has no value in the base data.",
            remedy="Take it out of task.inputs in hitl.yaml.",
        )
    gaps = bool(column.isna().any())
    if pd.api.types.is_bool_dtype(present.infer_objects().dtype):
        return ColumnSpec(name, ColumnType.FLAG, gaps)
    single = task.kind is not InputKind.TABLE and len(task.inputs) == 1
    if not single and pd.api.types.is_numeric_dtype(present.infer_objects().dtype):
        numbers = present.to_numpy(dtype=np.float64)
        low, high = _widened(numbers[np.isfinite(numbers)])
        return ColumnSpec(name, ColumnType.NUMBER, gaps, low, high)
    values = sorted({str(value) for value in present.unique()})
    if single or len(values) > MOST_CATEGORIES:
        return ColumnSpec(name, ColumnType.TEXT, gaps and not single)
    return ColumnSpec(name, ColumnType.CATEGORY, gaps, categories=tuple(values))


def _widened(numbers: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float | None, float | None]:
    """The range with its slack; None where there is no range, or none that a float can hold."""
    if numbers.size == 0 or numbers.min() == numbers.max():
        return None, None
    low, high = float(numbers.min()), float(numbers.max())
    slack = RANGE_SLACK_FRAC * (high - low)  # plain floats overflow to infinity without a word
    return _finite(low - slack), _finite(high + slack)


def _finite(bound: float) -> float | None:
    return bound if isfinite(bound) else None
