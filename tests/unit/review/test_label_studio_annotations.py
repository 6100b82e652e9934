"""Whatever stands in an annotation, it is read as an answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.review.label_studio_annotations import ANNOTATION_FIELDS, read_annotation, read_task

PEOPLE = {1: "ann@x.org", 2: "bob@x.org"}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def raw(**changes: object) -> dict[str, object]:
    plain = {
        "id": 5,
        "completed_by": 1,
        "updated_by": 2,
        "lead_time": 3.5,
        "was_cancelled": False,
        "created_at": "2026-11-21T03:58:56Z",
        "updated_at": "2026-11-21T03:59:00.5Z",
        "result": [
            {"from_name": "label", "value": {"choices": ["yes"]}},
            {"from_name": "rationale", "value": {"text": ["one", "two"]}},
            {"from_name": "reason_code", "value": {"choices": ["wrong_class"]}},
        ],
    }
    return plain | changes


def read(**changes: object):
    return read_annotation(raw(**changes), "desk:1", "9", "t_1", PEOPLE)


def test_a_plain_annotation_is_read() -> None:
    answer = read()
    assert (answer.label, answer.rationale, answer.reason_code) == ("yes", "one\ntwo", "wrong_class")
    assert (answer.reviewer, answer.edited_by) == ("ann@x.org", "bob@x.org")
    assert (answer.revision, answer.seconds) == ("2026-11-21T03:59:00.500000Z", 3.5)


def test_who_never_edited_is_the_reviewer() -> None:
    assert read(updated_by=None).edited_by == "ann@x.org"


def test_a_user_given_as_an_object_or_gone_is_named() -> None:
    assert read(completed_by={"id": 2, "email": "bob@x.org"}).reviewer == "bob@x.org"
    assert read(completed_by=77).reviewer == "user:77"
    assert read(completed_by=None).reviewer == ""


@pytest.mark.parametrize("choices", [[], ["a", "b"], [None], "a", None, [{"x": 1}]])
def test_anything_but_one_choice_is_no_label(choices: object) -> None:
    expected = "a" if choices == "a" else None
    assert read(result=[{"from_name": "label", "value": {"choices": choices}}]).label == expected


def test_any_change_of_content_changes_the_hash() -> None:
    hashes = {read().payload_hash, read(lead_time=9.0).payload_hash, read(was_cancelled=True).payload_hash}
    assert len(hashes) == 3


@given(st.dictionaries(st.sampled_from(ANNOTATION_FIELDS), anything))
def test_no_annotation_fails_to_be_read(payload: dict[str, object]) -> None:
    answer = read_annotation(json.loads(json.dumps(payload)), "desk:1", "9", None, PEOPLE)
    assert len(answer.payload_hash) == 64
    assert answer.answered_at.tzinfo is not None


@given(anything, anything)
def test_no_task_fails_to_be_read(data: object, annotations: object) -> None:
    listed = annotations if isinstance(annotations, list) else [annotations]
    task = read_task({"id": 1, "updated_at": None, "data": data, "annotations": listed}, "desk:1", PEOPLE)
    assert task.cursor.task_id == 1
