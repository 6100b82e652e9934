"""`hitl review escalate|claim|give-back|status`, on a project whose servers do not run."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hitl_mlops.cli.main import run
from hitl_mlops.own_files import utc_now
from hitl_mlops.project import Project
from tests.queue_room import a_ticket

LADDER = "escalation: [{after: 50%, remind: true}, {after: 100%, to: senior}, {after: 24h, then: reject}]\n"
CLAIMS = "review: {claims: {for: 2h, at_once: 3}}\n"
PEOPLE = "people:\n- {id: r1, account: a@x.org, name: Ann}\n- {id: s1, account: c@x.org, skills: [senior]}\n"


@pytest.fixture
def said(project: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that ends with that code; its one JSON object."""

    def call(*words: str, code: int = 0) -> dict[str, Any]:
        assert run([*words, "-p", str(project), "--json"]) == code
        value = json.loads(capsys.readouterr().out)
        assert isinstance(value, dict)
        return value

    return call


def add(project: Path, file: str, text: str) -> None:
    path = project / file
    path.write_text(path.read_text() + text)


def keep_one(project: Path, hours: float, *, on_the_desk: bool = False) -> None:
    """A ticket that was opened so many hours ago, with a day's time."""
    begun = utc_now() - timedelta(hours=hours)
    ticket = a_ticket(opened_at=begun, due_at=begun + timedelta(hours=24))
    with Project.open(project) as opened:
        opened.parts.tickets.open([ticket])
        if on_the_desk:
            opened.parts.tickets.mark_pushed({ticket.ticket_id: "7"})


def test_a_late_ticket_climbs_though_label_studio_does_not_run(project: Path, said: Any) -> None:
    add(project, "policy.yaml", LADDER)
    keep_one(project, 25)
    tried = said("review", "escalate", "--dry-run")
    assert [move["what"] for move in tried["moves"]] == ["reminded", "handed_up"]
    climbed = said("review", "escalate")
    assert [move["lane"] for move in climbed["moves"]] == ["standard", "senior"]
    assert climbed["not_shown"] == 1
    assert "label-studio is not running" in climbed["notes"][0]
    assert said("review", "escalate")["moves"] == []
    assert [lane["lane"] for lane in said("review", "status")["lanes"]] == ["senior"]


def test_status_tells_of_reminders_and_of_what_expired(project: Path, said: Any) -> None:
    add(project, "policy.yaml", LADDER)
    keep_one(project, 13)
    said("review", "escalate")
    assert said("review", "status")["reminded"] == 1
    with Project.open(project, clock=lambda: utc_now() + timedelta(hours=40)) as later:
        from hitl_mlops.queues import Queues

        Queues(later.verbs).escalate()
    status = said("review", "status")
    assert (status["lanes"], status["expired"], status["reminded"]) == ([], 1, 0)


def test_without_a_ladder_it_is_said_that_nothing_climbs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["review", "escalate", "-p", str(project)]) == 0
    assert "no section escalation" in capsys.readouterr().out


def test_nothing_is_handed_out_unless_policy_and_roster_say_so(project: Path, said: Any) -> None:
    refused = said("review", "claim", code=1)
    assert "review: {claims: {for: 2h}}" in refused["remedy"]
    add(project, "policy.yaml", CLAIMS)
    assert said("review", "claim", code=1)["error"] == "RefusedError"


def test_who_asks_for_work_gets_it_and_gives_it_back(
    project: Path, said: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    add(project, "policy.yaml", CLAIMS)
    (project / "reviewers.yaml").write_text(PEOPLE)
    keep_one(project, 1, on_the_desk=True)
    handed = said("review", "claim", "--as", "r1", "--count", "2")
    assert [one["person"] for one in handed["made"]] == ["r1"]
    assert handed["notes"] != []
    [held] = said("review", "status")["people"]
    assert (held["person"], held["held"], held["late"]) == ("r1", 1, 0)
    assert run(["review", "status", "-p", str(project)]) == 0
    assert "r1" in capsys.readouterr().out
    assert said("review", "give-back", "--as", "s1", "t_1", code=1)["error"] == "RefusedError"
    assert len(said("review", "give-back", "--as", "r1")["given_back"]) == 1
    assert said("review", "status")["people"] == []
    assert [one["person"] for one in said("review", "claim")["made"]] != []
    assert said("review", "claim", "--as", "nobody", code=2)["error"] == "NotFoundError"
