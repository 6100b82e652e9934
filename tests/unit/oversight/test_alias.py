"""A past case goes by an id that looks like one that has just come, and that no case has."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.ids import content_id
from hitl_mlops.oversight.alias import alias_of

KEY, HEX = b"k" * 32, "[0-9a-f]"


def nothing(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("like", "form"),
    [
        ("c10042", r"c1\d{4}"),
        ("2026-11-21/0042", r"2026-11-21/\d{4}"),
        ("claim 7 (north)", r"claim \d \(north\)"),
        (content_id("case", {"x": 1}), r"case_[0-9a-f]{24}"),
        (str(uuid.UUID(int=5**50, version=4)), rf"{HEX * 8}-{HEX * 4}-4{HEX * 3}-[89ab]{HEX * 3}-{HEX * 12}"),
        ("AB12CD34EF56", r"[0-9A-F]{12}"),
    ],
)  # fmt: skip
def test_it_has_the_form_of_the_other(like, form):
    found = alias_of(like, KEY, "t_1", nothing)
    assert found is not None
    assert found != like
    assert re.fullmatch(form, found)
    assert found == alias_of(like, KEY, "t_1", nothing)
    assert found != alias_of(like, b"other", "t_1", nothing)


@given(st.integers(0, 10**9), st.integers(0, 50))
def test_no_case_has_it_and_it_has_no_zero_in_front_that_others_lack(number, salt):
    like = f"c{number}"
    taken = {f"c{one}" for one in range(number - 500, number + 500)}
    found = alias_of(like, KEY, f"t_{salt}", taken.__contains__)
    assert found is None or (found not in taken and str(int(found[1:])) == found[1:])


def test_where_all_near_ones_are_taken_a_later_one_is_found():
    taken = {f"c{one}" for one in range(10, 100)}
    found = alias_of("c42", KEY, "t_1", taken.__contains__)
    assert found is not None
    assert 100 <= int(found[1:]) <= 1042


def test_without_digits_or_where_all_are_taken_there_is_none():
    assert alias_of("ann", KEY, "t_1", nothing) is None
    assert alias_of("c42", KEY, "t_1", lambda _: True) is None
