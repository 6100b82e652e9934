"""How far the members of an ensemble are apart on each case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.model import EstimatorModel, Model

Votes = Callable[[Any], npt.NDArray[np.intp]]
"""Inputs of an ensemble → the class each member says of each row, as a place among the ensemble's classes;
shape (members, n)."""


def disagreement_of(model: Model, inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Share of the members that say another class than most of them do, in [0, 1); shape (n,).

    Members are those of scikit-learn's forests, bagging and voting classifiers, also at the end of a pipeline
    or recalibrated. NaN where the model is no such ensemble, or a member fails. The measure is that of query
    by committee (Seung, Opper and Sompolinsky, COLT 1992); each member has one vote, whatever its weight.
    """
    unknown = np.full(len(inputs), np.nan)
    if not isinstance(model, EstimatorModel) or not len(inputs):
        return unknown
    try:
        votes = _votes(model.estimator, inputs[list(model.inputs)] if model.inputs else inputs)
    except Exception:  # noqa: BLE001 - an own estimator may raise anything, and what is unknown is in doubt
        return unknown
    if votes is None or votes.shape[1:] != (len(inputs),):
        return unknown
    return 1.0 - _most(votes) / len(votes)


def _most(votes: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """How many members stand together at the most, in each row."""
    counts = np.stack([(votes == place).sum(axis=0) for place in range(int(votes.max()) + 1)])
    most: npt.NDArray[np.intp] = counts.max(axis=0)
    return most


def _votes(estimator: Any, inputs: Any) -> npt.NDArray[np.intp] | None:
    """What each member says; None where there are no members."""
    from sklearn.ensemble import (
        BaggingClassifier,
        ExtraTreesClassifier,
        RandomForestClassifier,
        VotingClassifier,
    )
    from sklearn.pipeline import Pipeline

    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps[:-1]:
            inputs = inputs if step in (None, "passthrough") else step.transform(inputs)
        return _votes(estimator.steps[-1][1], inputs)
    if isinstance(estimator, (RandomForestClassifier, ExtraTreesClassifier)):
        if estimator.n_outputs_ != 1:
            return None
        return _said(estimator.estimators_, [_bare(inputs)] * len(estimator.estimators_))
    if isinstance(estimator, BaggingClassifier):
        columns = estimator.estimators_features_
        return _said(estimator.estimators_, [_bare(inputs)[:, chosen] for chosen in columns])
    if isinstance(estimator, VotingClassifier):
        return _said(estimator.estimators_, [inputs] * len(estimator.estimators_))
    wrapped = getattr(estimator, "estimator", None)
    fitted = wrapped is not None and hasattr(wrapped, "classes_")
    return _votes(wrapped, inputs) if fitted and not hasattr(estimator, "fit") else None


def _said(members: Sequence[Any], inputs: Sequence[Any]) -> npt.NDArray[np.intp]:
    """Members learned places of classes, not their names."""
    said = [member.predict(seen) for member, seen in zip(members, inputs, strict=True)]
    return np.stack([np.asarray(one).astype(np.intp) for one in said])


def _bare(inputs: Any) -> Any:
    """Without names of columns: the members of a forest saw none."""
    return inputs.to_numpy() if hasattr(inputs, "to_numpy") else inputs
