"""Whatever table a user brings, a project is proposed that opens, or it is refused in plain words."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.decisions.table_file import read_table
from hitl_mlops.errors import InputError
from hitl_mlops.new_project.proposal import Role, Wishes
from hitl_mlops.new_project.propose import propose
from hitl_mlops.new_project.write import write_project
from hitl_mlops.project import Project

ROWS = 24
NAMES = [
    "id",
    "label",
    "text",
    "customer_id",
    "created_at",
    "px1",
    "no",
    "a: b",
    "*",
    "[x]",
    "ä",
    "",
    "amount",
]

cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["2024-01-01", "2024-01-01T00:00:00Z", "01", "1e999", " ", "nan", "true", "x.png", "a b c d"]
    ),
)
columns = st.one_of(
    st.lists(cells, min_size=ROWS, max_size=ROWS),
    st.lists(st.floats(), min_size=ROWS, max_size=ROWS),
    st.lists(st.sampled_from(["a", "b", None]), min_size=ROWS, max_size=ROWS),
    st.lists(st.sampled_from(["yes", "no"]), min_size=ROWS, max_size=ROWS),
    st.lists(st.integers(0, 3), min_size=ROWS, max_size=ROWS),
    st.lists(st.text(max_size=30), min_size=ROWS, max_size=ROWS),
)
tables = st.dictionaries(st.sampled_from(NAMES), columns, min_size=1, max_size=5)
wishes = st.builds(Wishes, label=st.sampled_from([None, "label", "no"]), id=st.sampled_from([None, "id"]))


@given(tables, wishes)
@settings(max_examples=250, deadline=None)
def test_every_column_has_one_role_or_the_table_is_refused(
    table: dict[str, list[object]], wished: Wishes
) -> None:
    frame = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in table.items()})
    try:
        proposal = propose(frame, wished)
    except InputError:
        return
    assert [column.name for column in proposal.columns] == list(table)
    assert len(proposal.names(Role.LABEL)) == 1
    assert proposal.names(Role.INPUT)
    assert sum(proposal.classes.values()) == int(frame[proposal.name(Role.LABEL)].notna().sum())


@given(tables)
@settings(max_examples=120, deadline=None)
def test_what_is_proposed_opens_with_the_proposed_columns_or_is_refused_before_anything_is_written(
    table: dict[str, list[object]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data, project = Path(folder) / "data.csv", Path(folder) / "project"
        pd.DataFrame(table).to_csv(data, index=False)
        try:
            proposal = propose(read_table(data))
            write_project(project, proposal, data)
        except InputError:
            assert not project.exists()
            return
        task = Project.open(project).parts.task
        assert task.inputs == proposal.names(Role.INPUT)
        assert set(task.classes) == set(proposal.classes)
