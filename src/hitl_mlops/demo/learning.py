"""Chapter 4: a Prefect flow collects the overrides and finds drift; the drift event starts the retraining."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from hitl_mlops.audit.entry import Kind
from hitl_mlops.demo.prefect_runs import PrefectRuns
from hitl_mlops.demo.scene import Scene
from hitl_mlops.errors import RefusedError
from hitl_mlops.gates.report import GateReport, Verdict
from hitl_mlops.overrides.record import AnswerState, KeptAnswer

COLLECT, RETRAIN = "collect-overrides", "retrain"
COLLECTED_WITHIN_S, STARTED_WITHIN_S, RETRAINED_WITHIN_S = 240.0, 60.0, 300.0


@dataclass(frozen=True, slots=True)
class Learned:
    """What the two flows brought.

    Attributes:
        report: the gates' word on the challenger.
        answers: everything that was collected.
        drift: facts of the drift check, as the trail has them.
    """

    report: GateReport
    answers: list[KeptAnswer]
    drift: dict[str, object]


def learn(scene: Scene, runs: PrefectRuns) -> Learned:
    """A challenger learned from the overrides and was judged, started by nobody's hand but the drift event.

    Args:
        scene: with answers on the desk.
        runs: of the Prefect server that the worker works for; closed afterwards.

    Raises:
        ServiceDownError: a flow failed or did not run.
        RefusedError: the gates refuse the challenger.
    """
    scene.narrator.chapter("Overrides become a dataset version, drift starts a retraining")
    try:
        with scene.narrator.step("worker", "The flows are deployed") as step:
            scene.worker.result()
            runs.pause_schedules()
            step.done(
                f"The flows of prefect.yaml are deployed, a worker waits: {scene.urls['prefect']}/deployments"
            )
        since = scene.project.parts.clock()
        answers, drift = _collect(scene, runs)
        report = _retrain(scene, runs, since)
    finally:
        runs.close()
    scene.narrator.aside(
        "Nobody pressed a button: the flow saw that the columns moved, sent an event, and Prefect started "
        "the "
        "training. Its gates judged on cheques that neither model learned from. The report with Evidently's "
        f"drift page stands on the version in MLflow: {version_page(scene, report.model_version)}"
    )
    return Learned(report, answers, drift)


def _collect(scene: Scene, runs: PrefectRuns) -> tuple[list[KeptAnswer], dict[str, object]]:
    tell, parts = scene.narrator, scene.project.parts
    with tell.step("collect flow", f"Prefect runs {COLLECT}") as step:
        run = runs.start(COLLECT)
        runs.wait(run, within_s=COLLECTED_WITHIN_S, told=lambda task: step.now(_under_way(COLLECT, task)))
        answers = parts.answers.answers_since(datetime.fromisoformat("2000-01-01T00:00:00+00:00"))
        resolved, dataset = parts.answers.resolutions(), parts.store.version("latest")
        overrides = sum(one.override for one in resolved)
        step.done(
            f"{COLLECT} pulled {len(answers)} answers: {len(resolved)} tickets resolved, {overrides} of them "
            f"overrides ({overrides / len(resolved):.0%}). Dataset version {dataset.number} stands in "
            "Delta Lake "
            f"with {dataset.label_rows} labels."
        )
    refused = [one for one in answers if one.state is AnswerState.QUARANTINED]
    tell.line(f"{len(refused)} answers are in quarantine, held back by Great Expectations:")
    tell.table([(f"{count}", reason) for reason, count in reasons_of(refused).most_common()])
    drift = _last_drift(scene)
    tell.line(
        f"{len(_names(drift))} columns look otherwise than what the champion learned from "
        f"({drift['share']:.0%}): an alarm, sent to Prefect as an event."
    )
    return answers, drift


def _retrain(scene: Scene, runs: PrefectRuns, since: datetime) -> GateReport:
    with scene.narrator.step("retrain flow", f"The drift event starts {RETRAIN}") as step:
        run = runs.next_of(RETRAIN, since, within_s=STARTED_WITHIN_S, told=lambda _: None)
        runs.wait(run, within_s=RETRAINED_WITHIN_S, told=lambda task: step.now(_under_way(RETRAIN, task)))
        report = _report(scene)
        required = [one for one in report.results if one.required]
        passed = sum(one.verdict is Verdict.PASS for one in required)
        step.done(
            f"The event started {RETRAIN} (as run {run.name}): version {report.model_version} is challenger, "
            f"and {passed} of {len(required)} required gates pass."
        )
    for one in required:
        scene.narrator.table([(one.verdict.value, one.name, one.reason)])
    if report.verdict is not Verdict.PASS:
        raise RefusedError(
            f"The gates refuse version {report.model_version}; the demo's story ends here.",
            remedy="Please report this, with the file .hitl/logs/demo.log of the demo's folder.",
        )
    return report


def reasons_of(refused: list[KeptAnswer]) -> Counter[str]:
    """How often each reason was given."""
    return Counter(str(reason) for one in refused for reason in one.reasons)


def _report(scene: Scene) -> GateReport:
    challenger = scene.project.challenger()
    report = scene.project.parts.gates.latest(challenger.version)
    if report is None:
        raise RefusedError(
            f"Version {challenger.version} was not judged.", remedy=f"Run `hitl gate {challenger.version}`."
        )
    return report


def _last_drift(scene: Scene) -> dict[str, object]:
    checks = [entry.read() for entry in scene.project.parts.trail.entries()]
    return dict(next(one["facts"] for one in reversed(checks) if one["kind"] == Kind.DRIFT_CHECKED))


def _names(drift: dict[str, object]) -> list[str]:
    names = drift["drifted"]
    return list(names) if isinstance(names, list) else []


def _under_way(flow: str, task: str) -> str:
    return f"Prefect runs {flow}: {task.replace('_', ' ')}"


def version_page(scene: Scene, version: str) -> str:
    """Where MLflow shows the version."""
    name = scene.project.settings.model.name
    return f"{scene.urls['mlflow']}/#/models/{name}/versions/{version}"
