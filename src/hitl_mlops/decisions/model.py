"""A model that can be asked. The registry (training) loads one; here it is only used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SUM_TOLERANCE = 1e-4
"""How far a row of probabilities may be from 1: estimators in single precision round."""


class Model(Protocol):
    """A fitted model with its name and bytes."""

    @property
    def version(self) -> str:
        """The registry's version."""
        ...

    @property
    def digest(self) -> str:
        """Content hash of the loaded bytes."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of the probability columns."""
        ...

    def probabilities(self, inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
        """One row per case, one column per class, each row sums to 1; shape (n, len(classes)).

        Extra columns and their order do not matter. No rows give shape (0, len(classes)).

        Raises:
            InputError: a column is missing, the model failed on the rows, or gave NaN or rows that do not
                sum to 1; `data["rows"]` names the places of those rows. The caller asks people.
        """
        ...


@dataclass(frozen=True, slots=True)
class EstimatorModel:
    """A scikit-learn estimator (with `predict_proba` and `classes_`) as a `Model`.

    Attributes:
        version: the registry's version.
        digest: content hash of the loaded bytes.
        classes: labels in the order in which `probabilities` answers.
        estimator: reads a frame of `inputs`.
        inputs: columns it learned from, in its order; empty: whatever comes is handed on.
        size_bytes: of its stored files; None where they are not known.
    """

    version: str
    digest: str
    classes: tuple[str, ...]
    estimator: Any
    inputs: tuple[str, ...] = ()
    size_bytes: int | None = None

    def probabilities(self, inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
        """See `Model`."""
        there = inputs.columns.tolist()
        missing = [] if there == [*self.inputs] else [one for one in self.inputs if one not in there]
        if missing:
            raise InputError(
                f"Model {self.version} needs {', '.join(map(repr, missing))}; the cases have no such column.",
                remedy="Bring the columns the model learned from, under the same names.",
                missing=missing,
                rows=list(range(len(inputs))),
            )
        if not len(inputs):
            return np.empty((0, len(self.classes)))
        asked = inputs[list(self.inputs)] if self.inputs and there != [*self.inputs] else inputs
        try:
            answer = self.estimator.predict_proba(asked)
            aligned = align_columns(answer, getattr(self.estimator, "classes_", self.classes), self.classes)
        except Exception as error:  # an own estimator may raise anything
            raise InputError(
                f"Model {self.version} failed on {len(inputs)} cases: {type(error).__name__}: {error}",
                remedy="Compare the cases with the data the model learned from; they go to people meanwhile.",
                rows=list(range(len(inputs))),
            ) from error
        self._check(aligned, len(inputs))
        return aligned

    def _check(self, answer: npt.NDArray[np.float64], rows: int) -> None:
        if answer.shape != (rows, len(self.classes)):
            unusable = list(range(rows))
        else:
            sound = np.isfinite(answer).all(axis=1) & (np.abs(answer.sum(axis=1) - 1.0) <= SUM_TOLERANCE)
            unusable = np.flatnonzero(~(sound & (answer >= 0.0).all(axis=1))).tolist()
        if unusable:
            raise InputError(
                f"Model {self.version} gave no usable probabilities for {len(unusable)} of {rows} cases.",
                remedy="These cases go to people; look for missing or extreme values in them.",
                rows=unusable,
            )


def align_columns(
    probabilities: Any, answered: Sequence[Any], classes: Sequence[str]
) -> npt.NDArray[np.float64]:
    """The columns in the order of `classes`; a class that was never answered gets 0.

    Args:
        probabilities: shape (n, len(answered)).
        answered: what the columns stand for now, compared as text.
        classes: what they shall stand for.

    >>> align_columns([[0.3, 0.7]], ["b", "a"], ["a", "b", "c"]).tolist()
    [[0.7, 0.3, 0.0]]
    """
    given = np.asarray(probabilities, dtype=np.float64)
    names = [str(name) for name in answered]
    if names == list(classes):
        return given
    aligned = np.zeros((len(given), len(classes)))
    for place, name in enumerate(classes):
        if name in names:
            aligned[:, place] = given[:, names.index(name)]
    return aligned
