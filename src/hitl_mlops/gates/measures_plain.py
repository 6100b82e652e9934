"""Drift measured by ourselves: the stability index of each column against its own null. Draws no page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hitl_mlops.gates.measures import ColumnDrift, Drift
from hitl_mlops.gates.measures_sample import MAX_ROWS, comparable
from hitl_mlops.statistics.drift import PERMUTATIONS, IntArray, benjamini_hochberg, binned, permutation_p, psi

SMALLEST_INDEX = 0.1
"""An index below this is too small to matter, however sure."""

FALSE_DISCOVERIES = 0.05
"""Share of the columns called moved that may not have, at the most; without drift the chance of any."""

DRAWS_PER_TEST = 40
"""So many draws of the null for each test at the least, so that one moved column of many can be told."""


@dataclass(frozen=True, slots=True)
class PlainMeasures:
    """The twin of the port.

    Attributes:
        max_rows: rows of a side that are looked at, stratified and always the same.
    """

    max_rows: int = MAX_ROWS

    def drift(self, reference: pd.DataFrame, current: pd.DataFrame) -> Drift:
        """See `Measures`; a column moved if chance does not explain it and its index is .1 or more."""
        left, right = comparable(reference, current, self.max_rows)
        columns = tuple(
            ColumnDrift(
                name,
                "population stability index",
                max(one.values_index, one.gaps_index),
                (one.values_moved and one.values_index >= SMALLEST_INDEX)
                or (one.gaps_moved and one.gaps_index >= SMALLEST_INDEX),
            )
            for name, one in beyond_chance(left, right).items()
        )
        return Drift(columns, len(left), len(right))


@dataclass(frozen=True, slots=True)
class Surprise:
    """What chance does not explain of one column.

    Attributes:
        values_index: stability index of the values that are there.
        values_moved: it is more than chance shows at this many rows, corrected over all tests.
        gaps_index: stability index of the share that is missing.
        gaps_moved: the same of it.
    """

    values_index: float
    values_moved: bool
    gaps_index: float
    gaps_moved: bool


def beyond_chance(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Surprise]:
    """What is more than chance shows, by column; values and gaps are tests of their own.

    Both frames as `comparable` gives them. A test that cannot show anything, of a constant column or one
    without gaps, is not counted.
    """
    values = [binned(reference[name].dropna(), current[name].dropna()) for name in reference]
    gaps = [_gaps(reference[name], current[name]) for name in reference]
    counts = [*values, *gaps]
    tests = [place for place, (before, _) in enumerate(counts) if before.size > 1]
    draws = max(PERMUTATIONS, DRAWS_PER_TEST * len(tests) - 1)
    fallen = benjamini_hochberg([_p(counts[place], draws) for place in tests], q=FALSE_DISCOVERIES)
    moved = {place for place, one in zip(tests, fallen, strict=True) if one}
    indices = [psi(before, after) for before, after in counts]
    return {
        str(name): Surprise(indices[place], place in moved, indices[late], late in moved)
        for place, name in enumerate(reference)
        for late in (place + len(values),)
    }


def _gaps(reference: pd.Series, current: pd.Series) -> tuple[IntArray, IntArray]:
    """How many values are there and how many missing, of both; one count where no side has gaps."""
    before, after = (np.array([one.notna().sum(), one.isna().sum()]) for one in (reference, current))
    kept = before + after > 0
    return before[kept], after[kept]


def _p(counts: tuple[IntArray, IntArray], draws: int) -> float:
    before, after = counts
    return permutation_p(before.tolist(), after.tolist(), draws=draws)
