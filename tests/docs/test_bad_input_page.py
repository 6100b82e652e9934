"""The page on bad input tells what is tried, and what is answered."""

from __future__ import annotations

from hitl_mlops.decisions.cells import LONGEST_ID, LONGEST_TEXT
from hitl_mlops.documents import DEEPEST, LARGEST_FILE, MOST_PIECES
from hitl_mlops.documents import LONGEST_TEXT as LONGEST_IN_YAML
from hitl_mlops.gateway.asking import BODY_WITHIN_S, MOST_BYTES
from hitl_mlops.gateway.recourse import MOST_BYTES as MOST_BYTES_AFTERWARDS
from hitl_mlops.gateway.wire import MOST_CASES
from tests.bad_input.page import LIMITS, PAGE, page


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: .venv/bin/python -m tests.bad_input.page"


def test_the_limits_are_those_of_the_source() -> None:
    for limit in (
        *(MOST_BYTES, BODY_WITHIN_S, MOST_CASES, MOST_BYTES_AFTERWARDS, LONGEST_TEXT, LONGEST_ID),
        *(LARGEST_FILE, MOST_PIECES, DEEPEST, LONGEST_IN_YAML),
    ):
        assert f"{limit:,.0f} " in LIMITS
