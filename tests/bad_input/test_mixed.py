"""Bad input of many classes at once, at every door: told row by row, and what was good is decided."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from hitl_mlops.errors import ConfigurationError, InputError
from hitl_mlops.routing.policy_file import parse_policy
from tests.bad_input.cells import CELLS, BadCell, End
from tests.bad_input.room import ANSWERS_WITHIN_S, body, good_case, spelled, state
from tests.bad_input.tally import SEED, TALLY
from tests.fail_closed.room import took
from tests.gateway_room import Application
from tests.unit.routing.test_policy_schema import EVERY_KEY

USUAL = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
SHORT = [cell for cell in CELLS if len(cell.in_json()) < 1_000]
NUMBERS = itertools.count(1_000_000)
ROWS = st.lists(
    st.lists(st.sampled_from(SHORT), max_size=3, unique_by=lambda cell: cell.column), min_size=1, max_size=6
)


def mixed(rows: Sequence[Sequence[BadCell]]) -> tuple[list[str], list[BadCell]]:
    """The rows in JSON, each with its bad values, and all those values."""
    texts, cells = [], []
    for row in rows:
        number = next(NUMBERS)
        found = [cell.numbered(number) for cell in row]
        texts.append(spelled(good_case(number), **{cell.column: cell.in_json() for cell in found}))
        cells += found
    return texts, cells


@pytest.mark.parametrize("strict", [False, True], ids=["loose", "strict"])
def test_at_the_service_each_row_is_judged_for_itself(service: Application, strict: bool) -> None:
    @seed(SEED)
    @settings(max_examples=60, **USUAL)
    @given(rows=ROWS)
    def send(rows: list[list[BadCell]]) -> None:
        texts, cells = mixed(rows)
        before = state(service.project)
        url = f"/v1/decisions?strict={json.dumps(strict)}"
        reply, seconds = took(lambda: service.http.post(url, content=body(*texts), headers=service.headers))
        after = state(service.project)
        TALLY.count("service", *(cell.name for cell in cells))
        assert seconds < ANSWERS_WITHIN_S
        bad = [any(cell.http is End.ROW for cell in row) for row in rows]
        if any(cell.http is End.WHOLE for cell in cells) or (strict and any(bad)):
            assert reply.status_code == 422
            assert reply.json()["remedy"]
            assert after == before
            return
        said = reply.json()["results"]
        _judged_as_expected([one["status"] for one in said], bad, rows, "case_id")
        assert after["decisions"] - before["decisions"] == sum(one["status"] == "decided" for one in said)

    send()


def _judged_as_expected(said: list[str], bad: list[bool], rows: list[list[BadCell]], column: str) -> None:
    """A row is refused for its own values; only one whose id is odd may be refused for another's."""
    own = [any(cell.column == column for cell in row) for row in rows]
    for status, wrong, named in zip(said, bad, own, strict=True):
        assert status == ("refused" if wrong else "decided") or named


def test_in_a_file_each_row_is_judged_for_itself(service: Application, tmp_path: Path) -> None:
    project = service.project

    @seed(SEED)
    @settings(max_examples=60, **USUAL)
    @given(rows=ROWS)
    def decide(rows: list[list[BadCell]]) -> None:
        texts, cells = mixed(rows)
        file = tmp_path / "new.jsonl"
        file.write_text("\n".join(texts) + "\n")
        before = state(project)
        TALLY.count("file", *(cell.name for cell in cells))
        if any(cell.at_file(".jsonl") is End.WHOLE for cell in cells):
            with pytest.raises(InputError, match="line"):
                project.decide_file(file)
            assert state(project) == before
            return
        total, seconds = took(lambda: project.decide_file(file))
        assert seconds < ANSWERS_WITHIN_S
        assert total.rows == len(rows) == total.decided + total.refused
        assert state(project)["decisions"] - before["decisions"] == total.decided
        assert total.refused >= sum(any(cell.at_file(".jsonl") is End.ROW for cell in row) for row in rows)

    decide()


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where values stand in the policy that has every key."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


TREE = YAML(typ="safe", pure=True).load(EVERY_KEY)
PLACES = _places(TREE)[1:]
OPEN = "@ the value @"


def put(path: tuple[Any, ...], value: str) -> str:
    """The policy as text, with a value at that place."""
    tree = json.loads(json.dumps(TREE))
    here = tree
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = OPEN
    return json.dumps(tree, indent=1).replace(json.dumps(OPEN), value)


def read(text: str) -> None:
    """The policy is read; what is wrong with it is told with its line."""
    told: ConfigurationError | None = None
    try:
        parse_policy(text)
    except ConfigurationError as error:
        told = error
    assert told is None or ("line" in told.fact and told.remedy and len(str(told)) < 1_000), str(told)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_no_key_of_the_policy_ends_in_a_bare_error(path: tuple[Any, ...]) -> None:
    cell = SHORT[7 * PLACES.index(path) % len(SHORT)]
    TALLY.count("policy", cell.name)
    read(put(path, cell.in_yaml()))


@seed(SEED)
@settings(max_examples=60, **USUAL)
@given(path=st.sampled_from(PLACES), cell=st.sampled_from(SHORT))
def test_any_value_at_any_key_is_read_or_told(path: tuple[Any, ...], cell: BadCell) -> None:
    TALLY.count("policy", cell.name)
    read(put(path, cell.in_yaml()))


@seed(SEED)
@settings(max_examples=60, **USUAL)
@given(
    at=st.integers(0, len(EVERY_KEY)),
    cut=st.integers(0, 40),
    put_in=st.one_of(
        st.text(max_size=8), st.sampled_from(["{", "[", "&a ", "*a", "!!x ", "<<: ", "---\n", "\t", '"', "'"])
    ),
)
def test_a_policy_with_a_slip_of_the_hand_anywhere_is_read_or_told(at: int, cut: int, put_in: str) -> None:
    TALLY.count("policy", "a slip of the hand")
    read(EVERY_KEY[:at] + put_in + EVERY_KEY[at + cut :])
