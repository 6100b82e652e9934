"""The world of a drill: what the user's own recipe learned from the base data is the truth in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.dataset.assemble import label_text
from hitl_mlops.dataset.manifest import DatasetVersion
from hitl_mlops.decisions.task import Task
from hitl_mlops.drill.models import Erring, between, draws
from hitl_mlops.drill.stream import pool_of
from hitl_mlops.errors import InputError
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.record import FittedModel


@dataclass(frozen=True, slots=True)
class World:
    """What the stream is drawn from, and what is true of it.

    Attributes:
        pool: labelled rows of the base data, each with a case id.
        fitted: what the recipe learned from them; what it says is true.
        drawn: the draw of each row of the pool, in [0, 1); shape (len(pool),).
        seed: what chance is drawn from.
    """

    pool: pd.DataFrame
    fitted: FittedModel
    drawn: npt.NDArray[np.float64]
    seed: int

    def erring(self, low: float, high: float, learned: DatasetVersion) -> FittedModel:
        """A model that is wrong on the share of the pool's rows from `low` to `high` of all, and on no other.

        Two models with shares that do not overlap never err on the same row.
        """
        estimator = Erring(self.fitted.estimator, *between(self.drawn, low, high))
        return replace(
            self.fitted,
            estimator=estimator,
            dataset_digest=learned.digest,
            dataset_number=learned.number,
        )

    def truths(self, inputs: pd.DataFrame) -> list[str]:
        """The label that is true of each row."""
        said = np.asarray(self.fitted.estimator.predict_proba(inputs[list(self.fitted.inputs)]))
        return [self.fitted.classes[place] for place in said.argmax(axis=1).tolist()]

    def wrong(self, label: str) -> str:
        """Another class than that."""
        return next(one for one in self.fitted.classes if one != label)


def make_world(base: pd.DataFrame, task: Task, recipe: Recipe, seed: int) -> World:
    """The recipe has learned from at most 2,000 labelled rows of the base data.

    Raises:
        InputError: the base data has no labels, or too few rows to learn from.
        ConfigurationError: the recipe failed.
    """
    if task.label not in base:
        raise InputError(
            f"The base data has no column {task.label}, so that a drill has nothing to learn from.",
            remedy="Name a labelled table as model.base in hitl.yaml.",
        )
    pool = pool_of(base, task, np.random.default_rng(seed))
    fitted = fit(
        pool[list(task.inputs)].assign(label=_labels(pool[task.label].tolist())),
        task,
        recipe,
        held_back=np.zeros(len(pool), dtype=bool),
        dataset_digest="",
        dataset_number=1,
    )
    return World(pool, fitted, draws(pool[list(task.inputs)]), seed)


def _labels(values: Sequence[object]) -> list[str]:
    return [label_text(one) or "" for one in values]
