"""The front door: what it leaves behind when it is closed, and what it can tell while no server runs."""

from __future__ import annotations

from pathlib import Path

import pytest

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
