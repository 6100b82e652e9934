"""`hitl decision show|halt|reverse|outcome|complain`, on a project whose servers do not run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hitl_mlops.cli.main import run
from tests.freeze_room import a_project, some_cases

POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.5", intervention: after, reversible_for: 24h}
  check: {intervention: during, haltable_for: 1h}
  senior: {confidence: "< 0.5", skill: senior}
rules:
  - {name: the south runs at once, when: {branch: south}, route: check}
"""


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A project, a decision that is done and one that runs."""
    project = a_project(tmp_path_factory.mktemp("decisions") / "p", policy=POLICY)
    done, runs = project.decide(some_cases(0, 2)).decisions
    project.close()
    return project.settings.folder, done.decision_id, runs.decision_id


@pytest.fixture
def said(decided: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that ends with that code; its one JSON object."""

    def call(*words: str, code: int = 0) -> dict[str, Any]:
        assert run(["decision", *words, "-p", str(decided[0]), "--json"]) == code
        value = json.loads(capsys.readouterr().out)
        assert isinstance(value, dict)
        return value

    return call


def test_what_is_done_is_reversed_and_what_runs_is_halted(said: Any, decided: tuple[Path, str, str]) -> None:
    _, done, runs = decided
    assert (said("show", done)["state"], said("show", done)["act"]) == ("released", True)
    assert "Reverse it until" in said("halt", done, "--reason", "odd", code=1)["remedy"]
    assert said("reverse", done, "--reason", "odd", "--by", "ann")["how"] == "reversed"
    assert said("halt", runs, "--reason", "odd", "--by", "ann")["how"] == "halted"

    shown = said("show", done)
    assert (shown["state"], shown["act"], shown["label"]) == ("reversed", False, None)
    assert shown["taken_back"]["word"]["reason"] == "odd"
    assert said("show", runs)["state"] == "halted"


def test_outcomes_and_complaints_are_kept_and_shown(said: Any, decided: tuple[Path, str, str]) -> None:
    _, done, _ = decided
    assert said("outcome", done, "yes")["revision"] == 1
    assert said("outcome", done, "no", "--at", "2026-01-02T03:04:05+01:00")["revision"] == 2
    assert "no class" in said("outcome", done, "perhaps", code=2)["fact"]
    assert "offset" in said("outcome", done, "no", "--at", "yesterday", code=2)["remedy"]
    made = said("complain", done, "--reason", "not my account", "--by", "4711")
    assert said("complain", done, "--reason", "not my account", "--by", "4711") == made

    shown = said("show", done)
    assert [one["label"] for one in shown["outcomes"]] == ["yes", "no"]
    assert [one["complaint_id"] for one in shown["complaints"]] == [made["complaint_id"]]
    assert "4711" not in json.dumps(shown)


def test_people_are_told_in_words(decided: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, done, _ = decided
    assert run(["decision", "show", done, "-p", str(folder)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{done} is ")
    assert "until" in told
    assert run(["decision", "show", "d_nothing", "-p", str(folder)]) == 2
