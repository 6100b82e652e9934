"""How far the members of an ensemble are apart, of every ensemble and of none."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from hitl_mlops.decisions.disagreement import disagreement_of
from hitl_mlops.decisions.model import EstimatorModel
from hitl_mlops.decisions.predict import ask, ask_live
from hitl_mlops.decisions.serving import Serving
from hitl_mlops.decisions.timed import Patience, TimedModel
from hitl_mlops.statistics.recalibration import IsotonicCurve
from hitl_mlops.training.recalibrate import Recalibrated

FLOWERS, KINDS = load_iris(return_X_y=True, as_frame=True)
KINDS = np.array(["setosa", "versicolor", "virginica"])[KINDS]
NO_CURVE = IsotonicCurve(np.empty(0), np.empty(0))


def a_model(estimator, *, version="1"):
    estimator.fit(FLOWERS, KINDS)
    return EstimatorModel(version, "sha256:0", ("setosa", "versicolor", "virginica"), estimator, (*FLOWERS,))


def a_forest(**changes):
    return a_model(
        RandomForestClassifier(**{"n_estimators": 9, "max_depth": 2, "random_state": 0, **changes})
    )


def by_hand(members, rows):
    """The share that differs from the commonest word, member by member and row by row."""
    words = np.array([member.predict(rows.to_numpy()) for member in members])
    return [1 - max(np.bincount(column.astype(int))) / len(members) for column in words.T]


def test_of_a_forest_it_is_the_share_of_trees_outside_the_largest_party():
    model = a_forest()
    found = disagreement_of(model, FLOWERS)
    assert found == pytest.approx(by_hand(model.estimator.estimators_, FLOWERS))
    assert 0 < found.max() < 1
    assert found.min() == 0


@pytest.mark.parametrize(
    "estimator",
    [
        ExtraTreesClassifier(7, max_depth=2, random_state=0),
        BaggingClassifier(DecisionTreeClassifier(max_depth=1), 7, max_features=2, random_state=0),
        VotingClassifier(
            [("one", DecisionTreeClassifier(max_depth=1)), ("other", LogisticRegression(max_iter=500))]
        ),
        make_pipeline(StandardScaler(), RandomForestClassifier(7, max_depth=1, random_state=0)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_every_kind_of_ensemble_has_members_that_are_apart_somewhere(estimator):
    found = disagreement_of(a_model(estimator), FLOWERS)
    assert np.isfinite(found).all()
    assert 0 < found.max() < 1


def test_a_recalibrated_ensemble_has_the_members_it_had():
    model = a_forest()
    set_right = Recalibrated(model.estimator, "temperature", 2.0, NO_CURVE)
    other = EstimatorModel("2", "sha256:1", model.classes, set_right, model.inputs)
    assert disagreement_of(other, FLOWERS).tolist() == disagreement_of(model, FLOWERS).tolist()


class Strange:
    """A model of nobody's making."""

    version, digest, classes = "1", "sha256:0", ("a", "b")

    def probabilities(self, inputs):
        return np.full((len(inputs), 2), 0.5)


@pytest.mark.parametrize(
    "model",
    [
        a_model(LogisticRegression(max_iter=500)),
        a_model(make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=3))),
        Strange(),
    ],
)
def test_what_is_no_ensemble_has_none(model):
    assert np.isnan(disagreement_of(model, FLOWERS)).all()


def test_what_its_members_cannot_read_is_unknown_and_raises_nothing():
    assert np.isnan(disagreement_of(a_forest(), FLOWERS.assign(**{FLOWERS.columns[0]: "wide"}))).all()
    assert np.isnan(disagreement_of(a_forest(), pd.DataFrame({"other": [1.0]}))).all()
    assert disagreement_of(a_forest(), FLOWERS.head(0)).shape == (0,)


@pytest.mark.parametrize("timed", [False, True])
def test_each_row_is_asked_of_the_members_of_the_model_that_answers_it(timed):
    champion, challenger = a_forest(), a_forest(random_state=5, max_depth=1)
    swapped = np.arange(len(FLOWERS)) % 3 == 0
    live = [TimedModel(one, Patience(60.0, 60.0)) if timed else one for one in (champion, challenger)]
    one, other = ask_live(Serving(*live, 50.0, "r"), FLOWERS, swapped, members=True)
    assert one.disagreement[~swapped].tolist() == disagreement_of(champion, FLOWERS)[~swapped].tolist()
    assert other.disagreement[swapped].tolist() == disagreement_of(challenger, FLOWERS)[swapped].tolist()
    assert np.isnan(one.disagreement[swapped]).all()
    assert np.isnan(other.disagreement[~swapped]).all()


def test_members_are_not_asked_where_nobody_wants_to_know():
    assert np.isnan(ask(a_forest(), FLOWERS).disagreement).all()
    alone, _ = ask_live(Serving(a_forest()), FLOWERS, np.zeros(len(FLOWERS), dtype=bool))
    assert np.isnan(alone.disagreement).all()
