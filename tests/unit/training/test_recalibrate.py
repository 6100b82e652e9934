"""Confidences are set right by rows the model did not learn from; its answers stay."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.training.artifact import SKOPS_FILE, Trust, pack, tree_digest, unpack
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recalibrate import Recalibrated, Recalibration, recalibrated, with_confidence
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.record import FittedModel
from tests.training_builders import a_table, a_table_task, every_fifth

DATA = Path(os.environ.get("HITL_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
BOTH = [Recalibration.TEMPERATURE, Recalibration.ISOTONIC]


class TooSure:
    """Says .99 of whatever class a row names, and is right in four of five."""

    classes_ = np.array(["a", "b"])

    def predict_proba(self, inputs: pd.DataFrame) -> np.ndarray:
        says_a = inputs["says"].to_numpy() == "a"
        return np.where(says_a[:, np.newaxis], [[0.99, 0.01]], [[0.01, 0.99]])


def noisy(rows: int = 1_500, seed: int = 0) -> pd.DataFrame:
    """Four numbers, of which one says something; trees learn the noise by heart."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("wxyz"))
    frame["label"] = np.where(frame["x"] + rng.normal(size=rows) > 0, "yes", "no")
    frame["subject"] = [f"s{place // 3}" for place in range(rows)]
    return frame


def learn(
    frame: pd.DataFrame, method: Recalibration, recipe: str = "boosting", *, known: bool = True
) -> FittedModel:
    task = a_table_task(inputs=("w", "x", "y", "z"))
    held = np.asarray(frame["subject"].map(lambda name: int(name[1:]) % 5 == 0))
    made = Recipe(recipe, recalibrate=method)
    rows = frame if known else frame.drop(columns="subject")
    return fit(rows, task, made, held_back=held, dataset_digest="d", dataset_number=1)


@pytest.mark.parametrize("method", BOTH)
def test_a_model_that_is_too_sure_learns_what_it_is_worth(method: Recalibration) -> None:
    rows = pd.DataFrame({"says": ["a", "b"] * 250})
    labels = np.where(np.arange(500) % 5 == 0, rows["says"].map({"a": "b", "b": "a"}), rows["says"])
    said = TooSure().predict_proba(rows)
    found = recalibrated(TooSure(), method, said, labels.astype(str), TooSure.classes_)
    np.testing.assert_allclose(found.predict_proba(rows).max(axis=1), 0.8, atol=0.001)
    assert found.predict(rows).tolist() == rows["says"].tolist()


@pytest.mark.parametrize("method", BOTH)
def test_the_gap_before_and_after_stands_with_the_figures_and_is_smaller_after(method: Recalibration) -> None:
    figures = learn(noisy(), method).metrics
    assert figures["calibration_gap"] < figures["calibration_gap_before"] * 0.6
    plain = learn(noisy(), Recalibration.NONE).metrics
    assert figures["accuracy"] == plain["accuracy"]
    assert "calibration_gap" not in plain


@pytest.mark.parametrize("method", BOTH)
def test_it_is_stored_without_pickle_and_comes_back_the_same(method: Recalibration) -> None:
    frame = noisy()
    fitted = learn(frame, method, "linear")
    files = pack(fitted, Trust())
    assert SKOPS_FILE in files
    model = unpack(files, version="3", expected=tree_digest(files), trust=Trust())
    asked = frame[list(fitted.inputs)]
    np.testing.assert_array_equal(model.probabilities(asked), fitted.estimator.predict_proba(asked))
    assert fitted.recalibrate == method.value


def test_rows_of_one_subject_recalibrate_together_or_not_at_all() -> None:
    """A subject's rows are copies of one row: apart and learned from at once, they would teach boldness."""
    frame = noisy(200)
    copies = pd.concat([frame.assign(subject=[f"s{place}" for place in range(200)])] * 3, ignore_index=True)
    known, unknown = (
        learn(copies, Recalibration.TEMPERATURE, known=known).metrics for known in (True, False)
    )
    assert known["calibration_gap"] < 0.8 * unknown["calibration_gap"]


def test_the_method_is_part_of_the_training_s_name() -> None:
    names = {Recipe(recalibrate=method).fingerprint() for method in Recalibration}
    assert len(names) == 3
    assert any(name.startswith("linear+temperature@") for name in names)
    assert Recipe(recalibrate=Recalibration.NONE).fingerprint().startswith("linear@")


@pytest.mark.parametrize(
    ("method", "rows", "way_out"), [(BOTH[0], 60, "to none."), (BOTH[1], 300, "to none or temperature.")]
)
def test_too_few_rows_are_refused_with_the_way_out(method: Recalibration, rows: int, way_out: str) -> None:
    with pytest.raises(InputError, match="too few to recalibrate") as caught:
        learn(noisy(rows), method, "linear")
    assert caught.value.remedy.endswith(way_out)


def test_training_twice_gives_the_same_probabilities() -> None:
    frame = noisy()
    first, second = (learn(frame, Recalibration.ISOTONIC, "linear") for _ in range(2))
    asked = frame[list(first.inputs)]
    np.testing.assert_array_equal(first.estimator.predict_proba(asked), second.estimator.predict_proba(asked))


def test_a_class_that_only_the_rows_apart_have_is_still_learned() -> None:
    frame = a_table(400)
    frame.loc[1, "label"] = "rare"
    recipe = Recipe(recalibrate=Recalibration.TEMPERATURE)
    for place in range(1, 10):
        frame["subject"] = [f"s{row}" for row in np.roll(range(400), place)]
        fitted = fit(
            frame, a_table_task(), recipe, held_back=every_fifth(frame), dataset_digest="d", dataset_number=1
        )
        assert fitted.classes == ("no", "rare", "yes")


@given(
    st.integers(1, 6).flatmap(
        lambda classes: st.lists(
            st.lists(st.floats(0, 1), min_size=classes, max_size=classes).filter(lambda row: sum(row) > 0.01),
            min_size=1,
            max_size=5,
        )
    ),
    st.floats(0, 1),
)
def test_answers_stay_and_rows_sum_to_one(rows: list[list[float]], confidence: float) -> None:
    said = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    given_ = with_confidence(said, np.full(len(said), confidence))
    np.testing.assert_allclose(given_.sum(axis=1), 1.0, atol=1e-9)
    assert (given_ >= 0).all()
    top = said.argmax(axis=1)
    assert (given_.argmax(axis=1) == top).all()


@pytest.mark.data
@pytest.mark.parametrize("method", BOTH)
def test_trees_on_weather_say_what_they_are_worth(method: Recalibration) -> None:
    if not (DATA / "weather" / "weather.csv").exists():
        pytest.skip("The shared data set weather/weather.csv is absent; set HITL_TEST_DATA to its folder.")
    frame = pd.read_csv(DATA / "weather" / "weather.csv").rename(columns={"target": "label"})
    task = Task("weather", InputKind.TABLE, tuple(frame.columns[:-1]), ("0", "1"))
    recipe = Recipe("boosting", recalibrate=method)
    fitted = fit(frame, task, recipe, held_back=every_fifth(frame), dataset_digest="d", dataset_number=1)
    assert fitted.metrics["calibration_gap"] < fitted.metrics["calibration_gap_before"] * 0.6
    assert isinstance(fitted.estimator, Recalibrated)
