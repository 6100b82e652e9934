"""Drift measured by ourselves: the stability index of each column against its own null. Draws no page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hitl_mlops.errors import InputError
from hitl_mlops.gates.measures import ColumnDrift, Drift
from hitl_mlops.statistics.drift import benjamini_hochberg, binned, permutation_p, psi

MAX_ROWS = 50_000
"""Rows of a side that are looked at: more make it slower, not surer."""

SMALLEST_INDEX = 0.1
"""An index below this is too small to matter, however sure."""

FALSE_DISCOVERIES = 0.05
"""Share of the columns called moved that may not have, at the most."""


@dataclass(frozen=True, slots=True)
class PlainMeasures:
    """The twin of the port.

    Attributes:
        max_rows: rows of a side that are looked at, drawn at random with a fixed seed.
    """

    max_rows: int = MAX_ROWS

    def drift(self, reference: pd.DataFrame, current: pd.DataFrame) -> Drift:
        """See `Measures`; a column moved if chance does not explain it and its index is .1 or more."""
        left, right = comparable(reference, current, self.max_rows)
        indices, surely = beyond_chance(left, right)
        columns = tuple(
            ColumnDrift(name, "population stability index", index, bool(sure and index >= SMALLEST_INDEX))
            for name, index, sure in zip(left.columns, indices, surely, strict=True)
        )
        return Drift(columns, len(left), len(right))


def comparable(
    reference: pd.DataFrame, current: pd.DataFrame, max_rows: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames with the columns they share, in the reference's order, at most so many rows each.

    Raises:
        InputError: they share no column, a name stands twice, or one frame has no rows.
    """
    left, right = (frame.rename(columns=str) for frame in (reference, current))
    shared = [name for name in left.columns if name in set(right.columns)]
    if not shared:
        raise InputError(
            "The two samples share no column, so no drift can be measured.",
            remedy="Compare samples of the same inputs.",
        )
    if left.empty or right.empty:
        raise InputError(
            f"A sample is empty: {len(left)} rows against {len(right)}.", remedy="Wait for more cases."
        )
    if len(set(shared)) < len(shared) or len(right[shared].columns) > len(shared):
        raise InputError("A column's name stands twice.", remedy="Give each column its own name.")
    return _bounded(left[shared], max_rows), _bounded(right[shared], max_rows)


def beyond_chance(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[list[float], list[bool]]:
    """Each column's index, and whether it is more than chance shows, corrected over all columns."""
    counts = [binned(reference[name], current[name]) for name in reference.columns]
    p_values = [permutation_p(before.tolist(), after.tolist()) for before, after in counts]
    moved = benjamini_hochberg(p_values, q=FALSE_DISCOVERIES)
    return [psi(before, after) for before, after in counts], moved.tolist()


def _bounded(frame: pd.DataFrame, max_rows: int) -> pd.DataFrame:
    if len(frame) > max_rows:
        chosen = np.random.default_rng(0).choice(len(frame), size=max_rows, replace=False)
        frame = frame.iloc[np.sort(chosen)]
    return frame.reset_index(drop=True)
