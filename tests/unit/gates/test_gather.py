"""What the judge reads, gathered: hard cases, groups, health of labels, leaks, files, footprints."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.decisions.model import EstimatorModel
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.gates.footprint import measure_footprint
from hitl_mlops.gates.gather import LiveCase, data_facts, group_names, hard_cases, judged_cases, live_cases
from hitl_mlops.gates.labelled_file import on_file, read_labelled_file
from hitl_mlops.gates.leaks import single_column_recalls
from hitl_mlops.overrides.record import Method, Resolution
from tests.builders import NOW, a_case, a_decision

TASK = Task("loans", InputKind.TABLE, ("x",), ("no", "yes"), label="label")


class Above:
    """Says yes where x is above a bound, and is always sure."""

    classes_ = ("no", "yes")

    def __init__(self, bound):
        self.bound = bound

    def predict_proba(self, rows):
        yes = (rows["x"] > self.bound).to_numpy(dtype=float)
        return np.stack([1 - yes, yes], axis=1)


def model(bound, version="1"):
    return EstimatorModel(version, "sha256:m", ("no", "yes"), Above(bound), ("x",), size_bytes=1234)


def resolved(decision, **changes):
    given = {"method": Method.SINGLE, "reason_codes": (None,), **changes}
    return Resolution(
        "r", decision.decision_id, "t", "review", "yes", "yes", given["method"], ("k",), ("r1",),
        given["reason_codes"], NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "hard"),
    [
        ({}, False),
        ({"method": Method.MAJORITY}, True),
        ({"method": Method.ADJUDICATED}, True),
        ({"method": Method.UNANIMOUS}, False),
        ({"reason_codes": ("ambiguous",)}, True),
        ({"reason_codes": ("wrong_class",)}, False),
    ],
)
def test_a_case_is_hard_by_what_people_said_among_themselves(changes, hard):
    decision, case = a_decision(), a_case()
    [found] = live_cases([decision], {decision.case_id: case}, [resolved(decision, **changes)])
    assert (found.hard, found.truth) == (hard, "yes")


def test_the_stress_set_is_made_of_the_hard_live_cases_alone():
    live = [LiveCase(a_case(case_id=f"c{x}", inputs={"x": x}), 1.0, "yes", hard=x > 5) for x in range(10)]
    base = pd.DataFrame({"x": [1.0, 9.0], "label": ["no", "yes"]})
    cases = judged_cases(base, live, challenger=model(7), champion=model(5), slices=())
    found = hard_cases(cases, live)
    assert found.challenger_wrong.tolist() == [True, True, False, False]
    assert not found.champion_wrong.any()
    assert hard_cases(cases, [LiveCase(one.case, 1.0, "yes") for one in live]) is None


def test_groups_are_alike_whatever_their_type_and_missing_ones_are_none():
    assert group_names([1, 1.0, "1", None, np.nan, "", True]).tolist() == [
        "1",
        "1",
        "1",
        None,
        None,
        None,
        "true",
    ]


def test_a_column_that_is_the_label_or_nearly_so_is_found():
    rng = np.random.default_rng(1)
    truth = rng.choice(["a", "b", "c"], 3000, p=[0.9, 0.05, 0.05])
    inputs = pd.DataFrame(
        {
            "code": pd.factorize(truth)[0] * 1.0,
            "nearly": pd.factorize(truth)[0] + rng.normal(0, 0.05, 3000),
            "noise": rng.random(3000),
            "id": [f"case {row}" for row in range(3000)],
        }
    )
    found = single_column_recalls(inputs, truth.tolist())
    assert found["code"] == 1.0
    assert found["nearly"] > 0.95
    assert found["noise"] < 0.5
    assert found["id"] == pytest.approx(1 / 3)


def test_copies_across_the_split_are_counted_and_classes_learned_from():
    inputs = pd.DataFrame({"x": [1.0, 2.0, 3.0, 1.0], "y": ["a", "b", "c", "a"]})
    held_back = np.array([False, False, True, True])
    found = data_facts(inputs, ["no", "yes", "no", "yes"], held_back, {"no": 1})
    assert (found.duplicates, found.held_back, found.learned) == (1, 2, {"no": 1, "yes": 1})


def test_cases_of_a_file_that_it_may_have_learned_from_are_left_out(tmp_path):
    path = tmp_path / "golden.csv"
    pd.DataFrame({"x": [1, 2, 8, 9], "label": ["no", "no", "yes", "yes"]}).to_csv(path, index=False)
    given = read_labelled_file(path, TASK)
    found = on_file(given, pd.DataFrame({"x": [2.0, 30.0]}), challenger=model(8), champion=model(5))
    assert found.challenger_wrong.tolist() == [False, True, False]
    assert (found.champion_wrong.sum(), found.learned) == (0, 1)
    assert found.source.startswith("golden.csv sha256:")


@pytest.mark.parametrize(
    ("frame", "words"),
    [({"x": [1], "label": ["perhaps"]}, "no classes: perhaps"), ({"label": ["no"]}, "no column x")],
)
def test_a_file_that_is_no_labelled_set_is_refused_by_name(tmp_path, frame, words):
    path = tmp_path / "golden.csv"
    pd.DataFrame(frame).to_csv(path, index=False)
    with pytest.raises(InputError, match=words):
        read_labelled_file(path, TASK)


def test_a_footprint_counts_time_and_bytes_and_stops_in_time():
    ticks = iter(np.arange(0, 10_000, 0.5))
    found = measure_footprint(model(3), pd.DataFrame({"x": range(40)}), clock=lambda: float(next(ticks)))
    assert (found.rows, found.alone_ms, found.size_bytes) == (5, 500.0, 1234)
    assert found.batch_ms == pytest.approx(500 / 40)
    assert measure_footprint(model(3), pd.DataFrame({"x": []})) is None
    assert timedelta(milliseconds=found.alone_ms) < timedelta(seconds=1)
