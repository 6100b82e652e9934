from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from hitl_mlops.decisions.model import EstimatorModel
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import ConfigurationError, InputError
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.record import FittedModel
from tests.training_builders import a_table, a_table_task, a_text_task, every_fifth, some_texts

DATA = Path(os.environ.get("HITL_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))


def learn(
    frame: pd.DataFrame, task: Task, name: str = "linear", held: np.ndarray | None = None
) -> FittedModel:
    held = every_fifth(frame) if held is None else held
    return fit(frame, task, Recipe(name), held_back=held, dataset_digest="d", dataset_number=1)


def shared(name: str) -> pd.DataFrame:
    if not (DATA / name).exists():
        pytest.skip(f"The shared data set {name} is absent; set HITL_TEST_DATA to its folder.")
    return pd.read_csv(DATA / name)


@pytest.mark.parametrize("name", ["linear", "boosting"])
def test_a_mixed_table_with_gaps_is_learned(name: str) -> None:
    fitted = learn(a_table(400), a_table_task(), name)
    assert fitted.metrics["accuracy"] > 0.85
    assert (fitted.train_rows, fitted.test_rows) == (320, 80)
    assert fitted.inputs == a_table_task().inputs


@pytest.mark.parametrize("name", ["linear", "boosting"])
def test_texts_are_learned(name: str) -> None:
    assert learn(some_texts(), a_text_task(), name).metrics["accuracy"] == 1.0


@pytest.mark.parametrize("name", ["linear", "boosting"])
def test_cases_read_back_from_json_are_answered_like_the_frame(name: str) -> None:
    frame = a_table()
    fitted = learn(frame, a_table_task(), name)
    model = EstimatorModel("1", "sha256:0", fitted.classes, fitted.estimator, fitted.inputs)
    inputs = frame[list(fitted.inputs)]
    cases = inputs.astype(object).where(inputs.notna(), None).to_dict("records")
    for case, expected in zip(cases[:20], model.probabilities(inputs.iloc[:20]), strict=True):
        np.testing.assert_allclose(model.probabilities(pd.DataFrame([case]))[0], expected, atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "boosting"])
def test_unseen_values_and_empty_cells_are_answered(name: str) -> None:
    fitted = learn(a_table(), a_table_task(), name)
    model = EstimatorModel("1", "sha256:0", fitted.classes, fitted.estimator, fitted.inputs)
    strange = dict.fromkeys(fitted.inputs) | {"kind": "never seen", "when": "next week", "amount": "much"}
    answer = model.probabilities(pd.DataFrame([strange, dict.fromkeys(fitted.inputs)]))
    assert answer.shape == (2, 2)


def test_a_class_with_one_held_back_example_is_counted_wrong_not_fatal() -> None:
    frame = a_table()
    frame.loc[0, "label"] = "rare"  # row 0 is held back
    fitted = learn(frame, a_table_task())
    assert "rare" not in fitted.classes
    assert fitted.metrics["recall.rare"] == 0.0
    assert np.isfinite(fitted.metrics["log_loss"])


@pytest.mark.parametrize("name", ["linear", "boosting"])
def test_a_class_with_one_learned_example_has_a_column(name: str) -> None:
    frame = a_table()
    frame.loc[1, "label"] = "rare"
    assert learn(frame, a_table_task(), name).classes == ("no", "rare", "yes")


def test_five_hundred_classes_are_learned() -> None:
    frame = pd.DataFrame({"a": np.arange(1500) % 500 / 10.0, "b": np.arange(1500) % 7})
    frame["label"] = [f"class {at % 500}" for at in range(1500)]
    fitted = learn(frame, a_table_task(inputs=("a", "b")), held=np.arange(1500) >= 1400)
    assert len(fitted.classes) == 500


def test_labels_that_are_numbers_become_text() -> None:
    frame = a_table().replace({"label": {"yes": 1, "no": 0}})
    assert learn(frame, a_table_task()).classes == ("0", "1")


def test_without_held_back_rows_there_are_no_figures() -> None:
    frame = a_table()
    fitted = learn(frame, a_table_task(), held=np.zeros(len(frame), dtype=bool))
    assert fitted.metrics == {}
    assert fitted.test_rows == 0


def test_the_figures_are_those_of_the_held_back_rows() -> None:
    frame = a_table()
    fitted = learn(frame, a_table_task())
    measured = frame[every_fifth(frame)]
    answered = fitted.estimator.predict(measured[list(fitted.inputs)])
    assert fitted.metrics["accuracy"] == pytest.approx(float((answered == measured["label"]).mean()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda frame: frame.assign(label="yes"), "have the same label, 'yes'"),
        (lambda frame: frame.head(4), "too few"),
        (lambda frame: frame.assign(label=[None, *frame["label"][1:]]), "1 of 120 rows have no label"),
        (lambda frame: frame.drop(columns="amount"), "no column 'amount'"),
        (lambda frame: frame.drop(columns="label"), "no column 'label'"),
    ],
)
def test_rows_that_cannot_be_learned_from_are_refused_plainly(change: object, told: str) -> None:
    frame = change(a_table())  # type: ignore[operator]
    with pytest.raises(InputError, match=told):
        learn(frame, a_table_task())


def test_an_estimator_that_fails_is_told_by_its_recipe(tmp_path: Path) -> None:
    (tmp_path / "own_failing.py").write_text(
        "class Failing:\n"
        "    def fit(self, inputs, labels):\n        raise MemoryError('too wide')\n"
        "    def predict_proba(self, inputs):\n        return []\n"
        "def build():\n    return Failing()\n"
    )
    frame = a_table()
    recipe = Recipe("own_failing:build", tmp_path)
    with pytest.raises(
        ConfigurationError, match="own_failing:build failed on 96 rows: MemoryError: too wide"
    ):
        fit(frame, a_table_task(), recipe, held_back=every_fifth(frame), dataset_digest="d", dataset_number=1)


def test_digits_are_read_from_their_pixels() -> None:
    frame = load_digits(as_frame=True).frame.rename(columns={"target": "label"})
    task = Task("cheques", InputKind.IMAGE, tuple(frame.columns[:-1]), tuple("0123456789"))
    assert learn(frame, task).metrics["accuracy"] > 0.95


@pytest.mark.data
@pytest.mark.slow
def test_intents_of_bank_customers_are_learned_well_and_soon() -> None:
    train, test = shared("banking77/train.csv"), shared("banking77/test.csv")
    frame = pd.concat([train, test], ignore_index=True).rename(columns={"category": "label"})
    held = np.arange(len(frame)) >= len(train)
    fitted = learn(frame, a_text_task(classes=tuple(sorted(set(frame["label"])))), held=held)
    assert 0.86 <= fitted.metrics["accuracy"] <= 0.91
    assert len(fitted.classes) == 77


@pytest.mark.data
def test_weather_is_learned() -> None:
    frame = shared("weather/weather.csv").rename(columns={"target": "label"})
    task = Task("weather", InputKind.TABLE, tuple(frame.columns[:-1]), ("0", "1"))
    assert 0.76 <= learn(frame, task).metrics["accuracy"] <= 0.82
