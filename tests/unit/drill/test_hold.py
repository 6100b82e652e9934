"""A drill that was held: its report, its entry in the trail, and a project that is as it was."""

from __future__ import annotations

import hashlib

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.drill.hold import folder_of_copies, hold, keep
from hitl_mlops.drill.outside import Twins
from hitl_mlops.drill.record import Scenario, Verdict
from hitl_mlops.drill.report import markdown
from hitl_mlops.drill.twins import StoppableDesk
from hitl_mlops.errors import ServiceDownError
from hitl_mlops.project import Project
from tests.drill_room import a_loop


def test_the_trail_has_the_figures_and_the_digest_of_the_report_and_nothing_else_changed(tmp_path):
    loop = a_loop(tmp_path)
    before = loop.state()
    with Project.open(loop.folder, actor="cli") as project:
        with folder_of_copies(project.settings.state, keep=False) as folder:
            drill = hold(project, [Scenario.LABEL_STUDIO_DOWN], Twins(), folder)
        held = keep(project, drill, tmp_path / "reports" / "drill.md")
        [entry] = [one.read() for one in project.parts.trail.entries()]
    assert entry["kind"] == Kind.DRILL_HELD
    assert entry["facts"]["report"] == "sha256:" + hashlib.sha256(held.report.read_bytes()).hexdigest()
    assert entry["facts"]["rehearsals"]["label-studio-down"]["verdict"] == "passed"
    assert not folder.exists()
    assert loop.state() == {**before, "entries": before["entries"] + 1}


class Absent(Twins):
    """Its desk never answers."""

    def desk(self, _task, owner, clock):
        self._desk = StoppableDesk(owner, clock)
        self._desk.up = False
        return self._desk


def test_a_rehearsal_that_ends_with_an_error_failed_and_the_others_go_on(project, tmp_path):
    both = [Scenario.LABEL_STUDIO_DOWN, Scenario.DRIFT]
    drill = hold(project, both, Absent(), tmp_path)
    assert [one.verdict for one in drill.rehearsals] == [Verdict.FAILED, Verdict.PASSED]
    assert "ended early" in drill.rehearsals[0].told
    assert not drill.passed


def test_the_same_seed_gives_the_same_figures(project, tmp_path):
    def figures(place):
        drill = hold(project, [Scenario.LABEL_STUDIO_DOWN], Twins(), tmp_path / place, seed=5)
        return {name: value for name, value in drill.rehearsals[0].figures.items() if not name.endswith("_s")}

    assert figures("first") == figures("second")


def test_the_report_names_every_rehearsal_demand_and_figure(project, tmp_path):
    drill = hold(project, [Scenario.LABEL_STUDIO_DOWN], Twins(), tmp_path)
    text = markdown(drill)
    [found] = drill.rehearsals
    for said in (found.told, *found.people, *(one.says for one in found.demands), *found.figures):
        assert said in text
    assert markdown(drill) == text


@pytest.mark.parametrize("kept", [True, False])
def test_the_copies_are_left_only_where_somebody_asks_for_them(tmp_path, kept):
    with pytest.raises(ServiceDownError), folder_of_copies(tmp_path, keep=kept) as folder:
        raise ServiceDownError("gone")
    assert folder.exists() == kept
