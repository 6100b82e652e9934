"""`hitl breakers` and `hitl breakers reset`, on a project whose servers do not run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hitl_mlops.cli.main import run
from hitl_mlops.project import Project
from tests.guard_builders import a_breaker


@pytest.fixture
def said(project: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that ends with that code; its one JSON object."""

    def call(*words: str, code: int = 0) -> dict[str, Any]:
        assert run([*words, "-p", str(project), "--json"]) == code
        value = json.loads(capsys.readouterr().out)
        assert isinstance(value, dict)
        return value

    return call


def keep_one(project: Path) -> None:
    with Project.open(project) as opened:
        opened.parts.breakers.keep(a_breaker())


def test_an_open_breaker_is_shown_and_reset(project: Path, said: Any) -> None:
    assert said("breakers") == {"breakers": []}
    keep_one(project)
    (shown,) = said("breakers")["breakers"]
    assert (shown["breaker_id"], shown["scope"], shown["state"]) == ("b1", "everything", "open")
    assert said("switches")["breakers"] == ["b1"]

    closed = said("breakers", "reset", "b1", "--reason", "mended")
    assert (closed["breaker_id"], closed["state"], closed["until"]) == ("b1", "closed", None)
    assert said("breakers", "reset", "b1", "--reason", "again", code=1)["error"] == "RefusedError"
    assert said("switches")["breakers"] == []


def test_a_look_without_a_breaker_in_the_policy_changes_nothing(said: Any) -> None:
    assert said("breakers", "look") == {"changed": [], "breakers": []}


def test_people_are_told_in_words(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> str:
        assert run([*words, "-p", str(project)]) == 0
        return capsys.readouterr().out

    assert told("breakers") == "No breaker was ever open.\n"
    keep_one(project)
    shown = told("breakers")
    assert "open until 2026-03-01 12:30" in shown
    assert "override_rate 0.50" in shown
    assert "Held back by breakers: b1 (everything). → hitl breakers" in told("switches")
    assert "b1 (everything) is closed" in told("breakers", "reset", "b1", "--reason", "mended")


@pytest.mark.parametrize(
    ("words", "code", "error", "part"),
    [
        (["reset", "b9", "--reason", "r"], 2, "NotFoundError", "no breaker 'b9'"),
        (["reset", "b1"], 2, "UsageError", "needs a reason"),
        (["reset", "b1", "--reason", " "], 2, "InputError", "person and a reason"),
    ],
)
def test_what_is_mistaken_is_refused(said: Any, words: Any, code: int, error: str, part: str) -> None:
    refused = said("breakers", *words, code=code)

    assert refused["error"] == error
    assert part in refused["fact"]
