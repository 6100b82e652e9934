from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.decisions.model import EstimatorModel, align_columns
from hitl_mlops.errors import InputError


class Answers:
    """An estimator that gives what it was told to give, and remembers what it was asked."""

    def __init__(self, answer: object, classes: tuple[str, ...] = ("a", "b")) -> None:
        self.answer, self.classes_ = answer, np.array(classes)
        self.columns: list[str] = []

    def predict_proba(self, inputs: pd.DataFrame) -> object:
        self.columns = list(inputs.columns)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


CASES = pd.DataFrame({"extra": [0, 0], "y": [1, 2], "x": [3, 4]})


def a_model(answer: object, classes: tuple[str, ...] = ("a", "b")) -> EstimatorModel:
    return EstimatorModel("7", "sha256:0", ("a", "b"), Answers(answer, classes), ("x", "y"))


def test_the_estimator_sees_its_columns_in_its_order() -> None:
    model = a_model([[0.5, 0.5], [1.0, 0.0]])
    model.probabilities(CASES)
    assert model.estimator.columns == ["x", "y"]


def test_columns_of_the_answer_follow_the_classes() -> None:
    model = a_model([[0.9, 0.1], [0.2, 0.8]], classes=("b", "a"))
    assert model.probabilities(CASES).tolist() == [[0.1, 0.9], [0.8, 0.2]]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="needs 'y'") as caught:
        a_model([]).probabilities(CASES.drop(columns="y"))
    assert caught.value.data["missing"] == ["y"]


def test_no_cases_give_no_rows_and_the_estimator_is_not_asked() -> None:
    assert a_model(RuntimeError("asked")).probabilities(CASES.head(0)).shape == (0, 2)


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        ([[np.nan, np.nan], [0.5, 0.5]], [0]),
        ([[0.5, 0.5], [0.7, 0.7]], [1]),
        ([[1.5, -0.5], [0.5, 0.5]], [0]),
        ([[0.5, 0.5]], [0, 1]),
        (ValueError("cannot"), [0, 1]),
    ],
)
def test_an_answer_that_is_no_probability_is_an_error_that_names_its_rows(
    answer: object, rows: list[int]
) -> None:
    with pytest.raises(InputError, match="Model 7") as caught:
        a_model(answer).probabilities(CASES)
    assert caught.value.data["rows"] == rows


def test_a_class_that_was_never_answered_gets_nothing() -> None:
    assert align_columns([[1.0]], ["a"], ["b", "a"]).tolist() == [[0.0, 1.0]]
