from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from hitl_mlops.dataset.assemble import from_base, from_resolutions
from hitl_mlops.dataset.columns import columns_of
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from tests.builders import a_case, a_decision
from tests.dataset_room import NOW, a_resolution

TASK = Task("p", InputKind.TABLE, ("x",), ("yes", "no", "8"), id="id", label="truth", show=("amount",))
FRAME = pd.DataFrame({"id": ["1", "2"], "x": [1.0, None], "amount": [5, 6], "truth": ["yes", None]})
COLUMNS = (
    ("example_id", "string"),
    ("subject", "string"),
    ("at", "time"),
    ("amount", "float64"),
    ("x", "float64"),
)


def base(frame=FRAME, task=TASK):
    return from_base(frame, task, source="base.csv", now=NOW)


def of(resolutions, withdrawn=(), columns=COLUMNS):
    decisions, cases = {"d_case-1": a_decision(pi=0.03)}, {"case-1": a_case()}
    return from_resolutions(resolutions, withdrawn, decisions, cases, columns=columns, now=NOW)


def test_base_rows_are_examples_and_only_labelled_ones_have_an_event():
    added = base()
    assert added.examples.column_names == ["example_id", "subject", "at", "amount", "x"]
    assert added.labels.select(["example_id", "label", "source"]).to_pylist() == [
        {"example_id": "1", "label": "yes", "source": "base"}
    ]
    assert added.lineage.source == "base.csv"


def test_whole_numbers_are_their_own_text_as_labels_and_ids():
    frame = pd.DataFrame({"id": [1, 2], "x": [1.0, 2.0], "amount": [5, 6], "truth": [8.0, None]})
    added = base(frame)
    assert added.labels["label"].to_pylist() == ["8"]
    assert added.examples["example_id"].to_pylist() == ["1", "2"]


def test_without_an_id_the_inputs_name_the_case_and_a_repeat_is_numbered():
    frame = pd.concat([FRAME, FRAME]).reset_index(drop=True)
    task = Task("p", InputKind.TABLE, ("x",), ("yes",), label="truth")
    ids = base(frame, task).examples["example_id"].to_pylist()
    assert len(set(ids)) == 4
    assert ids[2:] == [f"{ids[0]}_2", f"{ids[1]}_2"]


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (FRAME.drop(columns="truth"), "lack truth; they have id, x, amount"),
        (FRAME.head(0), "no rows"),
        (FRAME.assign(truth="maybe"), "no classes: maybe"),
    ],
)
def test_base_data_that_cannot_be_used_are_refused_in_plain_words(frame, says):
    with pytest.raises(InputError, match=says):
        base(frame)


def test_times_that_are_none_are_refused():
    task = Task("p", InputKind.TABLE, ("x",), ("yes",), time="truth")
    with pytest.raises(InputError, match="'truth' holds no times"):
        base(FRAME, task)


def test_a_resolution_becomes_an_example_and_an_event_with_its_pi():
    added = of([a_resolution(ticket_kind="spot_check")])
    assert columns_of(added.examples) == COLUMNS
    assert added.examples.to_pylist()[0] | {"at": None} == {
        "example_id": "case-1", "subject": "case-1", "at": None, "amount": 20.0, "x": 1.5,
    }  # fmt: skip
    event = added.labels.to_pylist()[0]
    assert (event["source"], event["label"], event["pi"], event["reviewers"]) == (
        "override",
        "no",
        0.03,
        "ann",
    )


def test_events_go_by_time_and_withdrawals_come_first():
    late = a_resolution(resolution_id="res_a", label="yes", resolved_at=NOW + timedelta(hours=1))
    added = of([late, a_resolution(resolution_id="res_b")], [a_resolution(resolution_id="res_c")])
    events = [(row["resolution_id"], row["source"]) for row in added.labels.to_pylist()]
    assert events == [("res_c", "withdrawn"), ("res_b", "override"), ("res_a", "agreed")]
    assert added.examples.num_rows == 1
    assert (added.lineage.resolutions, added.lineage.collected_until) == (2, late.resolved_at)


def test_a_resolution_of_an_unknown_decision_is_refused():
    with pytest.raises(InputError, match="The decision d_9 of a resolution"):
        of([a_resolution(decision_id="d_9")])


def test_a_value_of_another_type_than_the_datasets_is_refused():
    with pytest.raises(InputError, match="value for 'x' that is no string"):
        of([a_resolution()], columns=(*COLUMNS[:4], ("x", "string")))


def test_what_somebody_kept_out_of_the_training_data_is_no_example_and_no_withdrawal():
    kept_out = a_resolution(for_training=False)
    added = of([kept_out], [a_resolution(for_training=False, resolution_id="res_2")])
    assert (added.examples.num_rows, added.labels.num_rows, added.lineage.resolutions) == (0, 0, 0)
