"""The fail-closed table, cell by cell, where no server is needed: what is released, kept and told."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from hitl_mlops.audit.entry import Kind
from hitl_mlops.errors import BusyError
from hitl_mlops.routing.policy import CLOSED
from tests.fail_closed.room import (
    WITH_PEOPLE,
    Gate,
    closed,
    kept,
    put_in_place,
    results,
    routes,
    took,
    without,
)
from tests.flow_room import until
from tests.freeze_room import open_again
from tests.gateway_room import cases

MODEL, LAST = "\n  recipe:", "\ntask:"
"""Lines of hitl.yaml beside which others are written."""


def among(line, new):
    return {line: f"{new}{line}"}


def sound(app):
    """The trail is whole, and the decisions are what it says."""
    assert app.project.verify_trail().sound


# Database, trail


@pytest.mark.parametrize(
    "table", ["trail_entries", "trail_refs", "tickets", "decision_blocks", "decision_keys"]
)
def test_without_a_table_503_and_nothing_is_released_or_half_kept(app, table):
    results(app.post(cases(0, 2)))
    before = kept(app.project)
    with without(app, table):
        told = closed(app.post(cases(10, 3, branch="south")))
        assert "label" not in str(told)
    assert kept(app.project) == before
    assert len(results(app.post(cases(10, 3)))) == 3
    sound(app)


def test_a_trail_that_takes_no_entry_503_and_nothing_is_released_or_half_kept(app):
    results(app.post(cases(0, 2)))
    before = kept(app.project)
    with app.project.parts.database.transaction() as connection:
        connection.execute(
            sa.text(
                "CREATE TRIGGER full BEFORE INSERT ON trail_entries "
                "BEGIN SELECT RAISE(ABORT, 'no space left on device'); END"
            )
        )
    closed(app.post(cases(10, 3, branch="south")))
    assert kept(app.project) == before
    with app.project.parts.database.transaction() as connection:
        connection.execute(sa.text("DROP TRIGGER full"))
    assert routes(results(app.post(cases(10, 3, branch="south")))) == WITH_PEOPLE
    sound(app)


# Policy


def write_policy(app, text):
    (app.project.settings.folder / "policy.yaml").write_text(text)


def policy_text(app):
    return (app.project.settings.folder / "policy.yaml").read_text()


def adopted(app):
    """Hashes of the policies that came into force, in order."""
    entries = (one.read() for one in app.project.parts.trail.entries())
    return [one["facts"]["policy_hash"] for one in entries if one["kind"] == Kind.POLICY_ADOPTED]


def decided_by(app, number):
    [told] = results(app.post(cases(number, 1)))
    return told["policy_hash"]


def test_a_changed_policy_comes_into_force_while_the_service_runs_and_the_trail_tells(app):
    first = decided_by(app, 0)
    write_policy(app, policy_text(app).replace('">= 0.5"', '">= 1.01"').replace('"< 0.5"', '"< 1.01"'))
    numbers = iter(range(1, 10_000))
    second = until(lambda: next(one for one in [decided_by(app, next(numbers))] if one) != first and "other")
    assert second == "other"
    assert routes(results(app.post(cases(10_001, 3)))) == WITH_PEOPLE
    assert len(adopted(app)) == 2
    assert adopted(app)[0] == first
    sound(app)


@pytest.mark.parametrize("wrong", ["routes: [", None], ids=["invalid", "missing"])
def test_a_wrong_policy_changes_nothing_while_the_last_good_one_is_fresh(app, wrong):
    first = decided_by(app, 0)
    path = app.project.settings.folder / "policy.yaml"
    path.write_text(wrong) if wrong else path.unlink()
    numbers = iter(range(1, 10_000))
    until(lambda: decided_by(app, next(numbers)) and "policy" in app.http.get("/ready").json())
    assert decided_by(app, 20_000) == first
    assert routes(results(app.post(cases(20_001, 1))))
    assert adopted(app) == [first]


@pytest.mark.parametrize("app", [among(LAST, "\nserve: {keep_policy_s: 0}")], indirect=True)
def test_a_wrong_policy_sends_everything_to_senior_review_once_the_last_good_one_is_not_fresh(app):
    first = decided_by(app, 0)
    write_policy(app, "routes: [")
    numbers = iter(range(1, 10_000))
    until(lambda: decided_by(app, next(numbers)) == CLOSED.hash)

    told = results(app.post(cases(20_001, 3)))

    assert routes(told) == WITH_PEOPLE
    assert all(one["reasons"] for one in told)
    tickets = app.project.parts.tickets
    assert tickets.asked_about(one["decision_id"] for one in told) == {one["decision_id"] for one in told}
    assert adopted(app) == [first, CLOSED.hash]
    sound(app)


def test_other_commands_refuse_a_wrong_policy_with_its_line_and_decide_nothing(app):
    write_policy(app, policy_text(app) + "nonsense: 1\n")
    before = kept(app.project)
    with closing(open_again(app.project.settings.folder, app.project.parts.registry)) as again:
        from hitl_mlops.errors import ConfigurationError

        with pytest.raises(ConfigurationError, match="line 10"):
            again.decide(pd.DataFrame(cases(0, 1)))
    assert kept(app.project) == before


# The model


def nan(inputs):
    return np.full((len(inputs), 2), np.nan)


def too_much(inputs):
    return np.full((len(inputs), 2), 0.9)


def raising(inputs):
    raise RuntimeError(len(inputs))


@pytest.mark.parametrize("does", [nan, too_much, raising, lambda inputs: np.ones((len(inputs), 7))])
def test_a_model_that_raises_or_gives_no_probabilities_is_not_heard_and_people_decide(app, does):
    put_in_place(app, "1", does)
    told = results(app.post(cases(0, 3)))
    assert routes(told) == WITH_PEOPLE
    assert {(one["suggestion"], one["confidence"]) for one in told} == {(None, 0.0)}
    assert {one.model_digest for one in app.project.parts.log.decisions()} == {told[0]["model_digest"]}
    assert kept(app.project)["tickets"] == 3
    sound(app)


@pytest.mark.parametrize("app", [among(MODEL, "\n  answer_within_s: 2")], indirect=True)
def test_a_model_that_is_too_slow_is_not_waited_for_and_people_decide(app):
    gate = Gate()
    stand = put_in_place(app, "1", gate)
    told, seconds = took(lambda: results(app.post(cases(0, 3))))
    assert routes(told) == WITH_PEOPLE
    assert 2 <= seconds < 30
    for number in range(10, 15):  # while it hangs, nobody waits
        told, seconds = took(lambda first=number: results(app.post(cases(first, 1))))
        assert routes(told) == WITH_PEOPLE
        assert seconds < 2
    assert stand.calls == 1
    page = app.http.get("/metrics").text
    assert 'hitl_model_calls_too_late{role="answer",version="1"} 6.0' in page
    gate.open()
    sound(app)


# Input


def test_a_malformed_or_impossible_input_is_quarantined_and_no_model_sees_it(app):
    stand = put_in_place(app, "1", nan)
    before = kept(app.project)
    bad = [{**one, "amount": what} for one, what in zip(cases(0, 3), ["much", None, True], strict=True)]
    told = results(app.post(bad))
    assert [one["status"] for one in told] == ["refused"] * 3
    assert all(one["reasons"] for one in told)
    assert stand.calls == 0
    after = kept(app.project)
    assert after["refused"] == before["refused"] + 3
    assert (after["decisions"], after["tickets"]) == (before["decisions"], before["tickets"])
    sound(app)


def test_in_strict_mode_a_malformed_input_is_422_with_the_reasons_and_nothing_is_kept(app):
    results(app.post(cases(50, 1)))
    before = kept(app.project)
    good, bad = cases(0, 2)
    reply = app.post([good, {**bad, "amount": "much"}], strict=True)
    assert reply.status_code == 422
    assert reply.json()["reasons"] == {"amount is not a number": 1}
    assert reply.json()["rows"] == [2]
    assert kept(app.project) == before


# Switches, the queue


def test_switches_that_cannot_be_read_are_all_on(app):
    assert {one["state"] for one in results(app.post(cases(0, 2)))} == {"released"}
    with without(app, "switches"):
        told = results(app.post(cases(10, 3)))
    assert routes(told) == WITH_PEOPLE
    assert {one["reasons"][0] for one in told} == {"frozen: the switches cannot be read → senior"}
    assert {one["state"] for one in results(app.post(cases(20, 2)))} == {"released"}
    sound(app)


@pytest.mark.parametrize("app", [among(LAST, "\nreview: {most_waiting: 3}")], indirect=True)
def test_above_the_queue_limit_503_and_never_decided_without_people(app):
    assert routes(results(app.post(cases(0, 5, branch="south")))) == WITH_PEOPLE
    before = kept(app.project)

    reply = app.post(cases(10, 1))

    assert "wait for the desk" in closed(reply)["detail"]
    assert reply.headers["retry-after"] == "60"
    assert kept(app.project) == before
    file = app.project.settings.folder / "new.csv"
    pd.DataFrame(cases(20, 2)).to_csv(file, index=False)
    for ask in (app.project.decide_file, app.project.decide):  # as `hitl decide` and Python do
        with pytest.raises(BusyError, match="More than 3 tickets") as caught:
            ask(file)
        assert caught.value.exit_code == 3
    assert kept(app.project) == before
    app.project.push()
    assert len(results(app.post(cases(10, 1)))) == 1


# Models on trial


def test_a_model_whose_bytes_are_not_those_approved_is_not_served(app):
    results(app.post(cases(0, 1)))
    book = app.project.parts.rollouts
    book.keep(replace(book.champion(), challenger_digest="sha256:" + "0" * 64))
    before = kept(app.project)
    assert closed(app.post(cases(10, 1)))["type"] == "urn:hitl:IntegrityError"
    assert kept(app.project) == before
