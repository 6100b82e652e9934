"""Cases at the door: what becomes a case, what is refused, and that the others go on."""

import time
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.decisions.intake import screen_cases
from hitl_mlops.decisions.schema import ColumnSpec, ColumnType, InputSchema, learn_schema, read_schema
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from tests.builders import NOW, a_case, a_decision, a_log, record

TASK = Task("p", InputKind.TABLE, ("x", "kind"), ("no", "yes"), id="id", attributes=("amount",))
BASE = pd.DataFrame({"x": [0.0, 10.0, 5.0], "kind": ["a", "b", "a"], "amount": [1, 2, 3]})
SCHEMA = learn_schema(BASE, TASK)


def screened(rows, task=TASK, schema=SCHEMA, log=None, **options):
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    return screen_cases(frame, task, schema, log or a_log(), now=NOW, **options)


def a_row(**changes):
    return {"id": "c1", "x": 1.5, "kind": "a", "amount": 7} | changes


def reasons_of(**changes):
    intake = screened({name: pd.Series([value], dtype=object) for name, value in a_row(**changes).items()})
    return [reason for row in intake.refused for reason in row.reasons]


def test_a_good_row_is_a_case():
    intake = screened([a_row()])
    assert intake.refused == ()
    assert list(intake.cases) == [
        a_case(case_id="c1", inputs={"x": 1.5, "kind": "a"}, attributes={"amount": 7})
    ]


WRONG = [
    ({"x": np.nan}, "x has no value"),
    ({"x": None}, "x has no value"),
    ({"x": np.inf}, "x is infinite"),
    ({"x": "-inf"}, "x is infinite"),
    ({"x": "ten"}, "x is not a number"),
    ({"x": "١٢"}, "x is not a number"),
    ({"x": True}, "x is true or false, not a number"),
    ({"x": [1]}, "x is not a number"),
    ({"x": 10**400}, "x has more digits than a float holds"),
    ({"x": 2**53 + 2}, "x has more digits than a float holds"),
    ({"x": 1000.0}, "x is far outside the range of the base data"),
    ({"kind": ""}, "kind has no value"),
    ({"kind": "a\0b"}, "kind holds a NUL character"),
    ({"kind": "a\ud800"}, "kind holds half a character (a lone surrogate)"),
    ({"kind": "a" * 100_001}, "kind is longer than 100,000 characters"),
    ({"kind": {"a": 1}}, "kind holds more than one value"),
    ({"amount": np.inf}, "amount is infinite"),
    ({"amount": [1, 2]}, "amount holds more than one value"),
    ({"amount": 2**60}, "amount has more digits than a float holds"),
    ({"id": None}, "id has no value"),
    ({"id": " "}, "id has no value"),
    ({"id": "c" * 201}, "id is longer than 200 characters"),
    ({"id": 2.0**60}, "id has more digits than a float holds"),
]


@pytest.mark.parametrize(("change", "reason"), WRONG, ids=[str(each[0])[:40] for each in WRONG])
def test_a_row_that_cannot_be_decided_is_refused_with_its_reason(change, reason):
    assert reason in reasons_of(**change)


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "<script>", "'; DROP TABLE cases; --", "\u202eevil", "../../etc", "日本"]
)
def test_text_is_only_text(text):
    assert reasons_of(kind=text) == []


def test_all_reasons_are_told_and_the_other_rows_go_on():
    intake = screened(
        pd.DataFrame(
            {
                "id": ["c1", "c2", "c3"],
                "x": [np.nan, 1.0, 2.0],
                "kind": ["a\0", "b", "a"],
                "amount": [1, 2, 3],
            }
        )
    )
    assert [case.case_id for case in intake.cases] == ["c2", "c3"]
    assert set(intake.refused[0].reasons) == {"x has no value", "kind holds a NUL character"}
    assert intake.refused[0].place == 1


def test_no_reason_repeats_a_value():
    for change, _ in WRONG:
        for reason in reasons_of(**change):
            assert reason.split(" ")[0] in {"id", "x", "kind", "amount"}
            assert "evil" not in reason


def test_an_id_that_stands_twice_is_refused_both_times():
    intake = screened([a_row(), a_row(x=2.0), a_row(id="c2")])
    assert [row.place for row in intake.refused] == [1, 2]
    assert [case.case_id for case in intake.cases] == ["c2"]


def test_a_missing_column_refuses_the_table_and_names_the_likeliest_meant():
    with pytest.raises(InputError, match="missing: amount") as told:
        screened(pd.DataFrame([a_row()]).rename(columns={"amount": "amounts"}))
    assert "Did you mean amounts?" in told.value.remedy


def test_strict_refuses_the_whole_table():
    with pytest.raises(InputError, match="1 of 2 rows are refused: x has no value") as told:
        screened([a_row(), a_row(id="c2", x=np.nan)], strict=True)
    assert told.value.data["rows"] == [2]


def test_a_known_case_with_the_same_content_goes_on_and_with_other_content_is_refused():
    log = a_log()
    before = screened([a_row()], log=log).cases.records()
    record(log, before, [a_decision(case_id="c1", attributes=before[0].attributes)])
    assert list(screened([a_row()], log=log).cases) == before
    changed = screened([a_row(x=2.0)], log=log)
    assert len(changed.cases) == 0
    assert changed.refused[0].reasons == ("was decided already with other content",)


def test_whole_numbers_make_the_same_id_whatever_their_type():
    for value in (12, 12.0, "12"):
        frame = pd.DataFrame([a_row(id=value)])
        assert screened(frame).cases[0].case_id == "12"


def test_without_an_id_column_the_content_names_the_case_and_repeats_are_numbered():
    task = Task("p", InputKind.TEXT, ("text",), ("a", "b"))
    schema = learn_schema(pd.DataFrame({"text": ["x", "y"]}), task)
    frame = pd.DataFrame({"text": ["hello", "bye", "hello"]})
    first = list(screened(frame, task, schema).cases)
    assert list(screened(frame, task, schema).cases) == first
    assert len({case.case_id for case in first}) == 3
    assert first[2].case_id == first[0].case_id + "_2"


def test_times_need_a_zone_and_are_kept_in_utc():
    task = Task("p", InputKind.TABLE, ("x",), ("no", "yes"), id="id", time="at")
    schema = learn_schema(BASE, task)
    at = ["2026-03-29T03:30:00+02:00", "2026-03-29T02:30:00", "soon", None, 5]
    frame = pd.DataFrame({"id": list("abcde"), "x": 1.0, "at": pd.Series(at, dtype=object)})
    intake = screened(frame, task, schema)
    assert intake.cases[0].at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert [row.reasons[0] for row in intake.refused] == [
        "at has no time zone",
        "at is not a time",
        "at has no value",
        "at is not a time",
    ]
    zoned = frame.assign(at=pd.to_datetime(["2026-01-01"] * 5, utc=True))
    assert screened(zoned, task, schema).cases[0].at == datetime(2026, 1, 1, tzinfo=UTC)
    assert len(screened(frame.assign(at=pd.to_datetime(["2026-01-01"] * 5)), task, schema).refused) == 5


def test_what_is_refused_can_be_stored_anywhere():
    kinds = [
        row["kind"]
        for row in (
            dict(each.row)
            for each in screened(
                pd.DataFrame(
                    {
                        "id": ["a", "b"],
                        "x": [1.0, 2.0],
                        "kind": pd.Series(["\0", "\ud800"], dtype=object),
                        "amount": 1,
                    }
                )
            ).refused
        )
    ]
    assert kinds == ["\\u0000", "\\ud800"]


def test_gaps_are_allowed_where_the_base_data_has_them():
    schema = learn_schema(BASE.assign(x=[0.0, np.nan, 5.0]), TASK)
    assert screened([a_row(x=np.nan)], schema=schema).cases[0].inputs["x"] is None


def test_pixels_share_one_range_so_that_a_blank_corner_may_be_written_on():
    task = Task("p", InputKind.IMAGE, ("p0", "p1"), ("0", "1"))
    schema = learn_schema(pd.DataFrame({"p0": [0, 0], "p1": [0, 16]}), task)
    assert screened([{"p0": 16, "p1": 0}], task, schema).refused == ()
    assert len(screened([{"p0": 160, "p1": 0}], task, schema).refused) == 1


def test_the_schema_survives_being_written():
    assert read_schema(SCHEMA.to_dict()) == SCHEMA
    assert [spec.type for spec in SCHEMA.columns] == [ColumnType.NUMBER, ColumnType.CATEGORY]


def test_base_data_without_a_value_in_a_column_is_refused():
    with pytest.raises(InputError, match="'x' has no value"):
        learn_schema(BASE.assign(x=None), TASK)


def test_a_hundred_thousand_rows_are_screened_in_seconds():
    rng = np.random.default_rng(0)
    names = tuple(f"x{n}" for n in range(10))
    frame = pd.DataFrame(rng.random((100_000, 10)), columns=names).assign(id=np.arange(100_000))
    task = Task("p", InputKind.TABLE, names, ("a", "b"), id="id")
    schema = learn_schema(frame, task)
    started = time.perf_counter()
    assert len(screened(frame, task, schema).cases) == 100_000
    assert time.perf_counter() - started < 8  # about 1 s on an idle machine


@pytest.mark.parametrize("value", [2.0**53, -(2.0**53), 2.0**53 - 1, np.inf, np.nan, 1e300])
def test_a_number_is_judged_alike_alone_and_among_others(value):
    for inputs in (("x",), ("x", "y")):
        task = Task("p", InputKind.TABLE, inputs, ("no", "yes"), id="id")
        schema = InputSchema(tuple(ColumnSpec(name, ColumnType.NUMBER) for name in inputs))
        intake = screened(pd.DataFrame({"id": ["a"], "x": [value], "y": [1.0]}), task, schema)
        assert len(intake.cases) == (1 if value == 2.0**53 - 1 else 0)
