"""Bad input over HTTP: every class is told in plain words, soon, and what is refused changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bad_input.cells import CELLS, BadCell, End
from tests.bad_input.room import ANSWERS_WITHIN_S, body, good_case, spelled, state
from tests.bad_input.tally import TALLY
from tests.bad_input.wholes import WHOLES, BadWhole, given
from tests.fail_closed.room import took
from tests.gateway_room import Application

SPOKEN = [cell for cell in CELLS if cell.http is not End.NONE]
SENT = [whole for whole in WHOLES if whole.http is not None]


def refused(reply: Any, status: int = 422) -> dict[str, Any]:
    """The problem that was told."""
    assert reply.status_code == status, reply.text[:500]
    assert reply.headers["content-type"] == "application/problem+json"
    told = dict(reply.json())
    assert told["detail"]
    assert told["remedy"]
    assert "Traceback" not in reply.text
    return told


def test_there_are_enough_classes_and_each_has_one_name() -> None:
    names = [one.name for one in (*CELLS, *WHOLES)]
    assert len(names) == len(set(names))
    assert len(SPOKEN) + len(SENT) >= 25


@pytest.mark.parametrize("cell", SPOKEN, ids=lambda cell: cell.name)
def test_a_bad_value_is_told_and_takes_no_other_case_with_it(service: Application, cell: BadCell) -> None:
    place = CELLS.index(cell)
    good = good_case(1_000 + place)
    bad = spelled(good_case(2_000 + place), **{cell.column: cell.in_json()})
    before = state(service.project)
    reply, seconds = took(lambda: service.send(body(spelled(good), bad)))
    TALLY.count("service", cell.name)
    assert seconds < ANSWERS_WITHIN_S
    if cell.http is End.WHOLE:
        refused(reply)
        assert state(service.project) == before
        return
    fine, said = reply.json()["results"]
    after = state(service.project)
    assert fine["status"] == "decided"
    assert said["status"] == ("decided" if cell.http is End.TAKEN else "refused")
    if cell.http is End.ROW:
        assert after["decisions"] == before["decisions"] + 1
        assert {one.split(" ")[0] for one in said["reasons"]} == {cell.column}
        assert len(str(cell.value)) < 5 or str(cell.value) not in str(said["reasons"])


@pytest.mark.parametrize(
    "cell", [cell for cell in SPOKEN if cell.http is End.ROW], ids=lambda cell: cell.name
)
def test_in_strict_mode_a_bad_value_refuses_all_and_nothing_is_kept(
    service: Application, cell: BadCell
) -> None:
    place = CELLS.index(cell)
    bad = spelled(good_case(3_000 + place), **{cell.column: cell.in_json()})
    before = state(service.project)
    reply = service.http.post(
        "/v1/decisions?strict=true",
        content=body(spelled(good_case(4_000 + place)), bad),
        headers=service.headers,
    )
    TALLY.count("service", cell.name)
    assert refused(reply)["rows"] == [2]
    assert state(service.project) == before


@pytest.mark.parametrize(
    "cell", [cell for cell in SPOKEN if cell.http is End.TAKEN], ids=lambda cell: cell.name
)
def test_what_only_looks_dangerous_is_kept_as_it_came(service: Application, cell: BadCell) -> None:
    number, cell = 5_000 + CELLS.index(cell), cell.numbered(5_000)
    case = good_case(number) | {cell.column: cell.value}
    told = service.send(body(json.dumps(case))).json()["results"][0]
    [kept] = service.project.parts.log.cases([told["case_id"]]).values()
    TALLY.count("service", cell.name)
    assert {**kept.attributes, "case_id": kept.case_id}[cell.column] == cell.value


@pytest.mark.parametrize("whole", SENT, ids=lambda whole: whole.name)
def test_a_bad_request_is_told_soon_and_changes_nothing(service: Application, whole: BadWhole) -> None:
    assert whole.http is not None
    content, before = given(whole.http), state(service.project)
    headers = service.headers | dict(whole.headers)
    reply, seconds = took(lambda: service.http.post("/v1/decisions", content=content, headers=headers))
    TALLY.count("service", whole.name)
    refused(reply, whole.status)
    assert seconds < ANSWERS_WITHIN_S
    assert state(service.project) == before
