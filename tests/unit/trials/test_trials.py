"""A policy on trial: in the shadow nobody notices, then it routes some; it never comes in force by itself."""

import json
from datetime import timedelta

import numpy as np
import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.sealing import utc_now
from hitl_mlops.cli.main import run
from hitl_mlops.errors import NotFoundError, RefusedError
from hitl_mlops.project import Project
from hitl_mlops.rollout.state import Action, Stage
from hitl_mlops.routing.policy_file import parse_policy
from tests.freeze_room import TwinParts, a_project, some_cases
from tests.guard_room import answer_all

IN_FORCE = """\
version: 1
routes:
  auto: {confidence: ">= 0.9"}
  senior: {confidence: "< 0.9", skill: senior, within: 4h}
spot_checks: {auto: 0.5}
rollout: {shadow: {margin: 0.05, reviewer_error: 0.0}, canary: {stages: [50, 100], at_least: 10}}
"""
LESS = IN_FORCE.replace("0.9", "0.7")
MORE = IN_FORCE.replace("0.9", "0.97")


@pytest.fixture
def project(tmp_path):
    with a_project(tmp_path, policy=IN_FORCE) as opened:
        yield opened


def begun(project, text=LESS):
    policy = parse_policy(text, "less.yaml")
    return project.trials.start(policy, file="less.yaml", text=text, reason="few errors of late")


def decided(project, first, count=400):
    return project.decide(some_cases(first, count)).decisions


def test_in_the_shadow_every_case_goes_by_the_policy_in_force(project):
    begun(project)
    made = decided(project, 0)
    assert {one.policy_hash for one in made} == {project.parts.policy.hash}
    found = project.trials.compared(project.parts.trials.live())
    asked = np.mean([one.to_review and not one.spot_check for one in made])
    assert found.asked_now == pytest.approx(asked)
    assert found.asked_then == pytest.approx(np.mean([one.confidence < 0.7 for one in made]))
    differing = sum(0.7 <= one.confidence < 0.9 for one in made)
    evidence = found.evidence
    assert (evidence.cases, evidence.pending, evidence.labels) == (400, differing, 0)
    assert differing > 0


def test_a_policy_that_lets_nothing_slip_is_proven_and_comes_in_force_by_nobody(project):
    begun(project)
    before = project.parts.policy.hash
    stages = []
    for place in range(6):
        answer_all(project, decided(project, place * 1_000), right=True)
        step, _ = project.trials.look()
        stages.append((step.action, step.after.share_percent))
        if not step.after.live:
            break
    assert stages == [(Action.ADVANCE, 50), (Action.ADVANCE, 100), (Action.PROMOTE, 100)]
    assert project.parts.trials.live() is None
    assert project.parts.policy.hash == before
    assert {one.policy_hash for one in decided(project, 90_000, 50)} == {before}
    kinds = [entry.read()["kind"] for entry in project.parts.trail.entries()]
    assert [kind for kind in kinds if kind.startswith("trial.")] == [
        Kind.TRIAL_STARTED,
        Kind.TRIAL_STEPPED,
        Kind.TRIAL_STEPPED,
        Kind.TRIAL_ENDED,
    ]
    assert project.verify_trail().sound


def in_the_canary(project):
    begun(project)
    answer_all(project, decided(project, 0), right=True)
    project.trials.look()
    return project.parts.trials.live()


def test_half_of_the_subjects_go_by_the_policy_on_trial_and_stay_with_it(project):
    trial = in_the_canary(project)
    assert trial.way.stage is Stage.CANARY
    frame = some_cases(50_000, 400)
    made = project.decide(frame).decisions
    assert [one.case_id for one in made] == frame["case_id"].tolist()
    tried = trial.routes(project.parts.policy_key, [one.subject for one in made])
    assert 120 < tried.sum() < 280
    for one, by_trial in zip(made, tried, strict=True):
        assert one.policy_hash == (trial.way.challenger if by_trial else trial.way.champion)
        assert (one.route == "auto") == (one.confidence >= (0.7 if by_trial else 0.9))
    again = project.decide(frame)
    assert (again.known, list(again.decisions)) == (400, list(made))
    found = project.trials.compared(trial)
    assert found.on_trial.decisions == tried.sum() == found.evidence.served
    assert found.in_force.decisions == 400 + (~tried).sum()
    assert found.on_trial.asked < found.in_force.asked
    tickets = project.parts.tickets.by_ids(project.parts.tickets.asked_about([made[0].decision_id]) or [])
    assert all(one.lane in ("senior", "auto") for one in tickets)


def test_a_file_is_split_as_a_table_is(project, tmp_path):
    trial = in_the_canary(project)
    some_cases(70_000, 300).to_csv(tmp_path / "c.csv", index=False)
    total = project.decide_file(tmp_path / "c.csv")
    assert total.decided == 300
    found = project.trials.compared(trial)
    assert 90 < found.on_trial.decisions < 210
    assert project.decide_file(tmp_path / "c.csv").known == 300


@pytest.mark.parametrize("whose", ["champion", "challenger"])
def test_a_policy_that_lets_much_slip_is_taken_back_by_the_next_answers_collected(project, whose):
    way = in_the_canary(project).way
    for first in range(20_000, 26_000, 1_000):
        made = decided(project, first)
        answer_all(project, [one for one in made if one.policy_hash == getattr(way, whose)], right=False)
    step = project.trials.take_back_if_due()
    assert step.action is Action.ROLL_BACK
    assert "Evidence of harm" in step.reason
    assert {one.policy_hash for one in decided(project, 30_000, 60)} == {project.parts.policy.hash}
    assert project.trials.take_back_if_due() is None


def test_what_waits_for_an_answer_proves_nothing(project):
    begun(project)
    decided(project, 0)
    step, found = project.trials.look()
    assert step.action is Action.HOLD
    assert found.evidence.promote_e < found.evidence.promote_at


def test_undecided_for_too_long_it_is_over(tmp_path):
    class Later(TwinParts):
        ahead = timedelta(0)

    with a_project(tmp_path, policy=IN_FORCE) as opened:
        parts = Later(opened.settings, clock=lambda: utc_now() + parts.ahead)
        parts.given = opened.parts.registry
        with Project(opened.settings, parts, actor="test") as project:
            begun(project)
            decided(project, 0)
            parts.ahead = timedelta(days=8)
            step, _ = project.trials.look()
            assert step.action is Action.ROLL_BACK
            assert step.reason.startswith("Undecided for 7 days")


def test_when_another_policy_comes_in_force_the_trial_routes_nobody_and_is_over(project):
    in_the_canary(project)
    (project.settings.folder / "policy.yaml").write_text(MORE)
    with Project(project.settings, again(project), actor="test") as other:
        assert {one.policy_hash for one in decided(other, 40_000, 60)} == {other.parts.policy.hash}
        step, _ = other.trials.look()
        assert step.reason == "Another policy is in force than the one that it was compared with."
        assert other.parts.trials.live() is None


def again(project):
    parts = TwinParts(project.settings)
    parts.given = project.parts.registry
    return parts


def test_a_switch_holds_for_the_policy_on_trial_too(project):
    in_the_canary(project)
    project.freeze(reason="a test", by="ann")
    assert not any(one.route == "auto" for one in decided(project, 60_000, 100))
    step, _ = project.trials.look()
    assert step.action is Action.HOLD


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (IN_FORCE + "# another comment\n", "Both policies say the same."),
        (LESS + 'guards: {breaker: {override_rate: "> 0.25"}}\n', "other guards"),
        (LESS + "rules: [{name: red, when: {colour: red}, route: senior}]\n", "not kept .*: colour"),
    ],
)
def test_what_cannot_be_compared_is_not_tried(project, text, fact):
    with pytest.raises(RefusedError, match=fact):
        begun(project, text)
    assert project.parts.trials.latest() is None


def test_one_trial_at_a_time_until_a_person_ends_it(project):
    begun(project)
    with pytest.raises(RefusedError, match="on trial already"):
        begun(project, MORE)
    ended = project.trials.abort("the season is over")
    assert (ended.way.stage, ended.way.reason) == (Stage.ABORTED, "the season is over")
    with pytest.raises(NotFoundError, match="No policy is on trial"):
        project.trials.abort("again")
    begun(project, MORE)


def test_the_shell_tells_what_it_would_save(project, tmp_path, capsys):
    (tmp_path / "less.yaml").write_text(LESS)
    folder = ["-p", str(project.settings.folder)]
    assert run(["trial", "status", *folder]) == 0
    assert "There was no trial yet" in capsys.readouterr().out
    assert run(["trial", "start", str(tmp_path / "less.yaml"), "--reason", "few errors", *folder]) == 0
    (tmp_path / "less.yaml").write_text("what it says now is not what is tried")
    answer_all(project, decided(project, 0), right=True)
    assert run(["trial", "status", *folder]) == 0
    told = capsys.readouterr().out
    assert "less.yaml on trial beside the policy in force: shadow" in told
    assert "would no longer be asked about" in told
    assert run(["trial", "step", "--json", *folder]) == 0
    assert json.loads(capsys.readouterr().out)["step"]["action"] == "advance"
    assert run(["trial", "abort", "--reason", "enough", *folder]) == 0
    assert "aborted" in capsys.readouterr().out
    assert run(["trial", "start", str(tmp_path / "none.yaml"), "--reason", "why", *folder]) == 2
