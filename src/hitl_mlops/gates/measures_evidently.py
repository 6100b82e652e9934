"""Drift as Evidently measures and draws it, its verdicts corrected for chance.

Evidently's own thresholds do not know how many rows and columns there are. A column is called moved when its
distance is beyond Evidently's threshold *and* more than the permutation null shows at this many rows,
corrected over all columns. Evidently leaves missing values out; where they are is handed to it as a column of
its own.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.gates.measures import ColumnDrift, Drift
from hitl_mlops.gates.measures_plain import Surprise, beyond_chance
from hitl_mlops.gates.measures_sample import MAX_ROWS, comparable

NOTHING_TO_COMPARE = "no values"
MISSING = "missing values: "


@dataclass(frozen=True, slots=True)
class EvidentlyMeasures:
    """The real adapter of the port; its page is Evidently's drift report.

    Attributes:
        max_rows: rows of a side that are looked at, stratified and always the same.
    """

    max_rows: int = MAX_ROWS

    def drift(self, reference: pd.DataFrame, current: pd.DataFrame) -> Drift:
        """See `Measures`. A column without any value on a side moves if the other has enough of them."""
        left, right = comparable(reference, current, self.max_rows)
        surprises = beyond_chance(left, right)
        measured, page = _report(left, right)
        columns = tuple(_verdict(name, one, measured) for name, one in surprises.items())
        return Drift(columns, len(left), len(right), _headed(page, columns))


@dataclass(frozen=True, slots=True)
class _Measured:
    """Evidently's word on one column: method, score, and whether it lies beyond its own threshold."""

    method: str
    score: float
    beyond: bool


def _verdict(name: str, chance: Surprise, measured: dict[str, _Measured]) -> ColumnDrift:
    values, gaps = measured.get(name), measured.get(MISSING + name)
    moved = values is not None and values.beyond and chance.values_moved
    if gaps is not None and gaps.beyond and chance.gaps_moved and not moved:
        return ColumnDrift(name, MISSING + gaps.method, gaps.score, drifted=True)
    if values is None:
        return ColumnDrift(name, NOTHING_TO_COMPARE, 0.0, drifted=False)
    return ColumnDrift(name, values.method, values.score, moved)


def _report(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[dict[str, _Measured], str]:
    """What Evidently measures, by column, and its page; empty where no column has two sides."""
    sides = [_with_gaps(one, other) for one, other in ((reference, current), (current, reference))]
    names = [str(name) for name in sides[0] if all(one[name].notna().any() for one in sides)]
    if not names:
        return {}, ""
    os.environ.setdefault("DO_NOT_TRACK", "true")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of its imports, and of correlations of constant columns
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift

        numbers = [name for name in names if sides[0][name].dtype.kind == "f"]
        words = [name for name in names if name not in numbers]
        definition = DataDefinition(numerical_columns=numbers, categorical_columns=words)
        before, after = (Dataset.from_pandas(one[names], data_definition=definition) for one in sides)
        snapshot = Report([ValueDrift(column=name) for name in names]).run(after, before)
        page = snapshot.get_html_str(as_iframe=False)
    return {one["config"]["column"]: _measured(one) for one in snapshot.dict()["metrics"]}, page


def _with_gaps(frame: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The frame, and for each column with gaps on a side a column that tells where they are."""
    told = {
        MISSING + str(name): frame[name].isna().map({True: "missing", False: "there"})
        for name in frame
        if (frame[name].isna().any() or other[name].isna().any())
        and (frame[name].notna().any() or other[name].notna().any())
        and MISSING + str(name) not in frame
    }
    return pd.concat([frame, pd.DataFrame(told)], axis=1)


def _measured(metric: dict[str, Any]) -> _Measured:
    config, score = metric["config"], float(metric["value"])
    if not np.isfinite(score):  # a test that could not be made leaves the word to the null
        return _Measured(config["method"], 0.0, beyond=True)
    small_means_moved = "p_value" in config["method"]
    beyond = score <= config["threshold"] if small_means_moved else score >= config["threshold"]
    return _Measured(config["method"], score, bool(beyond))


def _headed(page: str, columns: tuple[ColumnDrift, ...]) -> bytes | None:
    """The page under what was concluded from it, since its own verdicts know nothing of chance."""
    if not page:
        return None
    names = ", ".join(one.column for one in columns if one.drifted) or "none"
    word = (
        f"<p style='font-family:sans-serif;margin:1em'><b>Columns that moved, corrected for chance over all "
        f"columns: {escape(names)}.</b> The verdicts below are Evidently's own, column by column, by fixed "
        f"thresholds.</p>"
    )
    start = page.find(">", page.find("<body")) + 1
    return (page[:start] + word + page[start:]).encode()
