"""What spoke for the answer of a linear model, read off its coefficients. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.explanation import ExplainedBy, Explanation, Part, strongest
from hitl_mlops.decisions.heat import heat_of, regions_of
from hitl_mlops.decisions.record import Decision
from hitl_mlops.decisions.task import InputKind, Task


@dataclass(frozen=True, slots=True)
class _Owner:
    """The input that a coefficient belongs to: a column, or a word of a text."""

    name: str
    is_word: bool = False


@dataclass(frozen=True, slots=True)
class LinearReader:
    """Reads explanations off the coefficients of one model.

    Attributes:
        reading: what turns inputs into standardised values.
        coefficients: shape (classes, values); one row where there are two classes.
        places: class → its row.
        owners: of each value, in order.
        task: the shape of a case.
    """

    reading: Any
    coefficients: npt.NDArray[np.float64]
    places: Mapping[str, int]
    owners: Sequence[_Owner]
    task: Task

    def explain(self, inputs: pd.DataFrame, decisions: Sequence[Decision]) -> list[Explanation]:
        """What spoke for each answer: coefficient times standardised value, its less the next class's.

        Coefficients of one column (its categories, its gap, the parts of a date) count together.

        Args:
            inputs: one row per case, as the model sees them.
            decisions: what it said of each, in that order.
        """
        import scipy.sparse as sp

        read = sp.csr_array(self.reading.transform(inputs))
        cells = {str(name): inputs[name].tolist() for name in inputs.columns}
        found = []
        for row, decision in enumerate(decisions):
            against = next((name for name, _ in decision.alternatives(1)), "")
            first, last = read.indptr[row], read.indptr[row + 1]
            there = read.indices[first:last]
            direction = self._of(decision.label, there) - self._of(against, there)
            weights = read.data[first:last] * direction
            found.append(_explanation(self.task, cells, row, against, self.owners, there, weights))
        return found

    def _of(self, name: str, there: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The class's own; with two classes there is one row, half for the second, half against the first."""
        place = self.places.get(name)
        if place is None:
            return np.zeros(len(there))
        if len(self.coefficients) == 1:
            return np.asarray(self.coefficients[0][there] * (0.5 if place == 1 else -0.5))
        return np.asarray(self.coefficients[place][there])


def linear_reader(estimator: Any, names: Sequence[str], task: Task) -> LinearReader | None:
    """What explains a pipeline that ends in a linear classifier, recalibrated or not.

    None where the estimator is no such pipeline, or its columns cannot be told apart.

    Args:
        estimator: fitted.
        names: columns of its inputs.
        task: the shape of a case.
    """
    pipeline: Any = estimator if hasattr(estimator, "steps") else getattr(estimator, "estimator", None)
    if len(getattr(pipeline, "steps", ())) < 2 or not hasattr(pipeline.steps[-1][1], "coef_"):  # noqa: PLR2004
        return None
    reading, model = pipeline[:-1], pipeline.steps[-1][1]
    owners = _owners(reading, names)
    if owners is None or len(owners) != model.coef_.shape[1]:
        return None
    places = {str(name): place for place, name in enumerate(model.classes_)}
    return LinearReader(reading, model.coef_, places, owners, task)


def _explanation(  # of one row
    task: Task,
    cells: Mapping[str, Sequence[Any]],
    row: int,
    against: str,
    owners: Sequence[_Owner],
    there: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
) -> Explanation:
    if task.kind is InputKind.IMAGE:
        heat = heat_of(_pixels(task.inputs, owners, there, weights))
        return Explanation(ExplainedBy.LINEAR, against, regions_of(heat), heat.shown)
    added: dict[_Owner, float] = {}
    for place, weight in zip(there.tolist(), weights.tolist(), strict=True):
        added[owners[place]] = added.get(owners[place], 0.0) + weight
    columns = {owner.name for owner in added if not owner.is_word}
    kept = strongest([Part(owner.name, "", weight) for owner, weight in added.items()])
    parts = tuple(
        replace(one, value=told(cells[one.name][row])) if one.name in columns else one for one in kept
    )
    return Explanation(ExplainedBy.LINEAR, against, parts)


def _pixels(
    names: Sequence[str],
    owners: Sequence[_Owner],
    there: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """The weight of each pixel, in the order of the names."""
    every = np.zeros(len(owners))
    every[there] = weights
    if [owner.name for owner in owners] == list(names):
        return every
    places = {owner.name: place for place, owner in enumerate(owners)}
    return every[[places[name] for name in names]]


def told(value: Any) -> str:
    """The value in a few signs.

    >>> told(0.123456789), told(None), told("red")
    ('0.123457', '(missing)', 'red')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "(missing)"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _owners(reading: Any, names: Sequence[str]) -> list[_Owner] | None:
    """The input of each coefficient, in order; None where it cannot be told."""
    last = reading.steps[-1][1]
    if hasattr(last, "vocabulary_"):
        return [_Owner(str(word), is_word=True) for word in last.get_feature_names_out()]
    if len(reading.steps) == 1 and hasattr(last, "transformers_"):
        return _of_columns(last)
    width = getattr(last, "n_features_in_", None)
    return [_Owner(name) for name in names] if width == len(names) else None


def _of_columns(columns: Any) -> list[_Owner] | None:
    """The column of each coefficient behind a ColumnTransformer."""
    owners: list[_Owner] = []
    for name, part, of in columns.transformers_:
        span = columns.output_indices_[name]
        width = span.stop - span.start
        if width == 0:
            continue
        if isinstance(part, str) or span.start != len(owners):
            return None
        found = _of_part(part, [str(one) for one in of], width)
        if found is None or len(found) != width:
            return None
        owners += found
    return owners


def _of_part(part: Any, names: Sequence[str], width: int) -> list[_Owner] | None:
    steps = [one for _, one in getattr(part, "steps", [("", part)])]
    if hasattr(steps[-1], "vocabulary_"):
        return [_Owner(f"{names[0]}: {word}", is_word=True) for word in steps[-1].get_feature_names_out()]
    if hasattr(steps[-1], "categories_"):
        spelt = steps[-1].get_feature_names_out([str(place) for place in range(len(names))])
        return [_Owner(names[int(one.partition("_")[0])]) for one in spelt]
    marks = next((one.indicator_ for one in steps if getattr(one, "indicator_", None) is not None), None)
    gaps = [] if marks is None else list(marks.features_)
    plain = width - len(gaps)
    if plain <= 0 or plain % len(names):
        return None
    each = plain // len(names)
    return [_Owner(names[place // each]) for place in [*range(plain), *gaps]]
