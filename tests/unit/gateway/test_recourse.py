"""What an application says of a decision afterwards, over HTTP, and what it hears then."""

from __future__ import annotations

import threading
from itertools import count

import pytest

from hitl_mlops.gateway.tokens import Scope, TokenFile
from hitl_mlops.own_files import utc_now
from tests.gateway_room import cases, serving
from tests.unit.gateway.test_app import problem, results

POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.5", reversible_for: 24h}
  check: {intervention: during, haltable_for: 1h}
  senior: {confidence: "< 0.5", skill: senior}
rules:
  - {name: the south is asked about, when: {branch: south}, route: senior}
  - {name: the west runs at once, when: {branch: west}, route: check}
spot_checks: {auto: 0.01}
"""
WORD = {"by": "ann@hitl.example", "reason": "the wrong account"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("recourse") / "project", policy=POLICY) as application:
        yield application


@pytest.fixture(scope="module")
def decided(app):
    """Decides a case of a branch, another one each time."""
    numbers = count(0)

    def decide(branch="north"):
        case = cases(next(numbers), 1, branch=branch)
        [told] = results(app.post(case))
        return case, told

    return decide


def test_a_decision_that_is_done_is_reversed_for_whoever_asks(app, decided):
    case, told = decided()
    assert (told["intervention"], told["act"]) == ("after", True)
    assert told["reversible_until"] > told["decided_at"]
    said = app.say(told["decision_id"], "reverse", **WORD)
    assert said.status_code == 200
    now = said.json()
    assert (now["state"], now["act"], now["label"]) == ("reversed", False, None)
    assert now["taken_back_at"] >= told["decided_at"]
    assert app.get(told["decision_id"]).json() == now
    assert results(app.post(case)) == [now]


def test_a_decision_that_runs_is_halted_and_halted_again_is_the_same(app, decided):
    _, told = decided("west")
    first = app.say(told["decision_id"], "halt", **WORD).json()
    assert (first["state"], first["act"], first["intervention"]) == ("halted", False, "during")
    assert app.say(told["decision_id"], "halt", by="ben", reason="me too").json() == first
    app.answer("yes")
    assert app.get(told["decision_id"], wait=2).json() == first


def test_what_cannot_be_is_a_conflict_in_words(app, decided):
    _, done = decided()
    _, asked = decided("south")
    assert "done at once" in problem(app.say(done["decision_id"], "halt", **WORD), 409)["detail"]
    for verb in ("halt", "reverse"):
        told = problem(app.say(asked["decision_id"], verb, **WORD), 409)
        assert "ticket" in told["remedy"]
    assert app.get(done["decision_id"]).json() == done


def test_an_outcome_is_kept_with_its_corrections(app, decided):
    _, told = decided()
    first = app.say(told["decision_id"], "outcome", label="no", source="letters").json()
    assert (first["revision"], first["label"], first["source"]) == (1, "no", "letters")
    at = "2026-01-02T03:04:05+01:00"
    second = app.say(told["decision_id"], "outcome", key="k", label="yes", source="letters", at=at).json()
    assert (second["revision"], second["at"]) == (2, "2026-01-02T02:04:05.000000+00:00")
    assert app.say(told["decision_id"], "outcome", label="no", source="letters").json()["revision"] == 3
    again = app.say(told["decision_id"], "outcome", key="k", label="yes", source="letters", at=at)
    assert again.json() == second
    other = app.say(told["decision_id"], "outcome", key="k", label="no", source="letters", at=at)
    assert "another request" in problem(other, 422)["detail"]
    assert app.get(told["decision_id"]).json() == told


def test_a_complaint_opens_one_ticket_and_the_supervisors_word_holds(app, decided):
    _, told = decided()
    made = app.say(told["decision_id"], "complaint", key="c-1", **WORD).json()
    assert app.say(told["decision_id"], "complaint", key="c-1", **WORD).json() == made
    [ticket] = app.project.parts.tickets.by_ids([made["ticket_id"]])
    assert (ticket.kind, ticket.lane) == ("complaint", "senior")
    other = "no" if told["suggestion"] == "yes" else "yes"
    app.answer(other)
    heard = app.get(told["decision_id"]).json()
    assert (heard["state"], heard["act"], heard["label"]) == ("resolved", True, other)


def test_each_verb_wants_its_own_scope(app, decided):
    _, told = decided()
    tokens = TokenFile(app.project.settings.state / "keys")
    weak = tokens.make("weak", [Scope.DECIDE, Scope.READ], utc_now())
    sent = {"Authorization": f"Bearer {weak}"}
    for verb in ("halt", "reverse", "outcome", "complaint"):
        path = f"/v1/decisions/{told['decision_id']}/{verb}"
        problem(app.http.post(path, json=WORD, headers=sent), 403)
        problem(app.http.post(path, json=WORD), 401)


@pytest.mark.parametrize("verb", ["halt", "reverse", "outcome", "complaint"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"by": "", "reason": "", "label": "", "source": ""}',
        b'{"by": " ", "reason": " "}',
        b'{"by": 1, "reason": true}',
        b'{"by": "a", "reason": "b", "more": 1}',
        b'{"by": "a", "reason": "\\u0000"}',
        b'{"by": "a", "reason": "\\ud800"}',
        b'{"by": "a", "reason": "' + b"x" * 2_001 + b'"}',
        b'{"label": "perhaps", "source": "s"}',
        b'{"label": "yes", "source": "\\u0000"}',
        b'{"label": "yes", "source": "s", "at": "2026-01-01T00:00:00"}',
        b'{"label": "yes", "source": "s", "at": "0001-01-01T00:00:00+14:00"}',
        b'{"label": "yes", "source": "s", "at": "9999-12-31T23:59:59-14:00"}',
        b'{"label": "yes", "source": "s", "at": 1e300}',
    ],
    ids=lambda body: body[:50].decode("ascii", "replace"),
)
def test_what_cannot_be_read_is_told_and_changes_nothing(app, decided, verb, body):
    _, told = decided()
    path = f"/v1/decisions/{told['decision_id']}/{verb}"
    assert problem(app.http.post(path, content=body, headers=app.headers), 422)["remedy"]
    assert app.get(told["decision_id"]).json() == told
    assert app.project.recourse.book.revisions(told["decision_id"]) == []


def test_too_long_a_body_and_unknown_decisions_are_problems(app):
    for verb, body in (
        ("halt", WORD),
        ("reverse", WORD),
        ("complaint", WORD),
        ("outcome", {"label": "yes", "source": "s"}),
    ):
        problem(app.say("d_nothing", verb, **body), 404)
        problem(app.say("d_" + "9" * 300, verb, **body), 404)
        problem(app.say("d_nothing", verb, by="a", reason="x" * 60_000), 413)


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_is_none_is_told(app, decided, key):
    _, told = decided()
    assert (
        "Idempotency-Key" in problem(app.say(told["decision_id"], "reverse", key=key, **WORD), 422)["detail"]
    )
    assert app.get(told["decision_id"]).json()["state"] == "released"


def test_many_who_stop_the_same_decision_at_once_hear_the_same(app, decided):
    _, told = decided()
    heard = []

    def stop(number):
        heard.append(app.say(told["decision_id"], "reverse", by=f"p{number}", reason="all at once").json())

    threads = [threading.Thread(target=stop, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(heard) == 8
    assert all(one == heard[0] for one in heard)
    told_of = [entry.read()["kind"] for entry in app.project.parts.trail.about(told["decision_id"])]
    assert told_of.count("decisions.reversed") == 1


def test_the_paths_stand_in_openapi_with_an_example(app):
    paths = app.http.get("/openapi.json").json()["paths"]
    for verb in ("halt", "reverse", "outcome", "complaint"):
        told = paths[f"/v1/decisions/{{decision_id}}/{verb}"]["post"]
        assert told["requestBody"]["content"]["application/json"]["schema"]["examples"]
        assert {"401", "403", "404", "422", "503"} <= set(told["responses"])
