"""What spoke for the answer of any model: each part is put out of sight, and the model asked again. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.explain_linear import told
from hitl_mlops.decisions.explanation import ExplainedBy, Explanation, Part, strongest
from hitl_mlops.decisions.heat import Heat, cell_of, regions_of
from hitl_mlops.decisions.record import Decision
from hitl_mlops.decisions.task import InputKind, Task

MOST_HIDDEN = 64
"""How often a model is asked again of one case."""
_WORD = re.compile(r"\w+")
Ask = Callable[[pd.DataFrame], npt.NDArray[np.float64]]
"""Rows of inputs → probabilities, one column per class."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What stands for a column that is out of sight.

    Attributes:
        usual: column → the median of numbers, else the commonest value.
        spread: column of numbers → its standard deviation, above 0.
    """

    usual: Mapping[str, Any] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A part of a case, and what the inputs are without it."""

    part: Part
    changes: Mapping[str, Any]


def baseline_of(base: pd.DataFrame, names: Sequence[str]) -> Baseline:
    """What stands for each column out of sight, by the base data; a column without values has none."""
    values: dict[str, Any] = {}
    spread: dict[str, float] = {}
    for name in names:
        filled = base[name].dropna()
        if filled.empty:
            continue
        if pd.api.types.is_numeric_dtype(filled.dtype) and not pd.api.types.is_bool_dtype(filled.dtype):
            values[name] = float(filled.median())
            deviation = float(filled.std(ddof=0))
            spread[name] = deviation if deviation > 0 and math.isfinite(deviation) else 1.0
        else:
            values[name] = filled.mode().iloc[0]
    return Baseline(values, spread)


def hidden_parts(row: Mapping[str, Any], task: Task, baseline: Baseline) -> list[Hidden]:
    """The parts of a case that are put out of sight one by one, at most 64.

    Words of a text (of long ones runs of words), columns that differ from the baseline (those furthest from
    it first), cells of a picture. A picture that is a path has none.
    """
    if task.kind is InputKind.TEXT:
        return _words(task.inputs[0], str(row.get(task.inputs[0]) or ""))
    if task.kind is InputKind.IMAGE:
        return _cells(task.inputs, baseline) if len(task.inputs) > 1 else []
    return _columns(row, task.inputs, baseline)


def explain_by_occlusion(
    ask: Ask, classes: Sequence[str], inputs: pd.DataFrame, decisions: Sequence[Decision], task: Task,
    baseline: Baseline,
) -> list[Explanation | None]:  # fmt: skip
    """What each answer's probability loses without each part; the model is asked once for all of them.

    Args:
        ask: the model that answered.
        classes: of its columns.
        inputs: one row per case, as the model sees them.
        decisions: what it said of each, in that order.
        task: the shape of a case.
        baseline: what stands for what is out of sight.

    Returns:
        One per case; None for a case that has no parts to hide.
    """
    rows = [{str(name): cell for name, cell in row.items()} for row in inputs.to_dict(orient="records")]
    parts = [hidden_parts(row, task, baseline) for row in rows]
    if not any(parts):
        return [None] * len(rows)
    said = ask(without(inputs, parts))
    found: list[Explanation | None] = []
    start = 0
    for decision, hidden in zip(decisions, parts, strict=True):
        answers = said[start : start + len(hidden), list(classes).index(decision.label)]
        start += len(hidden)
        lost = decision.confidence - answers
        found.append(explanation_of(ExplainedBy.OCCLUSION, decision, hidden, lost, task) if hidden else None)
    return found


def without(inputs: pd.DataFrame, parts: Sequence[Sequence[Hidden]]) -> pd.DataFrame:
    """A row for each part of each case, in order, with that part out of sight."""
    counts = [len(hidden) for hidden in parts]
    big = inputs.iloc[np.repeat(np.arange(len(inputs)), counts)].reset_index(drop=True)
    places: dict[str, list[int]] = {}
    values: dict[str, list[Any]] = {}
    flat = (one for hidden in parts for one in hidden)
    for place, one in enumerate(flat):
        for name, value in one.changes.items():
            places.setdefault(name, []).append(place)
            values.setdefault(name, []).append(value)
    for name, where in places.items():
        cells = big[name].to_numpy(copy=True)
        cells = cells if cells.dtype.kind in "fO" else cells.astype(object)
        cells[where] = values[name]
        big[name] = cells
    return big


def explanation_of(
    method: ExplainedBy,
    decision: Decision,
    hidden: Sequence[Hidden],
    weights: npt.NDArray[np.float64],
    task: Task,
) -> Explanation:
    """The explanation that the weights of the hidden parts make. Shape of `weights`: (len(hidden),)."""
    against = next((name for name, _ in decision.alternatives(1)), "")
    if task.kind is InputKind.IMAGE:
        heat = Heat(weights.reshape(math.isqrt(len(weights)), -1))
        return Explanation(method, against, regions_of(heat), heat.shown)
    parts = [
        Part(one.part.name, one.part.value, float(weight))
        for one, weight in zip(hidden, weights, strict=True)
    ]
    return Explanation(method, against, strongest(parts))


def _words(column: str, text: str) -> list[Hidden]:
    words = list(dict.fromkeys(_WORD.findall(text)))
    if len(words) <= MOST_HIDDEN:
        return [
            Hidden(Part(word, "", 0.0), {column: re.sub(rf"\b{re.escape(word)}\b", " ", text)})
            for word in words
        ]
    spans = [found.span() for found in _WORD.finditer(text)]
    each = -(-len(spans) // MOST_HIDDEN)
    runs = [spans[start : start + each] for start in range(0, len(spans), each)]
    return [
        Hidden(Part(text[run[0][0] : run[-1][1]], "", 0.0), {column: text[: run[0][0]] + text[run[-1][1] :]})
        for run in runs
    ]


def _columns(row: Mapping[str, Any], names: Sequence[str], baseline: Baseline) -> list[Hidden]:
    apart = {
        name: _apart(row.get(name), baseline.usual[name], baseline.spread.get(name))
        for name in names
        if name in baseline.usual
    }
    chosen = sorted((name for name in apart if apart[name] > 0), key=lambda name: -apart[name])[:MOST_HIDDEN]
    return [Hidden(Part(name, told(row.get(name)), 0.0), {name: baseline.usual[name]}) for name in chosen]


def _apart(value: Any, usual: Any, spread: float | None) -> float:
    """How far the value lies from the usual one, in deviations; 1 where that has no meaning."""
    if value == usual:
        return 0.0
    if spread is None or isinstance(value, str) or value is None or math.isnan(float(value)):
        return 1.0
    return abs(float(value) - float(usual)) / spread


def _cells(names: Sequence[str], baseline: Baseline) -> list[Hidden]:
    try:
        cells = cell_of(len(names))
    except ValueError:
        return []
    return [
        Hidden(
            Part("", "", 0.0),
            {
                names[place]: baseline.usual.get(names[place], 0.0)
                for place in np.flatnonzero(cells == cell).tolist()
            },
        )
        for cell in range(int(cells.max()) + 1)
    ]
