"""The demo's folder."""

import pytest

from hitl_mlops.demo.cheques import cheques
from hitl_mlops.demo.place import claimed, write_project
from hitl_mlops.errors import BusyError, RefusedError
from hitl_mlops.project import Project


def test_the_folder_is_made_anew_and_only_a_demos_own_is_emptied(tmp_path):
    folder = tmp_path / "demo-project"
    with claimed(folder):
        (folder / "flows").mkdir()
        (folder / "report.html").write_text("old")
    with claimed(folder):
        assert [one.name for one in folder.iterdir()] == [".hitl"]


def test_somebodys_own_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RefusedError, match="nothing in it was touched"), claimed(tmp_path):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_link_in_the_folder_is_removed_and_not_followed(tmp_path):
    folder, elsewhere = tmp_path / "demo-project", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("x")
    with claimed(folder):
        (folder / "link").symlink_to(elsewhere)
    with claimed(folder):
        assert (elsewhere / "kept").exists()


def test_two_demos_never_use_one_folder(tmp_path):
    folder = tmp_path / "demo-project"
    with claimed(folder):
        (folder / "report.html").write_text("mine")
        with pytest.raises(BusyError, match="Another demo is running"), claimed(folder):
            pass
        assert (folder / "report.html").exists()


def test_what_is_written_is_a_project_that_opens(tmp_path):
    data = cheques()
    with claimed(tmp_path / "demo-project") as folder:
        write_project(folder, data)
        parts = Project.open(folder).parts
        assert len(parts.base) == len(data.base)
        assert parts.task.classes == tuple("0123456789")
        assert {one.person_id for one in parts.roster.people} == {"r1", "r2", "r3", "r4", "r5"}
        assert {one.name for one in (folder / "flows").glob("*.py")} >= {"collect_overrides.py", "retrain.py"}
        assert (folder / ".hitl" / "keys" / "policy.key").stat().st_mode & 0o777 == 0o600
