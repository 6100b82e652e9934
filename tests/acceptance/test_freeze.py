"""The kill switch in a whole project: the very next batch, other processes, restarts, no server."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.decisions.decide import RECORDED_AT_ONCE
from hitl_mlops.errors import InputError, NotFoundError, RefusedError
from hitl_mlops.project import Project
from hitl_mlops.rollout.state import Action
from tests.freeze_room import POLICY, a_project, open_again, some_cases
from tests.loop_room import COMMAND


@pytest.fixture
def project(tmp_path):
    opened = a_project(tmp_path)
    yield opened
    opened.close()


def routes(project, first, count=20):
    return Counter(one.route for one in project.decide(some_cases(first, count)).decisions)


def hitl(project, *words):
    """A command as a process of its own; its standard output."""
    command = [*COMMAND, *words, "-p", str(project.settings.folder), "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_freeze_holds_for_the_very_next_batch_and_survives_a_restart(project):
    assert routes(project, 0) == {"auto": 20}
    switch = project.freeze(reason="odd answers", by="ana")
    assert routes(project, 20) == {"senior": 20}

    again = open_again(project.settings.folder, project.parts.registry)
    assert routes(again, 40) == {"senior": 20}
    assert again.switches() == [switch]
    again.unfreeze(switch.switch_id, reason="mended", by="ana")
    again.close()

    assert routes(project, 60) == {"auto": 20}
    assert project.verify_trail().sound


def test_a_part_can_be_frozen_and_its_tickets_are_opened(project):
    project.freeze("branch=north", reason="broken scanner", by="ana")
    decided = project.decide(some_cases(0, 40))

    by_branch = Counter((one.attributes["branch"], one.route) for one in decided.decisions)
    assert by_branch == {("north", "senior"): 20, ("south", "auto"): 20}
    reasons = {one.reasons for one in decided.decisions if one.route == "senior"}
    assert reasons == {("frozen: s1 → senior", "confidence → auto")}
    assert decided.tickets == 20 + sum(one.spot_check for one in decided.decisions)


class FreezingMeanwhile:
    """A model during whose second batch somebody freezes everything, from another process."""

    def __init__(self, model, freeze):
        self.model, self.freeze, self.batches = model, freeze, 0

    def __getattr__(self, name):
        return getattr(self.model, name)

    def probabilities(self, inputs):
        self.batches += 1
        if self.batches == 2:
            self.freeze()
        return self.model.probabilities(inputs)


class OneModel:
    """A registry that gives out one model, and is the other's in all else."""

    def __init__(self, registry, model):
        self.registry, self.model = registry, model

    def __getattr__(self, name):
        return getattr(self.registry, name)

    def load(self, version, *, digest=None):
        del version, digest
        return self.model


def test_another_process_freezes_between_two_batches_of_one_call(project):
    model = project.serving().champion
    meanwhile = FreezingMeanwhile(model, lambda: hitl(project, "freeze", "--reason", "stop", "--by", "ana"))
    registry = OneModel(project.parts.registry, meanwhile)
    deciding = open_again(project.settings.folder, registry)
    frame = some_cases(0, 2 * RECORDED_AT_ONCE + 500)

    decisions = deciding.decide(frame).decisions

    assert meanwhile.batches == 3
    assert {one.route for one in decisions[:RECORDED_AT_ONCE]} == {"auto"}
    assert {one.route for one in decisions[RECORDED_AT_ONCE:]} == {"senior"}
    kinds = [entry.read()["kind"] for entry in deciding.parts.trail.about("s1")]
    assert kinds == [Kind.SWITCH_SET]
    deciding.close()


def test_freezing_needs_no_server_and_no_champion(tmp_path: Path):
    data = tmp_path / "cases.csv"
    some_cases(0, 80).assign(label=["yes", "no"] * 40).to_csv(data, index=False)
    folder = tmp_path / "project"
    made = subprocess.run([*COMMAND, "init", "--data", data, folder], check=False, capture_output=True)
    assert made.returncode == 0, made.stderr
    project = Project.open(folder)
    for word in ("policy.yaml", "reviewers.yaml"):
        (folder / word).write_text("{ not yaml")
    data.unlink()

    assert '"s1"' in hitl(project, "freeze", "--reason", "not today")
    assert [one.is_on for one in project.switches()] == [True]
    project.close()


def test_a_mistaken_scope_is_refused_and_freezes_nothing(project):
    for scope, known in (("brnch=north", "branch"), ("model=9", "1"), ("label=maybe", "no, yes")):
        with pytest.raises(InputError, match="would freeze nothing") as told:
            project.freeze(scope, reason="odd", by="ana")
        assert known in told.value.remedy
    assert project.switches() == []


def test_where_two_people_are_wanted_an_account_and_its_roster_id_are_one_person(project):
    folder = project.settings.folder
    (folder / "policy.yaml").write_text(POLICY + "guards: {kill_switch: {two_people: true}}\n")
    people = "people:\n  - {id: r1, account: ana@example.com}\n  - {id: r2, account: ben@example.com}\n"
    (folder / "reviewers.yaml").write_text(people)
    again = open_again(folder, project.parts.registry)
    again.freeze(reason="odd", by="Ana@Example.com")

    with pytest.raises(RefusedError, match="r1 set the switch s1"):
        again.unfreeze("s1", reason="fine", by="r1")
    with pytest.raises(NotFoundError, match="s2"):
        again.unfreeze("s2", reason="fine", by="r2")
    assert again.unfreeze("s1", reason="fine", by="ben@example.com").lifted_by == "r2"
    again.close()


def test_a_board_that_cannot_be_read_sends_everything_to_people(project):
    import sqlalchemy as sa

    with project.parts.database.transaction() as connection:
        connection.execute(sa.text("DROP TABLE switches"))

    decided = project.decide(some_cases(0, 20)).decisions
    assert {one.route for one in decided} == {"senior"}
    assert {one.reasons[0] for one in decided} == {"frozen: the switches cannot be read → senior"}


def test_the_challengers_answers_are_covered_and_the_rollout_holds(project):
    folder = project.settings.folder
    written = (folder / "hitl.yaml").read_text()
    (folder / "hitl.yaml").write_text(written.replace("recipe: linear", "recipe: boosting"))
    project = open_again(folder, project.parts.registry)
    challenger = project.train()
    started = project.start_rollout(challenger.version, force="to see it at work")
    project.parts.rollouts.keep(replace(started, share_percent=100.0))
    assert {one.model_version for one in project.decide(some_cases(0, 20)).decisions} == {challenger.version}

    project.freeze(f"model={challenger.version}", reason="odd", by="ana")
    decided = project.decide(some_cases(20, 20)).decisions

    assert {(one.arm.value, one.route) for one in decided} == {("challenger", "senior")}
    assert project.step_rollout().step.action is Action.HOLD
    project.close()
