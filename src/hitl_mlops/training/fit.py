"""A recipe learns from the rows of a dataset version; its figures come from rows it never saw."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from hitl_mlops.dataset.split import split_by_subject
from hitl_mlops.decisions.model import align_columns
from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import ConfigurationError, HitlError, InputError
from hitl_mlops.statistics.calibration import calibration_gap
from hitl_mlops.training.columns import column_types
from hitl_mlops.training.recalibrate import Recalibration, recalibrated
from hitl_mlops.training.recipe import Recipe, build_estimator
from hitl_mlops.training.record import FittedModel
from hitl_mlops.training.replay import replayed

FEWEST_ROWS = 10
SAMPLE_ROWS = 5


def fit(  # the dataset's name travels with its rows
    rows: pd.DataFrame,
    task: Task,
    recipe: Recipe,
    *,
    held_back: npt.NDArray[np.bool_],
    dataset_digest: str,
    dataset_number: int,
) -> FittedModel:
    """The recipe has learned from the rows that are not held back, each with weight one.

    Base and reviewed rows are learned together, the base rows as far back as the recipe replays them:
    trained on reviewed rows alone, models forget the easy cases, and weights 1/π belong in evaluation. Where
    the recipe recalibrates, it is fitted twice: without the rows that teach what its confidences are worth,
    and then with them.

    Args:
        rows: one per example, with the task's inputs and `label`; rows of one `subject`, where there is such
            a column, recalibrate together or not at all.
        task: names the inputs.
        recipe: what learns.
        held_back: true for rows that only measure; shape (n,). None held back: there are no figures.
        dataset_digest: of the version the rows are from.
        dataset_number: of the version the rows are from.

    Raises:
        InputError: too few rows, an empty label, a column missing, or fewer than two classes.
        ConfigurationError: the recipe is none, or its estimator failed.
    """
    learned, measured = ~held_back & replayed(rows, recipe.replay), held_back
    _check(rows, learned, held_back)
    inputs = rows[list(task.inputs)] if set(task.inputs) <= set(rows.columns) else rows
    labels = rows["label"].map(str).to_numpy(dtype=str)
    shown, told, test = inputs[learned], labels[learned], (inputs[measured], labels[measured])
    raw = _learned(shown, told, task, recipe)
    classes = tuple(str(name) for name in raw.classes_)
    estimator = _set_right(raw, shown, told, _apart(rows[learned]), task, recipe)
    gaps: dict[str, float] = {}
    if estimator is not raw:
        gaps = {f"{name}_before": gap for name, gap in _gap(raw, classes, *test).items()}
        gaps |= _gap(estimator, classes, *test)
    return FittedModel(
        estimator=estimator,
        classes=classes,
        inputs=task.inputs,
        recipe=recipe.fingerprint(),
        dataset_digest=dataset_digest,
        dataset_number=dataset_number,
        train_rows=int(learned.sum()),
        test_rows=int(measured.sum()),
        metrics=_measure(estimator, classes, *test) | gaps,
        signature_sample=shown.head(SAMPLE_ROWS),
        recalibrate=recipe.recalibrate.value,
    )


def _learned(inputs: pd.DataFrame, labels: npt.NDArray[np.str_], task: Task, recipe: Recipe) -> Any:
    """The recipe's estimator, fitted on these rows."""
    if len(np.unique(labels)) < 2:  # noqa: PLR2004
        raise InputError(
            f"All {len(labels)} rows to learn from have the same label, {str(labels[0])!r}.",
            remedy="Add rows of at least one other class to model.base.",
        )
    estimator = build_estimator(recipe, task, column_types(inputs, task.inputs))
    _learn(estimator, inputs, labels, recipe)
    return estimator


def _set_right(
    estimator: Any,
    inputs: pd.DataFrame,
    labels: npt.NDArray[np.str_],
    apart: npt.NDArray[np.bool_],
    task: Task,
    recipe: Recipe,
) -> Any:
    """The estimator with its confidences set right by what another, fitted without them, says of `apart`."""
    if recipe.recalibrate is Recalibration.NONE:
        return estimator
    without = _learned(inputs[~apart], labels[~apart], task, recipe)
    said = np.asarray(without.predict_proba(inputs[apart]), dtype=np.float64)
    return recalibrated(estimator, recipe.recalibrate, said, labels[apart], without.classes_)


def _apart(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """About one subject in five; without subjects, one row in five."""
    subjects = rows["subject"] if "subject" in rows.columns else pd.Series(range(len(rows)))
    return split_by_subject(pa.table({"subject": subjects.map(str).to_numpy()}), key=b"recalibrate").test


def _check(rows: pd.DataFrame, learned: npt.NDArray[np.bool_], held_back: npt.NDArray[np.bool_]) -> None:
    if "label" not in rows.columns:
        raise InputError("The rows have no column 'label'.", remedy="Read them from a dataset version.")
    empty = int(rows["label"].isna().sum())
    if empty:
        raise InputError(
            f"{empty} of {len(rows)} rows have no label.",
            remedy="Remove these rows from model.base, or give their label.",
            rows=np.flatnonzero(rows["label"].isna())[:20].tolist(),
        )
    if len(rows) >= FEWEST_ROWS and not learned.any() and not held_back.all():
        raise InputError(
            "Nothing was reviewed yet, and the recipe replays no base rows.",
            remedy="Leave model.replay out of hitl.yaml until people have answered.",
        )
    if len(rows) < FEWEST_ROWS or not learned.any():
        raise InputError(
            f"{len(rows)} labelled rows, {int(held_back.sum())} of them held back, are too few.",
            remedy=f"Bring at least {FEWEST_ROWS} rows in model.base; hundreds make figures worth reading.",
        )


def _learn(estimator: Any, inputs: pd.DataFrame, labels: npt.NDArray[np.str_], recipe: Recipe) -> None:
    try:
        with warnings.catch_warnings():
            # Whether the solver ended early is told by the figures, not by a warning in the user's shell.
            warnings.simplefilter("ignore")
            estimator.fit(inputs, labels)
    except HitlError:
        raise
    except Exception as error:  # an own estimator may raise anything
        raise ConfigurationError(
            f"The recipe {recipe.name} failed on {len(inputs)} rows: {type(error).__name__}: {error}",
            remedy="Mend the estimator, or set model.recipe in hitl.yaml to linear.",
            recipe=recipe.name,
        ) from error
    if {str(name) for name in getattr(estimator, "classes_", ())} != set(labels.tolist()):
        raise ConfigurationError(
            f"The recipe {recipe.name} tells no classes_ after fit, or others than it was shown.",
            remedy="Return a scikit-learn classifier: classes_ names its probability columns.",
            recipe=recipe.name,
        )


def _gap(
    estimator: Any, classes: tuple[str, ...], inputs: pd.DataFrame, labels: npt.NDArray[np.str_]
) -> dict[str, float]:
    """`calibration_gap`, debiased; none with fewer than two rows."""
    if len(labels) < 2:  # noqa: PLR2004 - one case has no variance
        return {}
    said = np.asarray(estimator.predict_proba(inputs), dtype=np.float64)
    right = np.asarray(classes)[said.argmax(axis=1)] == labels
    gap = calibration_gap(np.clip(said.max(axis=1), 0.0, 1.0), right)
    return {} if gap.value is None else {"calibration_gap": gap.value}


def _measure(
    estimator: Any, classes: tuple[str, ...], inputs: pd.DataFrame, labels: npt.NDArray[np.str_]
) -> dict[str, float]:
    """`accuracy`, `log_loss`, `macro_recall` and `recall.CLASS` for each class that was held back.

    No rows give no figures. A class never learned counts as wrong, and in the log loss as the smallest
    double above 0, as scikit-learn clips.
    """
    if not len(labels):
        return {}
    probabilities = align_columns(estimator.predict_proba(inputs), estimator.classes_, classes)
    answered = np.asarray(classes)[probabilities.argmax(axis=1)]
    place = {name: column for column, name in enumerate(classes)}
    of_truth = np.array(
        [
            probabilities[row, place[label]] if label in place else 0.0
            for row, label in enumerate(labels.tolist())
        ]
    )
    right = answered == labels
    recalls = {f"recall.{name}": float(right[labels == name].mean()) for name in np.unique(labels).tolist()}
    return {
        "accuracy": float(right.mean()),
        "log_loss": float(-np.log(np.clip(of_truth, np.finfo(np.float64).eps, 1.0)).mean()),
        "macro_recall": float(np.mean(list(recalls.values()))),
        **recalls,
    }
