"""`hitl freeze|unfreeze|switches`, on a project whose servers do not run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hitl_mlops.cli.main import run


@pytest.fixture
def said(project: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that ends with that code; its one JSON object."""

    def call(*words: str, code: int = 0) -> dict[str, Any]:
        assert run([*words, "-p", str(project), "--json"]) == code
        value = json.loads(capsys.readouterr().out)
        assert isinstance(value, dict)
        return value

    return call


def test_what_is_frozen_is_shown_and_lifted(said: Any) -> None:
    assert said("switches") == {"switches": [], "breakers": []}
    frozen = said("freeze", "--reason", "odd answers", "--by", "ana")
    assert (frozen["switch_id"], frozen["scope"], frozen["is_on"]) == ("s1", "everything", True)
    assert said("switches") == {"switches": [frozen], "breakers": []}

    off = said("unfreeze", "s1", "--reason", "mended", "--by", "ben")
    assert (off["is_on"], off["lifted_reason"], off["still_on"]) == (False, "mended", [])
    assert off["lifted_by"] != off["by"]
    assert [one["is_on"] for one in said("switches")["switches"]] == [False]


def test_people_are_told_in_words(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> str:
        assert run([*words, "-p", str(project)]) == 0
        return capsys.readouterr().out

    assert told("switches") == "Nothing was ever frozen.\n"
    assert "s1 is on: everything goes to people." in told("freeze", "--reason", "odd")
    assert "s2 is on" in told("freeze", "--reason", "odd too")
    assert "No rollout advances: frozen by s1 (everything), s2 (everything)." in told("rollout", "status")
    assert "Still on: s2 (everything)." in told("unfreeze", "s1", "--reason", "mended")
    shown = [line for line in told("switches").splitlines() if line.strip().startswith("s")]
    assert [line.split()[0] for line in shown] == ["switch", "s1", "s2"]
    assert ["lifted" in line for line in shown] == [False, True, False]


@pytest.mark.parametrize(
    ("words", "code", "error", "part"),
    [
        (["freeze", "--reason", " "], 2, "InputError", "person and a reason"),
        (["freeze"], 2, "UsageError", "needs a reason"),
        (["freeze", "--scope", "north", "--reason", "r"], 2, "InputError", "no scope"),
        (["freeze", "--scope", "brnch=north", "--reason", "r"], 2, "InputError", "'brnch'"),
        (["freeze", "--scope", "model=1", "--reason", "r"], 2, "InputError", "no model '1'"),
        (["freeze", "--scope", "label=maybe", "--reason", "r"], 2, "InputError", "no label 'maybe'"),
        (["freeze", "--scope", "route=atuo", "--reason", "r"], 2, "InputError", "no route 'atuo'"),
        (["unfreeze", "s9", "--reason", "r"], 2, "NotFoundError", "s9"),
        (["unfreeze", "s1", "--reason", ""], 2, "InputError", "person and a reason"),
        (["unfreeze", "s2", "--reason", "r"], 1, "RefusedError", "was lifted by"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_what_is_refused_says_why_and_changes_nothing(
    said: Any, words: list[str], code: int, error: str, part: str
) -> None:
    said("freeze", "--reason", "odd")
    said("freeze", "--scope", "label=yes", "--reason", "odd")
    said("unfreeze", "s2", "--reason", "mended")
    before = said("switches")

    told = said(*words, code=code)

    assert told["error"] == error
    assert part in told["fact"]
    assert told["remedy"]
    assert said("switches") == before


def test_the_doctor_mentions_what_is_frozen(said: Any) -> None:
    def found() -> str:
        checks = said("doctor", code=3)["checks"]
        return next(str(one["found"]) for one in checks if one["name"] == "switches")

    assert found() == "nothing is frozen"
    said("freeze", "--reason", "odd")
    assert found() == "frozen by s1 (everything)"
