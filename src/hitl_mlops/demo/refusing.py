"""Chapter 6: a challenger that learned from wrong labels is refused, forced, and rolled back."""

from __future__ import annotations

from dataclasses import dataclass

from hitl_mlops.demo.promoting import Tried, try_out
from hitl_mlops.demo.scene import Scene
from hitl_mlops.errors import RefusedError
from hitl_mlops.gates.report import GateReport, Verdict
from hitl_mlops.rollout.state import Stage

MISLED = frozenset({"r2", "r3", "r4"})
CALM = 100
"""Cheques that the new champion decides before the second challenger is judged."""
FORCED = "the deadline is today"


@dataclass(frozen=True, slots=True)
class Refused:
    """A challenger that did not make it.

    Attributes:
        report: the gates' word.
        changed: labels that were changed for the worse.
        tried: its rollout.
    """

    report: GateReport
    changed: int
    tried: Tried


def refuse(scene: Scene) -> Refused:
    """The gates refused the misled challenger; forced past them, the canary rolled it back.

    Raises:
        RefusedError: they did not, and the demo says so.
    """
    tell = scene.narrator
    tell.chapter("A bad challenger: refused by the gates, forced, rolled back")
    changed = _mislead(scene)
    report = _judge(scene)
    with tell.step("forced", "Somebody forces it") as step:
        scene.project.start_rollout(report.model_version, force=FORCED)
        step.done(
            f'Somebody in a hurry forces it past the gates ("{FORCED}"); the trail keeps that it was forced.'
        )
    tried = try_out(scene, report.model_version)
    ended, evidence = tried.last.step, tried.last.evidence
    if ended is None or evidence is None or ended.after.stage is not Stage.ROLLED_BACK:
        raise RefusedError(
            f"The canary did not roll version {report.model_version} back.",
            remedy="Please report this, with the file .hitl/logs/demo.log of the demo's folder.",
        )
    tell.line(
        f"Rolled back after {evidence.labels} labels on {evidence.cases} cheques, {tried.seconds:.0f} s "
        "after it "
        f"began; version {ended.after.champion} answers every cheque again."
    )
    return Refused(report, changed, tried)


def _mislead(scene: Scene) -> int:
    """A batch of answers was changed for the worse, collected, and is a dataset version like any other."""
    project, tell = scene.project, scene.narrator
    first_new = scene.cheques.stream["field_id"].iloc[scene.cheques.new_scanner_from]
    batch = [
        one
        for one in scene.team.given
        if one.person_id in MISLED and one.question.case_id >= first_new and not one.question.ticket.blind
    ]
    with tell.step("bad batch", "Reviewers change their answers") as step:
        changed = scene.team.confuse(
            batch, lambda done: step.now(f"Reviewers change their answers: {done} of {len(batch)}")
        )
        collected = project.collect()
        dataset = project.build_dataset()
        step.done(
            f"Ben, Cleo and Dan, misled by a wrong instruction sheet, change {changed} answers to the next "
            "digit. "
            f"{len(collected.withdrawn)} resolutions are withdrawn, and dataset version {dataset.number} "
            "has the "
            "wrong labels."
        )
    return changed


def _judge(scene: Scene) -> GateReport:
    project, tell = scene.project, scene.narrator
    with tell.step("second challenger", "A second challenger learns from them and is judged") as step:
        made = scene.decide_next(CALM)
        project.push()
        scene.review(made.decisions, step, "Meanwhile reviewers answer")
        project.collect()
        challenger = project.train()
        step.now(f"Version {challenger.version} is judged")
        report = project.judge(challenger.version)
        failed = [one for one in report.results if one.required and one.verdict is not Verdict.PASS]
        if not failed:
            raise RefusedError(
                f"The gates let version {challenger.version} pass, which learned from wrong labels.",
                remedy="Please report this, with the file .hitl/logs/demo.log of the demo's folder.",
            )
        step.done(
            f"Version {challenger.version} learned from them. The gates refuse it: "
            f"{', '.join(one.name for one in failed)}."
        )
    for one in failed:
        tell.table([(one.verdict.value, one.name, one.reason)])
    return report
