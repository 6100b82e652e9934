"""Files of the project that are wrong: the line is named, and nothing is done by half a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bad_input.conftest import Refusal, loans, new_cases
from tests.loop_room import Loop, begin

pytestmark = pytest.mark.real


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """Cases that would be decided if all were well."""
    file = tmp_path / "new.csv"
    new_cases().to_csv(file, index=False)
    return file


def test_a_policy_that_is_not_there_is_told(loop: Loop, refused: Refusal, cases: Path) -> None:
    (loop.folder / "policy.yaml").unlink()
    fact = refused(loop, "decide", cases, code=2, error="ConfigurationError", unchanged=False)
    assert "policy.yaml" in fact


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("spot_checks: {auto: 0.03}", "spot_checks: {auto: 3}", "spot_checks"),
        ('">= 0.92"', '">= high"', "confidence"),
        ("gates:", "gate:", "gate"),
        ("version: 1", "version: 1\nversion: 1", "version"),
        ("routes:", "routes: [", "policy.yaml"),
    ],
    ids=["a share above one", "a bound that is no number", "an unknown key", "a key twice", "no YAML"],
)
def test_an_invalid_policy_is_told_with_its_line(
    loop: Loop, refused: Refusal, cases: Path, old: str, new: str, named: str
) -> None:
    before = loop.state()
    policy = (loop.folder / "policy.yaml").read_text()
    loop.edit("policy.yaml", old, new)
    fact = refused(loop, "decide", cases, code=2, error="ConfigurationError", unchanged=False)
    assert named in fact
    assert "line" in fact
    (loop.folder / "policy.yaml").write_text(policy)
    assert loop.state() == before


@pytest.mark.parametrize(
    "command", [["decide", "new.csv"], ["collect"], ["train"], ["audit", "verify"]], ids=" ".join
)
def test_a_typing_error_in_the_project_file_is_told_with_its_line(
    loop: Loop, refused: Refusal, command: list[str]
) -> None:
    loop.edit("hitl.yaml", "  label: label", "  lable: label")
    fact = refused(loop, *command, code=2, error="ConfigurationError", unchanged=False)
    assert "lable" in fact
    assert "line" in fact


def test_a_roster_with_a_key_twice_is_told_with_its_line(loop: Loop, refused: Refusal) -> None:
    (loop.folder / "reviewers.yaml").write_text(
        "people:\n  - {id: r1, account: a@x.org}\n  - {id: r2, id: r3, account: b@x.org}\n"
    )
    fact = refused(loop, "collect", code=2, error="ConfigurationError")
    assert "line 3" in fact


def test_a_person_twice_on_the_roster_is_told_with_its_line(loop: Loop, refused: Refusal) -> None:
    (loop.folder / "reviewers.yaml").write_text(
        "people:\n  - {id: r1, account: a@x.org}\n  - {id: r1, account: b@x.org}\n"
    )
    fact = refused(loop, "collect", code=2, error="ConfigurationError")
    assert "'r1'" in fact


def test_a_column_that_the_data_do_not_have_is_named(loop: Loop, refused: Refusal, cases: Path) -> None:
    loop.edit("hitl.yaml", "  id: case_id", "  id: number")
    assert "number" in refused(loop, "decide", cases, code=2, error="InputError")


def test_without_a_champion_the_next_command_is_told(tmp_path: Path, cases: Path, refused: Refusal) -> None:
    young = begin(tmp_path / "young", loans(0, 150), mlflow=f"sqlite:///{tmp_path}/mlflow.db")
    for words in (["decide", cases], ["gate"], ["drift"]):
        refused(young, *words, code=2, error="NotFoundError")
        assert "hitl train" in young.call(*words).value["remedy"]


def test_people_read_the_fact_and_the_remedy_in_two_lines(loop: Loop) -> None:
    said = loop.call("decide", "nowhere.csv", as_json=False)
    assert (said.code, said.out) == (2, "")
    fact, remedy = said.err.strip().splitlines()
    assert "nowhere.csv" in fact
    assert remedy.startswith("→ ")
