"""The front door: what it leaves behind when it is closed, and what it can tell while no server runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hitl_mlops.decisions.result_file import result_file
from hitl_mlops.errors import ServiceDownError
from hitl_mlops.project import Project
from tests.freeze_room import a_project, open_again, some_cases


def unsealed(folder: Path) -> int:
    """Entries that no checkpoint covers, as another process finds them."""
    with Project.open(folder) as project:
        trail = project.verify_trail().trail
        assert trail.sound
        return trail.size - trail.sealed


def test_a_project_that_is_closed_leaves_nothing_unsigned_in_its_trail(tmp_path):
    made = a_project(tmp_path / "p")
    folder, registry = made.settings.folder, made.parts.registry
    made.close()
    with open_again(folder, registry) as project:
        project.decide(some_cases(0, 5))
    assert unsealed(folder) == 0


def test_closing_what_only_read_writes_no_checkpoint(tmp_path):
    made = a_project(tmp_path / "p")
    made.close()
    file = made.settings.state / "checkpoints" / "checkpoints.txt"
    before = file.read_bytes()
    with Project.open(made.settings.folder) as project:
        assert project.figures().decisions == 0
        assert project.review_status().lanes == ()
    assert file.read_bytes() == before


def fail_and_break(folder: Path, registry, checkpoints: Path) -> None:
    with open_again(folder, registry) as project:
        project.decide(some_cases(0, 5))
        checkpoints.rename(checkpoints.with_name("gone"))
        checkpoints.write_text("no folder any more")
        raise ZeroDivisionError


def test_the_first_failure_is_told_though_closing_fails_too(tmp_path):
    made = a_project(tmp_path / "p")
    made.close()
    checkpoints = made.settings.state / "checkpoints"
    with pytest.raises(ZeroDivisionError):
        fail_and_break(made.settings.folder, made.parts.registry, checkpoints)


def test_status_figures_and_proof_need_no_server(tmp_path):
    made = a_project(tmp_path / "p")
    made.close()
    with Project.open(made.settings.folder) as project:
        with pytest.raises(ServiceDownError, match="mlflow"):
            project.serving()
        rollout, evidence = project.rollout_status()
        assert (rollout.challenger, evidence) == ("1", None)
        assert project.champion().challenger == "1"
        assert project.verify_trail().sound


def test_a_file_decided_again_tells_what_was_taken_back_since(tmp_path):
    policy = 'routes: {auto: {confidence: ">= 0", reversible_for: 24h}, senior: {confidence: "< 0"}}'
    made = a_project(tmp_path / "p", policy=policy)
    cases = tmp_path / "cases.csv"
    some_cases(0, 3).to_csv(cases, index=False)

    def written(name):
        with result_file(tmp_path / name) as write:
            made.decide_file(
                cases,
                keep=lambda recorded: write(
                    recorded.decisions(), made.recourse.changed(recorded.known.values())
                ),
            )
        return [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]

    before = written("first.jsonl")
    made.recourse.reverse(before[1]["decision_id"], by="ann", reason="the wrong account")
    after = written("second.jsonl")
    assert [one["status"] for one in before] == ["released"] * 3
    assert (after[1]["status"], after[1]["label"]) == ("reversed", None)
    assert [after[0], after[2]] == [before[0], before[2]]
    made.close()
