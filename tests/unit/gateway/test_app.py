"""The service over HTTP: what an application may act on, and that a refusal changes nothing."""

from __future__ import annotations

import json
import re
import threading

import pytest

from hitl_mlops.gateway.app import build_app
from hitl_mlops.gateway.asking import MOST_BYTES
from hitl_mlops.gateway.tokens import Scope, TokenFile
from hitl_mlops.own_files import utc_now
from tests.freeze_room import open_again
from tests.gateway_room import cases, serving
from tests.loop_room import begin


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("gateway") / "project") as application:
        yield application


def results(reply):
    assert reply.status_code == 200, reply.text
    return reply.json()["results"]


def problem(reply, status):
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    told = reply.json()
    assert told["status"] == status
    assert told["detail"]
    return told


def test_a_case_that_the_policy_releases_may_be_acted_on(app):
    [told] = results(app.post(cases(0, 1)))
    assert (told["state"], told["act"], told["route"]) == ("released", True, "auto")
    assert told["label"] == told["suggestion"] == max(told["probabilities"], key=told["probabilities"].get)
    assert told["policy_hash"] == app.project.parts.policy.hash
    assert app.get(told["decision_id"]).json() == told


def test_a_case_that_people_have_may_not_and_hears_of_their_word(app):
    [told] = results(app.post(cases(10, 1, branch="south")))
    assert (told["state"], told["act"], told["label"]) == ("with_people", False, None)
    assert told["reasons"][0].startswith("rule: the south is asked about")
    other = "no" if told["suggestion"] == "yes" else "yes"
    threading.Timer(0.5, app.answer, [other]).start()
    heard = app.get(told["decision_id"], wait=20).json()
    assert (heard["state"], heard["act"], heard["label"]) == ("resolved", True, other)
    assert heard["suggestion"] == told["suggestion"]
    assert heard["resolved_at"] > heard["decided_at"]


def test_waiting_ends_when_the_time_is_over(app):
    [told] = results(app.post(cases(20, 1, branch="south")))
    assert app.get(told["decision_id"], wait=0.3).json()["state"] == "with_people"


def test_the_same_case_is_decided_once_and_another_under_its_id_is_refused(app):
    [case] = cases(30, 1)
    [first], before = results(app.post([case])), app.stored()
    assert results(app.post([case])) == [first]
    [changed] = results(app.post([{**case, "amount": case["amount"] + 1}]))
    assert changed["status"] == "refused"
    assert changed["reasons"] == ["was decided already with other content"]
    assert app.stored() == (before[0], before[1] + 1)


def test_good_and_bad_cases_are_told_in_their_order(app):
    good, bad, fine = cases(40, 3)
    said = results(app.post([good, {**bad, "amount": "much"}, fine]))
    assert [one["status"] for one in said] == ["decided", "refused", "decided"]
    assert [one["case_id"] for one in said] == [good["case_id"], bad["case_id"], fine["case_id"]]
    assert said[1]["reasons"] == ["amount is not a number"]


def test_strict_refuses_all_and_keeps_nothing(app):
    before = app.stored()
    good, bad = cases(50, 2)
    told = problem(app.post([good, {**bad, "amount": None}], strict=True), 422)
    assert told["rows"] == [2]
    assert app.stored() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"cases": []}',
        b'{"cases": [1]}',
        b'{"cases": [{}], "more": 1}',
        b'{"cases": [{"amount": {"deep": 1}}]}',
        b'{"cases": [{"amount": [1]}]}',
        b'{"cases": [{"case_id": "\\ud800", "amount": 1, "branch": "north"}]}',
        b'{"cases": [{"case_id": "x\xff", "amount": 1, "branch": "north"}]}',
        b'{"cases":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        json.dumps({"cases": [{"case_id": "x"}] * 1_001}).encode(),
    ],
    ids=lambda body: body[:40].decode("ascii", "replace"),
)
def test_what_cannot_be_read_is_told_and_changes_nothing(app, body):
    before = app.stored()
    told = problem(app.send(body), 422)
    assert "cases" in told["remedy"]
    assert app.stored() == before


def test_a_missing_column_is_named(app):
    [case] = cases(60, 1)
    told = problem(app.post([{name: value for name, value in case.items() if name != "amount"}]), 422)
    assert told["missing"] == ["amount"]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_numbers_that_are_none_are_refused_case_by_case(app, amount):
    row = f'{{"case_id": "n-{amount[:9]}", "amount": {amount}, "branch": "north"}}'
    reply = app.send(f'{{"cases": [{row}]}}')
    assert reply.status_code in (200, 422)
    if reply.status_code == 200:
        assert [one["status"] for one in reply.json()["results"]] == ["refused"]


def test_too_long_a_body_is_not_read_to_its_end(app):
    problem(app.send(b" " * (MOST_BYTES + 1)), 413)


def test_whoever_has_no_token_or_not_for_that_is_refused(app):
    anonymous = app.http.post("/v1/decisions", json={"cases": cases(70, 1)})
    assert problem(anonymous, 401)["remedy"]
    assert anonymous.headers["www-authenticate"] == "Bearer"
    tokens = TokenFile(app.project.settings.state / "keys")
    reader = tokens.make("reader", [Scope.READ], utc_now())
    denied = app.http.post("/v1/decisions", json={}, headers={"Authorization": f"Bearer {reader}"})
    problem(denied, 403)


def test_unknown_ids_paths_and_methods_are_problems_too(app):
    problem(app.get("d_nothing"), 404)
    problem(app.http.get("/v2/decisions"), 404)
    problem(app.http.delete("/v1/decisions"), 405)
    problem(app.get("d_nothing", wait="for ever"), 422)
    problem(app.get("d_nothing", wait="nan"), 422)


def test_freezing_holds_for_the_next_request(app):
    assert results(app.post(cases(80, 1)))[0]["state"] == "released"
    switch = app.project.freeze(reason="the scanner is broken", by="ann")
    assert results(app.post(cases(81, 1)))[0]["state"] == "with_people"
    app.project.unfreeze(switch.switch_id, reason="mended", by="bob")
    assert results(app.post(cases(82, 1)))[0]["state"] == "released"


def test_it_tells_its_health_and_counts(app):
    assert app.http.get("/health").json() == {"status": "up"}
    assert app.http.get("/ready").json() == {"status": "ready", "champion": "1"}
    results(app.post(cases(90, 3)))
    page = app.http.get("/metrics").text
    assert float(re.search(r'hitl_decisions_total\{route="auto",state="released"\} ([\d.]+)', page)[1]) >= 3
    assert 'hitl_request_seconds_count{path="/v1/decisions",status="200"}' in page


def test_before_there_is_a_champion_nothing_is_decided(tmp_path):
    from fastapi.testclient import TestClient

    from tests.freeze_room import some_cases

    table = some_cases(0, 60).assign(label=["yes", "no"] * 30)
    project = open_again(begin(tmp_path / "new", table, "--kind", "table").folder)
    token = TokenFile(project.settings.state / "keys").make("app", list(Scope), utc_now())
    with TestClient(build_app(project)) as http:
        told = problem(http.get("/ready"), 503)
        assert "hitl train" in told["remedy"]
        asked = http.post(
            "/v1/decisions",
            json={"cases": some_cases(100, 1).to_dict("records")},
            headers={"Authorization": f"Bearer {token}"},
        )
        problem(asked, 503)
        assert asked.headers["retry-after"]


def test_its_description_names_every_answer(app):
    described = app.http.get("/openapi.json").json()
    posted = described["paths"]["/v1/decisions"]["post"]
    assert set(posted["responses"]) >= {"200", "401", "403", "413", "422", "503"}
    assert "cases" in posted["requestBody"]["content"]["application/json"]["schema"]["properties"]
