"""What OpenAPI says of the service is sent to it, and its contrary: every answer is one that it describes."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.bad_input.room import ANSWERS_WITHIN_S, good_case, state
from tests.bad_input.tally import SEED, TALLY
from tests.fail_closed.room import took
from tests.gateway_room import Application

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SAID_OF_A_DECISION = ("", "/events", "/halt", "/reverse", "/outcome", "/complaint", "/callback")
ASKED = [
    ("POST", "/v1/decisions"),
    *(
        (("POST", "GET")[verb in ("", "/events")], f"/v1/decisions/{{decision_id}}{verb}")
        for verb in SAID_OF_A_DECISION
    ),
]
OPERATED = [("GET", "/health"), ("GET", "/ready"), ("GET", "/metrics")]
TOLD = [("POST", "/v1/webhooks/mlflow"), ("POST", "/v1/webhooks/label-studio")]
TAKES_NOTHING = [*OPERATED, *TOLD, ("GET", "/v1/decisions/{decision_id}/events")]
"""Beside a path of any text they take nothing that could be wrong."""
TRIED = [
    (*one, mode)
    for one in (*ASKED, *OPERATED, *TOLD)
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or one not in TAKES_NOTHING
]
LONGEST_WAIT_S = 0.2


@pytest.fixture(scope="module")
def described(service: Application) -> Any:
    """What the service says of itself."""
    return schemathesis.openapi.from_dict(service.http.get("/openapi.json").json())


def test_every_path_is_tried(described: Any) -> None:
    told = {tuple(one.ok().label.split(" ", 1)) for one in described.get_all_operations()}
    assert told == {*ASKED, *OPERATED, *TOLD}


@pytest.mark.parametrize(("method", "path", "mode"), TRIED)
def test_every_answer_is_one_that_is_described(
    service: Application, described: Any, method: str, path: str, mode: GenerationMode
) -> None:
    operation = described[path][method]
    known = service.post([good_case(30_000)]).json()["results"][0]["decision_id"]

    @seed(SEED)
    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        case=operation.as_strategy(generation_mode=mode),
        of_one_that_is_there=st.booleans(),
        row=st.booleans(),
    )
    def send(case: Any, of_one_that_is_there: bool, row: bool) -> None:
        if of_one_that_is_there and "decision_id" in (case.path_parameters or {}):
            case.path_parameters["decision_id"] = known
        if row and path == "/v1/decisions" and isinstance(case.body, dict):
            case.body = {**case.body, "cases": [good_case(30_001)]}
        before = state(service.project)
        reply, seconds = took(lambda: service.http.request(**_request(case, service)))
        TALLY.count(
            "service", "what OpenAPI describes" if mode is GenerationMode.POSITIVE else "what it does not"
        )
        assert seconds < ANSWERS_WITHIN_S
        case.validate_response(reply, checks=CHECKS)
        if reply.status_code >= 400:
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.json()["detail"]
            assert reply.json()["remedy"]
            assert state(service.project) == before

    send()


def _request(case: Any, service: Application) -> dict[str, Any]:
    """The case as the test client sends it; nobody waits long."""
    sent = case.as_transport_kwargs(base_url="http://testserver", headers=service.headers)
    del sent["cookies"]
    sent["headers"] = {name: value.encode() for name, value in {**sent["headers"], **service.headers}.items()}
    data = sent.pop("data", None)
    if data is not None:
        sent["content"] = data if isinstance(data, (bytes, str)) else str(data)
    wait = (sent.get("params") or {}).get("wait")
    if isinstance(wait, (int, float)) and LONGEST_WAIT_S < wait <= 60:
        sent["params"] = {**sent["params"], "wait": LONGEST_WAIT_S}
    return {name: value for name, value in sent.items() if value is not None}
