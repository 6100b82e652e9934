"""By what measure two inputs are alike, learned from the base data; and the inputs to compare with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.schema import ColumnType, InputSchema
from hitl_mlops.decisions.task import InputKind
from hitl_mlops.routing.likeness import Yardstick


def yardstick_of(base: pd.DataFrame, schema: InputSchema, kind: InputKind) -> Yardstick:
    """Each column of numbers with its standard deviation, and the columns of text.

    The pixels of an image share one spread, since a corner that was always blank may hold ink tomorrow; a
    column that never changes has spread 1. Everything else is alike only where it is equal.
    """
    numbers = [spec.name for spec in schema.columns if spec.type is ColumnType.NUMBER]
    texts = [spec.name for spec in schema.columns if spec.type is ColumnType.TEXT]
    values = {name: _numbers(base[name]) for name in numbers}
    if kind is InputKind.IMAGE:
        shared = _spread(np.concatenate(list(values.values()))) if values else 1.0
        return Yardstick(dict.fromkeys(numbers, shared))
    return Yardstick({name: _spread(column) for name, column in values.items()}, frozenset(texts))


def inputs_of(log: DecisionLog, decision_ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Decision id → what the model saw of its case, for those that are known."""
    found = log.many(decision_ids)
    cases = log.cases(one.case_id for one in found.values())
    return {name: cases[one.case_id].inputs for name, one in found.items() if one.case_id in cases}


def _numbers(column: pd.Series) -> npt.NDArray[np.float64]:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(numbers[np.isfinite(numbers)])


def _spread(numbers: npt.NDArray[np.float64]) -> float:
    spread = float(numbers.std()) if numbers.size else 0.0
    return spread if spread > 0 else 1.0
