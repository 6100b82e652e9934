"""The commands of a day, on a project whose servers do not run: what works without them, what says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hitl_mlops.cli.main import run

NEEDS_A_SERVER = (
    ["review", "push"],
    ["collect"],
    ["train"],
    ["approve", "1", "--reason", "r"],
    ["rollout", "start", "1"],
    ["rollout", "step"],
    ["quarantine", "release", "k", "--reason", "r"],
    ["quarantine", "drop", "k", "--reason", "r"],
)


@pytest.mark.parametrize("words", NEEDS_A_SERVER, ids=lambda words: " ".join(words[:2]))
def test_what_needs_a_server_says_so_with_code_3(
    project: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "-p", str(project)]) == 3
    shown = capsys.readouterr()
    assert "is not running" in shown.err
    assert "hitl up" in shown.err
    assert shown.out == ""
    assert run([*words, "-p", str(project), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"] == "ServiceDownError"


@pytest.mark.parametrize(
    "words",
    [
        ["review", "status"],
        ["quarantine", "list"],
        ["dataset", "build"],
        ["dataset", "list"],
        ["rollout", "status"],
        ["kpis"],
        ["audit", "verify"],
    ],
    ids=" ".join,
)
def test_what_needs_no_server_answers_people_or_programs(
    project: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "-p", str(project)]) == 0
    assert capsys.readouterr().out.strip()
    assert run([*words, "-p", str(project), "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_judging_before_there_is_a_champion_says_what_to_type(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["gate", "-p", str(project)]) == 2
    assert "hitl train" in capsys.readouterr().err


def test_deciding_before_there_is_a_champion_says_what_to_type(
    project: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["decide", str(data), "-p", str(project)]) == 2
    assert "hitl train" in capsys.readouterr().err


def test_a_version_that_is_not_there_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dataset", "build", "-p", str(project)]) == 0
    assert run(["dataset", "show", "17", "-p", str(project)]) == 2
    assert "17" in capsys.readouterr().err


def test_a_folder_without_a_project_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["review", "status", "-p", str(tmp_path)]) == 2
    assert "hitl init" in capsys.readouterr().err


def test_bringing_back_a_champion_needs_no_server_and_says_where_there_is_none(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rollout", "back", "--reason", "odd answers", "-p", str(project)]) == 1
    assert "No champion was there before the present one." in capsys.readouterr().err
