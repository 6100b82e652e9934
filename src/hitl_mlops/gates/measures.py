"""The port of drift measures. Twin `measures_plain`, real adapter `measures_evidently`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How far one column moved.

    Attributes:
        column: its name.
        method: the distance or test that was used; it says so where it is of the missing values.
        score: its value: a p-value or a distance, by `method`.
        drifted: far enough to matter, and beyond what chance explains at this many rows, corrected over all
            columns.
    """

    column: str
    method: str
    score: float
    drifted: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """What was measured between two samples.

    Attributes:
        columns: one row per column.
        reference_rows: rows of the reference that were looked at.
        current_rows: rows of the current sample that were looked at.
        html: the report as a page; None where the adapter draws none.
    """

    columns: tuple[ColumnDrift, ...]
    reference_rows: int
    current_rows: int
    html: bytes | None = None

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the columns that moved."""
        return tuple(column.column for column in self.columns if column.drifted)

    @property
    def share(self) -> float:
        """Share of columns that moved, in [0, 1]; 0 without columns."""
        return len(self.drifted) / len(self.columns) if self.columns else 0.0


class Measures(Protocol):
    """Measures drift."""

    def drift(self, reference: pd.DataFrame, current: pd.DataFrame) -> Drift:
        """Compare column by column, values and gaps. Columns of both frames; constant ones do not drift.

        Of many rows a bounded sample is looked at, one row of every stretch of equal length, each value of
        a column `answer` by its share; the same frames give the same figures.

        Raises:
            InputError: the frames share no column, or one is empty.
        """
        ...
