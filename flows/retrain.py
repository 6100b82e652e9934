"""On a schedule, or on an event: whether to learn anew is decided, and a challenger learns and is judged."""

from __future__ import annotations

from typing import Any

from patience import PATIENT
from prefect import flow, task

from hitl_mlops import Project
from hitl_mlops.errors import NotFoundError
from hitl_mlops.retraining import Retraining

ACTOR = "flow:retrain"


@task(**PATIENT)
def decide(folder: str, cause: str) -> dict[str, Any]:
    """What the triggers ask for is decided and told, and done as far as the policy lets it."""
    with Project.open(folder, actor=ACTOR) as project:
        try:
            looked = Retraining(project).look(cause)
        except NotFoundError as early:
            return {"answer": "first", "due": True, "reasons": [early.fact], "done": [], "asked": []}
    found = looked.decided
    told = {"answer": found.answer.name.lower(), "due": looked.due, "reasons": list(found.reasons)}
    return {**told, "done": list(looked.done), "asked": list(looked.asked)}


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
def retrain(folder: str = ".", cause: str = "schedule") -> dict[str, Any]:
    """A judged challenger waits for a person's approval, or it is told why none is due."""
    decided = decide(folder, cause)
    for line in (*decided["reasons"], *decided["done"], *(f"→ {one}" for one in decided["asked"])):
        print(line)
    if not decided["due"]:
        print(f"No retraining now: {decided['answer']}.")
        return {"version": None, "decided": decided}
    version = train(folder)
    print(f"The challenger is version {version}.")
    judged = judge(folder, version)
    print(f"The gates say {judged['verdict']}.")
    return {"version": version, **judged, "decided": decided}
