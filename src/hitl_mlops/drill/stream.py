"""The stream of a drill: rows of the base data drawn again, as they are or shifted. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.task import InputKind, Task

CASE_ID = "hitl_drill_case"
"""The column that names cases of a drill."""
MOST_ROWS = 2_000
"""Labelled rows of the base data that a drill learns and draws from, at the most."""


def pool_of(base: pd.DataFrame, task: Task, rng: np.random.Generator) -> pd.DataFrame:
    """At most 2,000 labelled rows of the base data, each with a case id of its own."""
    labelled = base[base[task.label].notna()] if task.label in base else base
    if len(labelled) > MOST_ROWS:
        labelled = labelled.iloc[np.sort(rng.choice(len(labelled), MOST_ROWS, replace=False))]
    labelled = labelled.reset_index(drop=True)
    return labelled.assign(**{CASE_ID: [f"base-{place}" for place in range(len(labelled))]})


def draw(pool: pd.DataFrame, count: int, first: int, rng: np.random.Generator) -> pd.DataFrame:
    """So many rows of the pool, drawn with replacement, as cases `drill-FIRST` and on."""
    rows = pool.iloc[rng.integers(0, len(pool), count)].reset_index(drop=True)
    return named(rows, first)


def named(rows: pd.DataFrame, first: int) -> pd.DataFrame:
    """The same rows as cases of their own, `drill-FIRST` and on."""
    return rows.assign(**{CASE_ID: [f"drill-{number}" for number in range(first, first + len(rows))]})


def shifted(rows: pd.DataFrame, pool: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The rows as another world would bring them, each value one that the pool holds or may hold.

    Numbers move to the half of their column that lies in the direction in which the columns vary together,
    words become the commonest word, texts lose every second word. Of pictures given as files only those of
    half of the classes come.
    """
    if task.kind is InputKind.TEXT:
        name = task.inputs[0]
        return rows.assign(**{name: rows[name].map(_halved)})
    if task.kind is InputKind.IMAGE and len(task.inputs) == 1:
        return _of_some_classes(rows, pool, task)
    numbers = [name for name in task.inputs if pd.api.types.is_numeric_dtype(pool[name])]
    numbers = [name for name in numbers if not pd.api.types.is_bool_dtype(pool[name])]
    moved = {
        name: _upper(rows[name], pool[name], up=up)
        for name, up in zip(numbers, _directions(pool, numbers), strict=True)
    }
    words = [name for name in task.inputs if _holds_words(pool[name]) and pool[name].notna().any()]
    same = {name: pool[name].mode().iloc[0] for name in words if pool[name].nunique() <= len(pool) // 4}
    return rows.assign(**moved, **same)


def _of_some_classes(rows: pd.DataFrame, pool: pd.DataFrame, task: Task) -> pd.DataFrame:
    """As many rows under the same case ids, but only those of half of the classes; each comes again."""
    labels = sorted(pool[task.label].map(str).unique())
    places = np.flatnonzero(rows[task.label].map(str).isin(labels[: max(1, len(labels) // 2)]))
    if not len(places):
        return rows
    chosen = rows.iloc[np.resize(places, len(rows))]
    return chosen.assign(**{CASE_ID: rows[CASE_ID].to_numpy()}).reset_index(drop=True)


def _holds_words(column: pd.Series) -> bool:
    return pd.api.types.is_string_dtype(column) or bool(column.dtype == object)


def _halved(text: object) -> str:
    words = str(text).split()
    return " ".join(words[::2]) or str(text)


def _directions(pool: pd.DataFrame, numbers: Sequence[str]) -> list[bool]:
    """Whether each column rises with the first principal component of all."""
    if not numbers:
        return []
    values = pool[list(numbers)].astype(float)
    values = (values - values.mean()) / values.std().replace(0.0, 1.0)
    filled: npt.NDArray[np.float64] = values.fillna(0.0).to_numpy()
    return [bool(one >= 0) for one in np.linalg.svd(filled, full_matrices=False)[2][0]]


def _upper(column: pd.Series, known: pd.Series, *, up: bool) -> pd.Series:
    """Each value moved to the upper or lower half of the known ones, in the order they had; gaps stay."""
    ordered = np.sort(known.dropna().to_numpy())
    if not len(ordered):
        return column
    rank = np.searchsorted(ordered, column.to_numpy(), side="right") / len(ordered)
    share = 0.5 + rank / 2 if up else rank / 2
    places = np.clip((share * len(ordered)).astype(int), 0, len(ordered) - 1)
    return pd.Series(ordered[places], index=column.index).where(column.notna())
