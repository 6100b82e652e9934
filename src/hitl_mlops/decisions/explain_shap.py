"""What spoke for the answer of any model, by Shapley values: the extra `hitl_mlops[shap]`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.explain_occlusion import (
    Ask,
    Baseline,
    Hidden,
    explanation_of,
    hidden_parts,
    without,
)
from hitl_mlops.decisions.explanation import ExplainedBy, Explanation, Part
from hitl_mlops.decisions.record import Decision
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import ConfigurationError

COALITIONS = 512
"""How often a model is asked of one case: eight times as often as by occlusion."""


def require_shap() -> Any:
    """The library; raises ConfigurationError where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns about its own imports
            import shap
    except ImportError as error:
        raise ConfigurationError(
            "review.explain is shap, which is not installed.",
            remedy="Run `pip install hitl_mlops[shap]`, or set review.explain to auto in hitl.yaml.",
        ) from error
    return shap


def explain_by_shap(
    ask: Ask, classes: Sequence[str], inputs: pd.DataFrame, decisions: Sequence[Decision], task: Task,
    baseline: Baseline,
) -> list[Explanation | None]:  # fmt: skip
    """Each part's Shapley value in probability of the answer, by Kernel SHAP; else as `explain_by_occlusion`.

    The model is asked once a case, of 512 sets of parts that are put out of sight together. With few parts
    the values are exact; they add up to what the answer's probability loses when all parts are.
    """
    found: list[Explanation | None] = []
    for place, decision in enumerate(decisions):
        row = inputs.iloc[[place]]
        cells = {str(name): value for name, value in row.iloc[0].items()}
        hidden = hidden_parts(cells, task, baseline)
        if not hidden:
            found.append(None)
            continue
        column = list(classes).index(decision.label)
        values = _values(ask, column, row, cells, hidden, task)
        found.append(explanation_of(ExplainedBy.SHAP, decision, hidden, values, task))
    return found


def _values(
    ask: Ask, column: int, row: pd.DataFrame, cells: Mapping[str, Any], hidden: Sequence[Hidden], task: Task
) -> npt.NDArray[np.float64]:
    shap = require_shap()

    def seen(sets: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        gone = [[hidden[place] for place in np.flatnonzero(one == 0).tolist()] for one in sets]
        rows = without(row, [[_together(some, cells, task) for some in gone]])
        return np.asarray(ask(rows)[:, column])

    explainer = shap.KernelExplainer(seen, np.zeros((1, len(hidden))))
    every = np.ones((1, len(hidden)))
    told = explainer.shap_values(every, nsamples=COALITIONS, l1_reg=0, silent=True)
    return np.asarray(told, dtype=np.float64).reshape(-1)


def _together(some: Sequence[Hidden], cells: Mapping[str, Any], task: Task) -> Hidden:
    """All of these out of sight at once."""
    changes: dict[str, Any] = {}
    if task.kind is InputKind.TEXT:
        if some:
            names = "|".join(re.escape(one.part.name) for one in some)
            changes = {task.inputs[0]: re.sub(rf"\b(?:{names})\b", " ", str(cells[task.inputs[0]]))}
    else:
        for one in some:
            changes |= one.changes
    return Hidden(Part("", "", 0.0), changes)
