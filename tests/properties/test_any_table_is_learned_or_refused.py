"""Whatever table a user brings is learned from, or refused in plain words; nothing else happens."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.decisions.model import EstimatorModel
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.training.columns import as_dates, as_numbers, as_texts, as_words, column_types
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recipe import Recipe

ROWS = 24

cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=30),
    st.datetimes(),
    st.dates(),
    st.sampled_from(["2024-01-01", "01", "1e999", "", " ", "nan", "true", "99999-01-01"]),
)
columns = st.one_of(
    st.lists(cells, min_size=ROWS, max_size=ROWS),
    st.lists(st.floats(), min_size=ROWS, max_size=ROWS),
    st.lists(st.sampled_from(["a", "b", None]), min_size=ROWS, max_size=ROWS),
    st.lists(st.text(max_size=30), min_size=ROWS, max_size=ROWS),
    st.lists(st.lists(st.integers(), max_size=2), min_size=ROWS, max_size=ROWS),
)
tables = st.lists(columns, min_size=1, max_size=4)


def a_frame(table: list[list[object]]) -> pd.DataFrame:
    return pd.DataFrame({f"c{at}": pd.Series(column, dtype=object) for at, column in enumerate(table)})


@given(tables)
@settings(max_examples=150, deadline=None)
def test_every_column_has_a_type_and_a_reason_and_every_reader_keeps_the_rows(
    table: list[list[object]],
) -> None:
    frame = a_frame(table)
    found = column_types(frame, list(frame.columns))
    assert [column.column for column in found] == list(frame.columns)
    assert all(column.why for column in found)
    assert as_numbers(frame).shape == as_words(frame).shape == frame.shape
    assert as_dates(frame).shape == (ROWS, 5 * len(frame.columns))
    assert as_texts(frame).shape == (ROWS,)
    assert not np.isinf(as_numbers(frame)).any()


@given(tables, st.sampled_from(["linear", "boosting"]))
@settings(max_examples=25, deadline=None)
def test_any_table_gives_probabilities_or_is_refused(table: list[list[object]], recipe: str) -> None:
    frame = a_frame(table)
    task = Task("any", InputKind.TABLE, tuple(frame.columns), ("0", "1"))
    rows = frame.assign(label=[str(at % 2) for at in range(ROWS)])
    held = np.arange(ROWS) % 6 == 0
    try:
        fitted = fit(rows, task, Recipe(recipe), held_back=held, dataset_digest="d", dataset_number=1)
    except InputError:
        return
    model = EstimatorModel("1", "d", fitted.classes, fitted.estimator, fitted.inputs)
    answer = model.probabilities(frame)
    assert answer.shape == (ROWS, 2)
    np.testing.assert_allclose(answer.sum(axis=1), 1.0, atol=1e-6)
