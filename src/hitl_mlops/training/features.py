"""By what cases are told apart where nothing is learned: the ready recipe's reading of them, made short."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.training.columns import column_types
from hitl_mlops.training.recipe import Recipe, build_estimator

DIRECTIONS = 50


def features_of(inputs: pd.DataFrame, task: Task) -> npt.NDArray[np.float64] | None:
    """The cases as points, near where they are alike, shape (len(inputs), ≤ 50); None: they cannot be read.

    Columns are read as the recipe `linear` reads them, from these rows alone, and many columns are brought
    down to 50 directions (latent semantic analysis; Deerwester et al. 1990). Points of texts lie on a sphere,
    so that long and short ones compare. The same rows give the same points.

    Args:
        inputs: the task's inputs, one row per case; fewer than two rows cannot be told apart.
        task: names the inputs and their kind.
    """
    if len(inputs) < 2:  # noqa: PLR2004
        return None
    try:
        reading = build_estimator(Recipe(), task, column_types(inputs, task.inputs))[:-1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of columns that are empty in these few rows
            read = reading.fit_transform(inputs[list(task.inputs)])
    except (InputError, ValueError):  # no column or no word is left to compare
        return None
    return _short(read, on_a_sphere=task.kind is InputKind.TEXT)


def _short(read: object, *, on_a_sphere: bool) -> npt.NDArray[np.float64]:
    from scipy.sparse import issparse
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    rows, columns = read.shape  # type: ignore[attr-defined]
    points = read
    if min(rows, columns) > DIRECTIONS:
        points = TruncatedSVD(DIRECTIONS, random_state=0).fit_transform(read)
    elif issparse(read):
        points = read.toarray()  # type: ignore[attr-defined]
    dense = np.asarray(points, dtype=np.float64)
    return np.asarray(normalize(dense)) if on_a_sphere else dense
