"""What must hold of every text that is masked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.redaction.finding import TYPES
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.redaction.patterns import Patterns

PLANTED = (
    "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "ann@example.org", "192.168.1.17", "fe80::1",
    "+49 171 2345678", "0171 2345678", "123-45-6789", "12345678Z", "85.07.30-033.28", "811228-9874",
)  # fmt: skip
SCRAPS = (
    "ssn", "BSN", "call", "order no.", "version", "[", "]", "[ssn]", "(at)", "@", ".", "-", "+", "(0)",
    " ", "\n", "\u200b", "\u00a0", "::", "0", "11", "756", "4111", "a", "x.org", "12.34", "\u0664", "&#x27;",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from((*PLANTED, *SCRAPS)), max_size=14).map("".join),
    st.lists(st.sampled_from((*PLANTED, *SCRAPS)), max_size=14).map(" ".join),
    st.text(alphabet="0123456789 .-/()+@:aA\n", max_size=60),
)


@settings(deadline=None, max_examples=2_000)
@given(TEXTS, st.sampled_from(["", "ssn", "phone"]))
def test_masking_a_masked_text_changes_nothing(text, column):
    masked = Masking().text(text, column)
    assert Masking().text(masked, column) == masked
    assert Patterns().find(masked, column) == []


@settings(deadline=None, max_examples=1_000)
@given(TEXTS)
def test_findings_are_in_order_apart_and_within_the_text(text):
    found = Patterns().find(text)
    edges = [edge for one in found for edge in (one.start, one.end)]
    assert edges == sorted(edges)
    assert all(0 <= one.start < one.end <= len(text) and one.type in TYPES for one in found)


@settings(deadline=None, max_examples=500)
@given(
    st.sampled_from(PLANTED),
    st.text(alphabet="abc ,;!?\n", max_size=20),
    st.text(alphabet="abc ,;!?\n", max_size=20),
)
def test_what_stands_between_words_is_always_masked(planted, before, after):
    assert planted not in Masking().text(f"{before} {planted} {after}")


@settings(deadline=None, max_examples=200)
@given(TEXTS, st.sets(st.sampled_from(TYPES)))
def test_a_type_that_is_not_asked_for_is_not_told(text, types):
    assert {one.type for one in Patterns(frozenset(types)).find(text)} <= types


@pytest.mark.parametrize(
    "piece",
    [
        "a", "1", "1 ", "4111 ", "4111-", "1.", "12.", ":", "::", "a:", "0:", "@", "a@", "a@a.", "a.",
        "-", "a-", "+", "+1 ", "(0)", "DE89", "DE89 ", "DE89 3704 0044 ", "A1", "X1234567", "AB 12 ",
        "RSS ", " \n", "1\n", "[at]", "a [at] a ", "ssn 123456789 ", "call 612345678 ", "\u200b",
        "1\u200b", "\u0661 ", '"', '"a', "ann@example.org ", "0171 ",
    ],
)  # fmt: skip
def test_the_time_is_in_proportion_to_the_text(piece):
    small, large = (piece * (size // len(piece)) for size in (5_000, 50_000))
    begun = time.process_time()
    Masking().text(small)
    middle = time.process_time()
    Masking().text(large)
    assert time.process_time() - middle < max(2.0, 40 * (middle - begun))  # ten times the text
