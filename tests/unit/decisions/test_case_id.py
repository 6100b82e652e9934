from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.dataset.assemble import from_base
from hitl_mlops.decisions.case_id import made_ids
from hitl_mlops.decisions.intake import screen_cases
from hitl_mlops.decisions.schema import learn_schema
from hitl_mlops.decisions.task import InputKind, Task
from tests.builders import a_log

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAME = [
    (8, 8.0, np.int64(8), np.float32(8), Decimal(8)),
    (0, -0.0, 0.0),
    (None, float("nan"), pd.NA, pd.NaT, "", "  "),
    (True, np.array([True])[0]),
    (0.5, np.float32(0.5), Decimal("0.5")),
    ("é", np.str_("é")),
    (NOW, pd.Timestamp(NOW)),
]


@pytest.mark.parametrize("spellings", SAME, ids=str)
def test_one_value_however_it_is_held_makes_one_id(spellings):
    assert len({made_ids([{"x": value}])[0] for value in spellings}) == 1


def test_values_that_differ_make_ids_that_differ():
    firsts = [{"x": spellings[0]} for spellings in SAME]
    ids = made_ids([*firsts, {"x": 1}, {"x": "1"}, {"x": "8"}, {"x": False}, {"x": 2**53 + 1}, {"y": 8}])
    assert len(set(ids)) == len(ids) == len(SAME) + 6


def test_a_row_that_is_none_has_no_id_and_counts_for_nothing():
    assert made_ids([None, {"x": 1}, None])[::2] == ["", ""]


FRAMES = {
    "whole numbers": pd.DataFrame({"x": [1, 8, 8], "s": ["a", "b", "b"], "f": [True, False, True]}),
    "with gaps": pd.DataFrame({"x": [1.0, None, 8.0], "s": ["a", None, " "], "f": [True, None, False]}),
    "small types": pd.DataFrame(
        {"x": np.array([1, 2, 8], np.int8), "s": pd.Categorical(["a", "b", "a"]), "f": [True] * 3}
    ),
    "nullable types": pd.DataFrame(
        {
            "x": pd.array([1, None, 8], "Int64"),
            "s": ["a", "b", "c"],
            "f": pd.array([True, None, False], "boolean"),
        }
    ),
    "fractions": pd.DataFrame(
        {"x": np.array([0.5, 0.1, 8], np.float32), "s": ["1", "2", "2"], "f": [1, 0, 1]}
    ),
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("id_column", [None, "x"])
def test_a_row_has_one_id_in_the_base_data_and_at_the_door(name, id_column):
    frame = FRAMES[name]
    if id_column and (frame[id_column].isna().any() or frame[id_column].duplicated().any()):
        frame = frame.assign(x=range(len(frame)))
    task = Task("p", InputKind.TABLE, ("x", "s", "f"), ("yes",), id=id_column)
    base = from_base(frame, task, source="base", now=NOW).examples["example_id"].to_pylist()
    intake = screen_cases(frame, task, learn_schema(frame, task), a_log(), now=NOW)
    assert intake.refused == ()
    assert [case.case_id for case in intake.cases] == base
    assert len(set(base)) == len(base)
