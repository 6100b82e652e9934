"""How rare a row's categories and gaps are together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.odd_view import View
from hitl_mlops.decisions.schema import ColumnSpec, ColumnType, InputSchema

FloatArray = npt.NDArray[np.float64]

_EMPTY, _FILLED = "", "filled"
_FLAGS = {"1": "true", "0": "false"}


@dataclass(frozen=True, slots=True)
class WordColumn:
    """How often each value of a column was seen.

    Attributes:
        spec: the column; of one that holds no words, only whether a cell is empty is looked at.
        surprise: value → minus the logarithm of its share.
        unseen: the same of a value that was never seen.
    """

    spec: ColumnSpec
    surprise: Mapping[str, float]
    unseen: float

    def read(self, column: pd.Series[Any]) -> FloatArray:
        """The surprise of each cell, shape (n,)."""
        places, values = pd.factorize(_words(column, self.spec))
        table = np.array([self.surprise.get(value, self.unseen) for value in values], dtype=np.float64)
        return np.asarray(table[places])


@dataclass(frozen=True, slots=True)
class WordView(View):
    """The surprises of all columns but the largest, summed: one new value alone is no reason.

    Attributes:
        columns: with what was seen of each.
    """

    columns: tuple[WordColumn, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """One for each column."""
        return tuple(
            f"{one.spec.name} holds what the base data hold rarely or never, and others of its row too"
            for one in self.columns
        )

    def far(self, inputs: pd.DataFrame) -> FloatArray:
        """The sum without its largest part; 0 with one column."""
        surprises = self.blame(inputs)
        return np.asarray(np.sort(surprises, axis=1)[:, :-1].sum(axis=1))

    def blame(self, inputs: pd.DataFrame) -> FloatArray:
        """The surprise of each cell. Shape (n, columns)."""
        return np.column_stack([one.read(inputs[one.spec.name]) for one in self.columns])


def learn_words(shown: pd.DataFrame, schema: InputSchema) -> WordView | None:
    """How often these rows hold each category, flag and gap; None where fewer than two columns have any."""
    specs = [spec for spec in schema.columns if _holds_words(spec) or spec.may_be_missing]
    if len(specs) < 2:  # noqa: PLR2004 - one alone is never a reason
        return None
    return WordView(tuple(_learn(shown[spec.name], spec) for spec in specs))


def _learn(column: pd.Series[Any], spec: ColumnSpec) -> WordColumn:
    values, counts = np.unique(_words(column, spec), return_counts=True)
    total = np.log(counts.sum() + len(values) + 1)
    told = {str(value): float(total - np.log(count + 1)) for value, count in zip(values, counts, strict=True)}
    return WordColumn(spec, told, float(total))


def _holds_words(spec: ColumnSpec) -> bool:
    return spec.type in (ColumnType.CATEGORY, ColumnType.FLAG)


def _words(column: pd.Series[Any], spec: ColumnSpec) -> npt.NDArray[np.object_]:
    gaps = column.isna().to_numpy(dtype=np.bool_)
    if not _holds_words(spec):
        return np.where(gaps, _EMPTY, _FILLED).astype(object)
    places, values = pd.factorize(column)
    words = np.array([_word(value, spec) for value in values] + [_EMPTY], dtype=object)
    return np.asarray(words[places])  # a gap has place -1, the last


def _word(value: Any, spec: ColumnSpec) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    text = str(int(value)) if whole else str(value)
    return _FLAGS.get(text.strip(), text.strip().lower()) if spec.type is ColumnType.FLAG else text
