"""What stands in a folder after `hitl init`, and what does not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from hitl_mlops.decisions.task import InputKind
from hitl_mlops.errors import ConfigurationError, InputError, RefusedError
from hitl_mlops.new_project.proposal import Proposal, Wishes
from hitl_mlops.new_project.propose import propose
from hitl_mlops.new_project.starter import starter_files
from hitl_mlops.new_project.write import project_name, write_project, write_skeleton
from hitl_mlops.project import Project
from hitl_mlops.routing.policy_schema import policy_schema


@pytest.fixture
def data(tmp_path: Path, loans: pd.DataFrame) -> Path:
    path = tmp_path / "loans.csv"
    loans.to_csv(path, index=False)
    return path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_policy_names_the_schema_that_lies_beside_it(
    tmp_path: Path, data: Path, loans: pd.DataFrame
) -> None:
    write_project(tmp_path, propose(loans), data)
    first = (tmp_path / "policy.yaml").read_text().splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert json.loads((tmp_path / named).read_text()) == policy_schema()


def test_what_was_written_opens_as_the_project_that_was_proposed(
    tmp_path: Path, data: Path, loans: pd.DataFrame
) -> None:
    started = write_project(tmp_path / "p", propose(loans), data)
    task = Project.open(tmp_path / "p").parts.task
    assert (task.id, task.subject, task.time) == ("loan_id", "customer_id", "opened_at")
    assert task.inputs == ("amount", "age", "purpose", "remark")
    assert task.classes == ("no", "yes")
    assert (tmp_path / "p" / "data" / "base.csv").read_bytes() == data.read_bytes()
    assert {"hitl.yaml", "policy.yaml", "reviewers.yaml", "prefect.yaml"} <= set(started.files)
    assert not list((tmp_path / "p").glob(".hitl-init-*"))


def test_columns_with_any_name_are_written_so_that_they_are_read_back(tmp_path: Path) -> None:
    odd = ["no", "8", "a: b", "# x", "'q'", "- y", "ä ö", "*", "{z}", "true", 'say "hi"']
    table = pd.DataFrame({name: [1, 2, 3, 5] * 20 for name in odd})
    table["email"] = "a@example.org"
    table["label"] = ["yes", "no", "null", "1"] * 20
    table["1"] = range(80)
    table.to_parquet(tmp_path / "odd.parquet")
    proposal = propose(table.assign(**{name: [1, 2, 3, 5, 7] * 16 for name in odd}), Wishes(label="label"))
    write_project(tmp_path / "p", proposal, tmp_path / "odd.parquet")
    task = Project.open(tmp_path / "p").parts.task
    assert set(odd) <= set(task.inputs)
    assert task.classes == ("1", "no", "null", "yes")


def test_a_text_project_opens_too(tmp_path: Path, messages: pd.DataFrame) -> None:
    messages.to_json(tmp_path / "m.jsonl", orient="records", lines=True)
    write_project(tmp_path / "p", propose(messages), tmp_path / "m.jsonl")
    task = Project.open(tmp_path / "p").parts.task
    assert (task.kind, task.inputs) == (InputKind.TEXT, ("text",))


@pytest.mark.parametrize("kind", list(InputKind))
def test_a_skeleton_loads_and_says_what_is_missing(tmp_path: Path, kind: InputKind) -> None:
    write_skeleton(tmp_path / "p", kind)
    project = Project.open(tmp_path / "p")
    assert project.settings.task.kind is kind
    assert project.parts.policy.routes
    with pytest.raises(InputError, match=r"base\.csv"):
        _ = project.parts.task


def test_nothing_is_overwritten_and_nothing_half_written(
    tmp_path: Path, data: Path, loans: pd.DataFrame
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "policy.yaml").write_text("mine")
    for force in (False, True):
        with pytest.raises(RefusedError, match=r"policy\.yaml"):
            write_project(folder, propose(loans), data, force=force)
        assert everything(folder) == {"policy.yaml": b"mine"}


def test_force_writes_again_what_nobody_changed_and_only_that(
    tmp_path: Path, data: Path, loans: pd.DataFrame
) -> None:
    folder = tmp_path / "p"
    write_project(folder, propose(loans), data)
    with pytest.raises(RefusedError, match="already"):
        write_project(folder, propose(loans), data)
    write_project(folder, propose(loans, Wishes(label="purpose")), data, force=True)
    assert Project.open(folder).parts.task.label == "purpose"
    (folder / "hitl.yaml").write_text("mine")
    before = everything(folder)
    with pytest.raises(RefusedError, match=r"hitl\.yaml .* not as hitl init wrote it"):
        write_project(folder, propose(loans), data, force=True)
    assert everything(folder) == before


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path, data: Path, loans: pd.DataFrame) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    write_project(tmp_path, propose(loans), data)
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n"
    assert (tmp_path / ".hitl" / ".gitignore").read_text().endswith("*\n")


def test_data_that_lie_in_their_place_already_are_used_there(tmp_path: Path, loans: pd.DataFrame) -> None:
    base = tmp_path / "data" / "base.csv"
    base.parent.mkdir()
    loans.to_csv(base, index=False)
    started = write_project(tmp_path, propose(loans), base)
    assert "data/base.csv" not in started.files
    assert Project.open(tmp_path).parts.task.label == "defaulted"


def test_a_project_that_would_not_open_leaves_no_trace(
    tmp_path: Path, data: Path, messages: pd.DataFrame
) -> None:
    proposal_of_other_data: Proposal = propose(messages)
    with pytest.raises(InputError):
        write_project(tmp_path / "deep" / "p", proposal_of_other_data, data)
    assert not (tmp_path / "deep").exists()


def test_a_file_where_a_folder_must_be_leaves_the_folder_as_it_was(
    tmp_path: Path, data: Path, loans: pd.DataFrame
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "flows").write_text("a file of mine")
    with pytest.raises(InputError, match="Nothing was changed"):
        write_project(folder, propose(loans), data)
    assert everything(folder) == {"flows": b"a file of mine"}
    assert [path.name for path in folder.iterdir()] == ["flows"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path, data: Path, loans: pd.DataFrame) -> None:
    folder = tmp_path / "p"
    folder.mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written"):
        write_project(folder, propose(loans), data)


def test_the_starter_is_found_in_a_wheel_and_in_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "hitl_mlops"
    (package / "starter" / "flows").mkdir(parents=True)
    (package / "starter" / "flows" / "collect.py").write_text("1")
    (package / "starter" / "prefect.yaml").write_text("2")
    assert starter_files(package) == {"flows/collect.py": b"1", "prefect.yaml": b"2"}
    assert "flows/collect_overrides.py" in starter_files()
    with pytest.raises(ConfigurationError, match="are not in"):
        starter_files(tmp_path / "elsewhere" / "src" / "hitl_mlops")


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Loans (2026)", "Loans 2026"), ("...", "project"), ("über", "ber"), ("a_b-c", "a_b-c")],
)
def test_a_project_is_named_by_its_folder(folder: str, name: str) -> None:
    assert project_name(Path("/srv") / folder) == name
