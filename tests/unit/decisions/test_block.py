"""Blocks: what was written is read back, every byte is in its row's hash, and a part is a part."""

import hashlib
import json
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.decisions.block import Block, digest_of, id_of, key_of, row_type
from hitl_mlops.decisions.cases import column_of, column_values
from hitl_mlops.decisions.record import Arm, ShadowPrediction
from hitl_mlops.routing.policy import Intervention
from tests.builders import NOW, a_block, a_case, a_decision

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    FLOATS,
    st.text(max_size=20),
)


@given(values=st.lists(VALUES, max_size=8))
def test_a_column_gives_its_values_back(values):
    again = column_values(column_of(values))
    finite_and_gaps = [None if value is None else value for value in values]
    assert again == finite_and_gaps
    assert list(map(type, again)) == list(map(type, finite_and_gaps))


@given(
    rows=st.lists(
        st.tuples(VALUES, VALUES, st.text(min_size=1, max_size=9)),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one[2],
    )
)
def test_cases_are_read_back_as_they_were(rows):
    cases = [
        a_case(case_id=name, subject=f"s{at}", inputs={"x": one, "subject": "s"}, attributes={"k": two})
        for at, (one, two, name) in enumerate(rows)
    ]
    block = a_block(cases, [a_decision(case_id=one.case_id) for one in cases])
    again = Block.load(block.head, block.rows.tobytes(), block.text, 3)
    assert again.cases().records() == cases
    assert again.hashes == block.hashes


def test_decisions_and_shadows_are_read_back_as_they_were():
    cases = [a_case(case_id=name) for name in ("a", "b", "c")]
    decisions = [
        a_decision(
            case_id="a", impact=0.25, confidence=1 / 3, reasons=("one", "two"), spot_check=True, pi=0.03
        ),
        a_decision(case_id="b", label="", confidence=0.0, probabilities={}, arm=Arm.CHALLENGER),
        a_decision(
            case_id="c",
            model_version="2",
            route="auto",
            signatures=0,
            intervention=Intervention.AFTER,
            reversible_until=NOW + timedelta(hours=24),
        ),
    ]
    shadow = ShadowPrediction(decisions[2].decision_id, "1", decisions[0].model_digest, "no", 0.6)
    block = a_block(cases, decisions, [shadow])
    assert block.decisions() == decisions
    assert block.shadows() == [shadow]
    assert (block.by_route(), block.by_arm()) == (
        {"auto": 1, "standard": 2},
        {"challenger": 1, "champion": 2},
    )


def test_a_row_is_hashed_as_the_docs_say():
    """Told in docs/why/decision-log.md, so that anybody can check a block without this program."""
    block = a_block([a_case(case_id="é")], [a_decision(case_id="é")])
    record, text = block.rows[0].tobytes(), "é".encode()
    assert block.text == text
    assert block.hashes == [hashlib.sha256(hashlib.sha256(block.head).digest() + record + text).digest()]
    assert digest_of(block.hashes) == "sha256:" + hashlib.sha256(block.hashes[0]).hexdigest()


def test_every_byte_of_a_record_is_in_its_hash():
    block = a_block([a_case()], [a_decision()])
    record = bytearray(block.rows.tobytes())
    for place in range(len(record)):
        record[place] ^= 1
        changed = Block.load(block.head, bytes(record), block.text, 1)
        record[place] ^= 1
        if (
            "texts" in (changed.rows.dtype.names or ())
            and changed.rows["texts"].tolist() != block.rows["texts"].tolist()
        ):
            continue  # a length that lies is caught by the bytes that are then missing
        assert changed.hashes != block.hashes, place


def test_equal_decisions_have_unequal_hashes():
    """16 random bytes stand in each record, so that nobody can try out what it holds."""
    one, two = (a_block([a_case()], [a_decision()]) for _ in range(2))
    assert one.hashes != two.hashes
    assert one.decisions() == two.decisions()


@given(wanted=st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_part_of_a_block_holds_what_the_whole_held(wanted):
    cases = [a_case(case_id="x" * (1 + n), inputs={"t": "é" * n, "x": float(n)}) for n in range(5)]
    block = a_block(cases, [a_decision(case_id=one.case_id) for one in cases])
    rows = np.flatnonzero(wanted)
    part = block.take(rows)
    assert part.hashes == [block.hashes[row] for row in rows]
    assert part.cases().records() == [cases[row] for row in rows]


def test_only_ids_that_we_gave_have_a_key():
    assert id_of(key_of("d_" + "ab" * 12)) == "d_" + "ab" * 12
    for wrong in ("", "d_", "d_ab", "x_" + "ab" * 12, "d_" + "zz" * 12, "d_" + "ab" * 13):
        assert key_of(wrong) == b""


def test_people_are_asked_about_reviews_and_about_what_the_shadow_said_otherwise():
    cases = [a_case(case_id=name) for name in "abcd"]
    decisions = [a_decision(case_id="a")] + [
        a_decision(case_id=name, route="auto", signatures=0) for name in "bcd"
    ]
    ids = [one.decision_id for one in decisions]
    shadows = [
        ShadowPrediction(ids[1], "2", "sha256:2", "yes", 0.7),
        ShadowPrediction(ids[2], "2", "sha256:2", "no", 0.7),
    ]
    assert a_block(cases, decisions, shadows).asking().decision_ids == [ids[0], ids[2]]


@pytest.mark.parametrize(("numbers", "classes", "texts"), [(0, 1, 1), (64, 10, 3)])
def test_a_record_has_the_width_that_its_header_says(numbers, classes, texts):
    fixed = 12 + 16 + 5 * 8 + 3 * 4 + 2 + 5
    assert row_type(numbers, classes, texts).itemsize == fixed + 8 * (numbers + classes) + 4 * texts


def test_a_header_is_json_that_people_can_read():
    header = json.loads(a_block([a_case()], [a_decision()]).head)
    assert header["inputs"] == [["x", "number", 0]]
    assert header["models"][0]["classes"] == ["yes", "no"]
