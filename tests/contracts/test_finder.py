"""What every finder of personal data must keep to: our patterns, a user's function, Presidio."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from hitl_mlops.redaction.finding import Finder
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.redaction.own_finder import OwnFinder
from hitl_mlops.redaction.patterns import Patterns
from hitl_mlops.redaction.presidio import presidio_function

TEXT = "Ann wrote to https://example.org/ann from ann@example.org, 4111 1111 1111 1111."
needs_presidio = pytest.mark.skipif(
    find_spec("presidio_analyzer") is None, reason="the extra presidio is not installed: not tested here"
)


def first_names(text: str) -> list[tuple[int, int, str]]:
    return [(place, place + 3, "First name") for place in range(len(text)) if text.startswith("Ann", place)]


@pytest.fixture(params=["patterns", "function", pytest.param("presidio", marks=needs_presidio)])
def finder(request: pytest.FixtureRequest, tmp_path: Path) -> Finder:
    if request.param == "patterns":
        return Patterns()
    if request.param == "function":
        return OwnFinder(first_names)
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    return OwnFinder(presidio_function(f"presidio:{tmp_path / 'blank'}"))


def test_something_is_found_in_its_place_and_in_order(finder: Finder) -> None:
    found = finder.find(TEXT)
    edges = [edge for one in found for edge in (one.start, one.end)]
    assert found
    assert edges == sorted(edges)
    assert max(edges) <= len(TEXT)


def test_the_type_of_a_finding_can_stand_in_a_mask(finder: Finder) -> None:
    assert all(one.type.replace("-", "").isalnum() and one.type.islower() for one in finder.find(TEXT))


def test_nothing_is_found_where_nothing_is(finder: Finder) -> None:
    assert finder.find("") == finder.find(" \n") == finder.find("a cat sat on the mat") == []


def test_beside_our_patterns_both_are_masked(finder: Finder) -> None:
    masked = Masking(beside=finder).text(TEXT)
    assert "[e-mail]" in masked
    assert "[card]" in masked
    assert Patterns().find(masked) == []
    assert all(TEXT[one.start : one.end] not in masked for one in finder.find(TEXT))
