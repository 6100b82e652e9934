"""Drift as Evidently measures and draws it, its verdicts corrected for chance.

Evidently's own thresholds do not know how many rows and columns there are. A column is called moved when its
test says so *and* the permutation null at this many rows, corrected over all columns, agrees.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.gates.measures import ColumnDrift, Drift
from hitl_mlops.gates.measures_plain import MAX_ROWS, beyond_chance, comparable
from hitl_mlops.statistics.drift import numeric

NOTHING_TO_COMPARE = "no values"


@dataclass(frozen=True, slots=True)
class EvidentlyMeasures:
    """The real adapter of the port; its page is Evidently's data drift report.

    Attributes:
        max_rows: rows of a side that are looked at, drawn at random with a fixed seed.
    """

    max_rows: int = MAX_ROWS

    def drift(self, reference: pd.DataFrame, current: pd.DataFrame) -> Drift:
        """See `Measures`. A column without any value on a side moves if the other has enough of them."""
        left, right = comparable(reference, current, self.max_rows)
        _, surely = beyond_chance(left, right)
        usable = [name for name in left if left[name].notna().any() and right[name].notna().any()]
        measured, html = _report(left[usable], right[usable]) if usable else ({}, None)
        columns = []
        for name, sure in zip(left.columns, surely, strict=True):
            method, score, moved = measured.get(name, (NOTHING_TO_COMPARE, 0.0, True))
            columns.append(ColumnDrift(name, method, score, bool(sure and moved)))
        return Drift(tuple(columns), len(left), len(right), html)


def _report(
    reference: pd.DataFrame, current: pd.DataFrame
) -> tuple[dict[str, tuple[str, float, bool]], bytes]:
    """Column → (method, score, its own verdict), and the page."""
    os.environ.setdefault("DO_NOT_TRACK", "true")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of its imports, and of correlations of constant columns
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        numbers = [str(name) for name in reference if numeric(reference[name]) and numeric(current[name])]
        words = [name for name in reference if name not in numbers]
        definition = DataDefinition(numerical_columns=numbers, categorical_columns=words)
        sides = [
            Dataset.from_pandas(_plain(frame, numbers), data_definition=definition)
            for frame in (current, reference)
        ]
        snapshot = Report([DataDriftPreset()]).run(*sides)
        page = snapshot.get_html_str(as_iframe=False)
    found = [_verdict(metric) for metric in snapshot.dict()["metrics"] if "column" in metric["config"]]
    return {name: rest for name, *rest in found}, page.encode()  # type: ignore[misc]


def _plain(frame: pd.DataFrame, numbers: list[str]) -> pd.DataFrame:
    """Numbers as floats, all else as text, so that mixed columns are compared and not left out."""
    columns = {
        name: frame[name].astype(float)
        if name in numbers
        else frame[name].astype(object).where(frame[name].isna(), frame[name].astype(str))
        for name in frame.columns
    }
    return pd.DataFrame(columns)


def _verdict(metric: dict[str, Any]) -> tuple[str, str, float, bool]:
    config, score = metric["config"], float(metric["value"])
    if not np.isfinite(score):  # a test that could not be made leaves the word to the null
        return config["column"], config["method"], 0.0, True
    small_means_moved = "p_value" in config["method"]
    moved = score <= config["threshold"] if small_means_moved else score >= config["threshold"]
    return config["column"], config["method"], score, bool(moved)
