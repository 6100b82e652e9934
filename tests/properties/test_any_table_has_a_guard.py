"""Whatever base data a user has, its guard is learned, and looks at whatever rows come."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.decisions.cells import any_fault, screen_input
from hitl_mlops.decisions.odd import FEWEST_ROWS, OddPolicy, learn_guard, odd_among
from hitl_mlops.decisions.schema import learn_schema
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError

numbers = st.one_of(st.none(), st.floats(), st.integers(-(2**53), 2**53))
words = st.one_of(
    st.none(), st.booleans(), st.sampled_from(["a", "b", "", "nan", "1e999"]), st.text(max_size=9)
)
sentences = st.text("ab c\u0301é東\ud800\0", max_size=60)
columns = st.one_of(
    *(
        st.lists(cells, min_size=2 * FEWEST_ROWS, max_size=2 * FEWEST_ROWS)
        for cells in (numbers, words, sentences)
    ),
    st.sampled_from([[0.0] * 2 * FEWEST_ROWS, [True] * 2 * FEWEST_ROWS, list(range(2 * FEWEST_ROWS))]),
)


@given(st.lists(columns, min_size=1, max_size=4), st.sampled_from(InputKind))
@settings(max_examples=150, deadline=None)
def test_any_base_data_teach_a_guard_that_judges_any_sound_row(table: list[list[object]], kind: InputKind):
    frame = pd.DataFrame({f"c{at}": pd.Series(cells, dtype=object) for at, cells in enumerate(table)})
    rows = frame[FEWEST_ROWS:]
    base = frame[:FEWEST_ROWS].replace("[\ud800-\udfff]", "", regex=True)  # no file that is read holds them
    task = Task("any", kind, tuple(frame.columns), ("0", "1"))
    try:
        schema = learn_schema(base, task)
    except InputError:
        return
    guard = learn_guard(base, task, schema, OddPolicy())
    read = {spec.name: screen_input(rows[spec.name].reset_index(drop=True), spec) for spec in schema.columns}
    sound = ~any_fault(
        {f"{name} {at}": bad for name, one in read.items() for at, bad in one.faults.items()}, len(rows)
    )
    faults = odd_among({name: cells.column for name, cells in read.items()}, sound, guard)
    assert all(
        odd.shape == (len(rows),) and odd.any() and not (odd & ~sound).any() for odd in faults.values()
    )
    assert not any(np.isnan(bound) for _, bound in guard.views)
