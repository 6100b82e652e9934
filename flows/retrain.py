"""On a drift event or a schedule: a challenger learns from the latest dataset version and is judged."""

from __future__ import annotations

from typing import Any

from patience import PATIENT
from prefect import flow, task

from hitl_mlops import Project

ACTOR = "flow:retrain"


@task(**PATIENT)
def train(folder: str) -> str:
    """A challenger is registered; the same dataset, recipe and policy give the version that is there."""
    with Project.open(folder, actor=ACTOR) as project:
        return project.train().version


@task(**PATIENT)
def judge(folder: str, version: str) -> dict[str, Any]:
    """Its gates were run; the report stands on the version's page, where the release manager reads it."""
    with Project.open(folder, actor=ACTOR) as project:
        report = project.judge(version)
    return {"verdict": report.verdict.value, "gates": {one.name: one.verdict.value for one in report.results}}


@flow(name="retrain", log_prints=True)
def retrain(folder: str = ".") -> dict[str, Any]:
    """A judged challenger waits for a person's approval. Nothing is promoted here."""
    version = train(folder)
    print(f"The challenger is version {version}.")
    judged = judge(folder, version)
    print(f"The gates say {judged['verdict']}.")
    return {"version": version, **judged}
