"""What is told to have spoken for an answer did; what cannot be told holds nobody up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.decisions.explain_linear import linear_reader
from hitl_mlops.decisions.explain_occlusion import (
    MOST_HIDDEN,
    Baseline,
    baseline_of,
    explain_by_occlusion,
    hidden_parts,
)
from hitl_mlops.decisions.explain_shap import explain_by_shap
from hitl_mlops.decisions.explainer import ExplainBy, Explainer
from hitl_mlops.decisions.explanation import MOST_PARTS, ExplainedBy
from hitl_mlops.decisions.heat import heat_of
from hitl_mlops.decisions.model import EstimatorModel
from hitl_mlops.decisions.record import Decision
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.training.columns import column_types
from hitl_mlops.training.recipe import Recipe, build_estimator
from tests.builders import a_case, a_decision

WORDS = ["red", "green", "blue", "round", "square", "small", "large", "old", "new", "cheap"]


def a_table(rows: int = 300) -> tuple[pd.DataFrame, list[str]]:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=rows),
            "b": rng.normal(size=rows),
            "c": rng.choice(["x", "y", "z"], size=rows),
            "d": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows)),
        }
    )
    truth = frame["a"] + (frame["c"] == "x") + 0.2 * rng.normal(size=rows)
    return frame, ["yes" if one > 0.3 else "maybe" if one > -0.5 else "no" for one in truth]


def learned(frame: pd.DataFrame, labels: Sequence[str], kind: InputKind, name: str) -> tuple[Task, Any]:
    task = Task("p", kind, tuple(map(str, frame.columns)), tuple(sorted(set(labels))))
    estimator = build_estimator(Recipe(name), task, column_types(frame, task.inputs))
    return task, estimator.fit(frame, labels)


def said(model: EstimatorModel, frame: pd.DataFrame) -> list[Decision]:
    found = []
    for place, row in enumerate(model.probabilities(frame)):
        likely = dict(zip(model.classes, row.tolist(), strict=True))
        label = max(likely, key=lambda name: likely[name])
        found.append(
            a_decision(
                decision_id=f"d_{place}", case_id=f"case-{place}", label=label, probabilities=likely,
                confidence=likely[label], model_version=model.version, model_digest=model.digest,
            )
        )  # fmt: skip
    return found


def a_model(estimator: Any, task: Task) -> EstimatorModel:
    classes = tuple(str(name) for name in estimator.classes_)
    return EstimatorModel("1", "sha256:0", classes, estimator, task.inputs)


def test_what_is_read_off_a_linear_model_adds_up_to_its_log_odds() -> None:
    frame, labels = a_table()
    task, estimator = learned(frame, labels, InputKind.TABLE, "linear")
    rows = frame.head(40)
    decisions = said(a_model(estimator, task), rows)
    reader = linear_reader(estimator, task.inputs, task)
    assert reader is not None
    found = reader.explain(rows, decisions)
    names = list(estimator.classes_)
    scores = estimator.decision_function(rows)
    bias = estimator.steps[-1][1].intercept_
    for row, (decision, one) in enumerate(zip(decisions, found, strict=True)):
        mine, other = names.index(decision.label), names.index(one.against)
        gap = (scores[row, mine] - bias[mine]) - (scores[row, other] - bias[other])
        assert sum(part.weight for part in one.parts) == pytest.approx(gap, abs=1e-9)
        assert {part.name for part in one.parts} <= set(frame.columns)


def test_of_two_classes_the_sides_are_told_apart() -> None:
    frame, labels = a_table()
    two = ["yes" if label == "yes" else "no" for label in labels]
    task, estimator = learned(frame, two, InputKind.TABLE, "linear")
    decisions = said(a_model(estimator, task), frame)
    reader = linear_reader(estimator, task.inputs, task)
    assert reader is not None
    found = reader.explain(frame, decisions)
    for decision, one, a in zip(decisions, found, frame["a"], strict=True):
        weight = {part.name: part.weight for part in one.parts}["a"]
        assert (weight > 0) == ((a > frame["a"].mean()) == (decision.label == "yes"))


def test_words_of_a_text_spoke_for_the_class_they_stand_in() -> None:
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(WORDS, size=6)) for _ in range(300)]
    labels = ["yes" if "red" in text.split() else "no" for text in texts]
    frame = pd.DataFrame({"x": texts})
    for name in ("linear", "boosting"):
        task, estimator = learned(frame, labels, InputKind.TEXT, name)
        model = a_model(estimator, task)
        rows = frame[frame["x"].str.contains("red")].head(10)
        explained = Explainer(task, ExplainBy.AUTO, Baseline, 20.0).explain(
            [model],
            decisions := said(model, rows),
            {f"case-{place}": a_case(case_id=f"case-{place}", inputs={"x": text})
             for place, text in enumerate(rows["x"])},
        )  # fmt: skip
        assert len(explained) == len(rows)
        for decision in decisions:
            parts = explained[decision.decision_id].parts
            if decision.label == "yes":
                [red] = [part for part in parts if part.name == "red"]
                assert red.weight > 0.5
            assert len(parts) <= MOST_PARTS


def test_any_other_model_is_asked_once_for_all_that_is_put_out_of_sight() -> None:
    frame, labels = a_table()
    task, estimator = learned(frame, labels, InputKind.TABLE, "boosting")
    model, asked = a_model(estimator, task), []
    baseline = baseline_of(frame, task.inputs)
    rows = frame.head(20)

    def ask(inputs: pd.DataFrame) -> Any:
        asked.append(len(inputs))
        return model.probabilities(inputs)

    decisions = said(model, rows)
    found = explain_by_occlusion(ask, model.classes, rows, decisions, task, baseline)
    assert len(asked) == 1
    assert asked[0] <= 20 * len(task.inputs)
    for decision, one, row in zip(decisions, found, rows.to_dict(orient="records"), strict=True):
        assert one is not None
        assert one.method is ExplainedBy.OCCLUSION
        for part in one.parts:
            hidden = pd.DataFrame([row | {part.name: baseline.usual[part.name]}])
            left = model.probabilities(hidden)[0, model.classes.index(decision.label)]
            assert part.weight == pytest.approx(decision.confidence - left)


@pytest.mark.parametrize("words", [1, 63, 64, 65, 1000])
def test_no_case_has_more_parts_than_the_bound(words: int) -> None:
    text = " ".join(f"w{number}" for number in range(words))
    task = Task("p", InputKind.TEXT, ("x",), ("yes", "no"))
    assert 0 < len(hidden_parts({"x": text}, task, Baseline())) <= MOST_HIDDEN
    columns = tuple(f"c{number}" for number in range(words))
    table = Task("p", InputKind.TABLE, columns, ("yes", "no"))
    baseline = Baseline(dict.fromkeys(columns, 0.0), dict.fromkeys(columns, 1.0))
    assert len(hidden_parts(dict.fromkeys(columns, 1.0), table, baseline)) == min(words, MOST_HIDDEN)


@pytest.mark.parametrize("side", [1, 3, 8, 28])
def test_the_heat_of_a_picture_keeps_its_weight_and_its_place(side: int) -> None:
    weights = [0.0] * (side * side)
    weights[-1] = 2.0
    heat = heat_of(weights)
    assert heat.cells.sum() == 2.0
    assert heat.cells[-1, -1] == 2.0
    assert len(heat.cells) == min(side, 8)
    assert heat.shown[-1][-1] == 1.0


def test_pixels_of_a_picture_are_explained_by_its_cells() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.random((200, 64)), columns=[f"p{number}" for number in range(64)])
    labels = ["light" if value > 0.5 else "dark" for value in frame["p9"]]
    for name in ("linear", "boosting"):
        task, estimator = learned(frame, labels, InputKind.IMAGE, name)
        model = a_model(estimator, task)
        rows = frame.head(10)
        cases = {f"case-{place}": a_case(case_id=f"case-{place}", inputs=row)
                 for place, row in enumerate(rows.to_dict(orient="records"))}  # fmt: skip
        baseline = baseline_of(frame, task.inputs)
        found = Explainer(task, ExplainBy.AUTO, lambda: baseline, 20.0).explain(  # noqa: B023
            [model], said(model, rows), cases
        )
        strongest = [one.parts[0].name for one in found.values() if one.parts]
        assert strongest.count("row 2, column 2") >= 0.7 * len(strongest) > 0
        assert all(len(one.heat) == 8 for one in found.values() if one.parts)


class Broken:
    classes_ = ("no", "yes")

    def predict_proba(self, inputs: Any) -> Any:
        raise RuntimeError(f"broken on {len(inputs)} rows")


class Slow(Broken):
    def predict_proba(self, inputs: Any) -> Any:
        time.sleep(1.0)
        return np.tile([0.5, 0.5], (len(inputs), 1))


@pytest.mark.parametrize("estimator", [Broken(), Slow()])
def test_a_model_that_fails_or_is_slow_has_no_explanation_and_holds_nobody_up(estimator: Any) -> None:
    task = Task("p", InputKind.TABLE, ("a",), ("yes", "no"))
    model = EstimatorModel("1", "sha256:0", ("no", "yes"), estimator, ("a",))
    decision = a_decision(model_version="1", model_digest="sha256:0", label="yes")
    cases = {decision.case_id: a_case(case_id=decision.case_id, inputs={"a": 1.0})}
    explainer = Explainer(task, ExplainBy.AUTO, lambda: Baseline({"a": 0.0}, {"a": 1.0}), 0.1)
    began = time.monotonic()
    assert explainer.explain([model], [decision] * 300, cases) == {}
    assert time.monotonic() - began < 0.9


def test_an_answer_of_another_model_or_of_none_has_no_explanation() -> None:
    frame, labels = a_table()
    task, estimator = learned(frame, labels, InputKind.TABLE, "linear")
    model = a_model(estimator, task)
    row = a_case(inputs=frame.iloc[0].to_dict())
    others = [
        a_decision(model_version="2", model_digest="sha256:0"),
        a_decision(model_version="1", model_digest="sha256:0", label="", probabilities={}, confidence=0.0),
    ]
    explainer = Explainer(task, ExplainBy.AUTO, Baseline, 5.0)
    assert explainer.explain([model], others, {row.case_id: row}) == {}


def test_shapley_values_add_up_or_the_extra_is_asked_for_in_plain_words() -> None:
    frame, labels = a_table()
    task, estimator = learned(frame, labels, InputKind.TABLE, "boosting")
    model, baseline = a_model(estimator, task), baseline_of(frame, task.inputs)
    if find_spec("shap") is None:
        with pytest.raises(ConfigurationError, match=r"hitl_mlops\[shap\]"):
            Explainer(task, ExplainBy.SHAP, lambda: baseline, 5.0)
        return
    rows = frame.head(3)
    decisions = said(model, rows)
    found = explain_by_shap(model.probabilities, model.classes, rows, decisions, task, baseline)
    [usual] = model.probabilities(pd.DataFrame([baseline.usual]))
    for decision, one in zip(decisions, found, strict=True):
        assert one is not None
        lost = decision.confidence - usual[model.classes.index(decision.label)]
        assert sum(part.weight for part in one.parts) == pytest.approx(lost, abs=1e-6)
