"""Every few minutes: bring in what reviewers answered, tell applications, build a dataset, look for drift."""

from __future__ import annotations

from typing import Any

from patience import PATIENT
from prefect import flow, task
from prefect.events import emit_event

from hitl_mlops import Project
from hitl_mlops.errors import NotFoundError
from hitl_mlops.ids import plain
from hitl_mlops.retraining import Retraining
from hitl_mlops.selecting import Selecting

ACTOR = "flow:collect-overrides"
DRIFT_FOUND, RETRAINING_DUE = "hitl.drift.found", "hitl.retraining.due"


@task(**PATIENT)
def push_tickets(folder: str) -> int:
    """Tickets that waited are on the desk; how many."""
    with Project.open(folder, actor=ACTOR) as project:
        return project.push().pushed


@task(**PATIENT)
def collect(folder: str) -> dict[str, int]:
    """New answers are kept, screened and resolved; how many."""
    with Project.open(folder, actor=ACTOR) as project:
        got = project.collect()
    counts = {"new": got.new, "accepted": got.accepted, "quarantined": len(got.quarantined)}
    return {**counts, "resolved": len(got.resolved), "overrides": got.overrides}


@task(**PATIENT)
def ask_to_learn(folder: str) -> int:
    """Once a day people are asked what the model would learn most from, as far as the week's hours allow."""
    with Project.open(folder, actor=ACTOR) as project:
        try:
            selected = Selecting(project.verbs).daily()
        except NotFoundError:
            return 0
    return selected.opened if selected else 0


@task(**PATIENT)
def tell_applications(folder: str) -> int:
    """Applications that asked for it were told what people decided; how many deliveries were taken."""
    with Project.open(folder, actor=ACTOR) as project:
        done = project.verbs.courier.deliver_all()
    return sum(one.state == "delivered" for one in done)


@task(**PATIENT)
def build_dataset(folder: str) -> dict[str, Any]:
    """A dataset version holds every resolution; its number and digest."""
    with Project.open(folder, actor=ACTOR) as project:
        version = project.build_dataset()
    return {"number": version.number, "digest": version.digest}


@task(**PATIENT)
def check_drift(folder: str) -> dict[str, Any]:
    """What comes in was compared with what the champion learned from; an alarm is an event of the project."""
    with Project.open(folder, actor=ACTOR) as project:
        try:
            found = project.check_drift()
        except NotFoundError as early:
            return {"alarm": False, "reason": f"No drift was looked for. {early.fact}"}
    if found.alarm:
        emit_event(
            DRIFT_FOUND,
            resource={"prefect.resource.id": f"hitl.project.{found.project}"},
            payload=plain(found),
        )
    return {"alarm": found.alarm, "reason": found.reason}


@task(**PATIENT)
def look_at_triggers(folder: str, drifted: bool) -> dict[str, Any]:
    """What the figures ask for was done as far as the policy lets it; a retraining due is an event."""
    with Project.open(folder, actor=ACTOR) as project:
        try:
            looked = Retraining(project).look("collection")
        except NotFoundError as early:
            return {"answer": "first", "reasons": [early.fact], "due": False}
        found, resource = looked.decided, f"hitl.project.{project.settings.project}"
    told = {"answer": found.answer.name.lower(), "reasons": [*found.reasons, *looked.done], "due": looked.due}
    if looked.due and not drifted:  # the drift event starts the same flow
        emit_event(RETRAINING_DUE, resource={"prefect.resource.id": resource}, payload=told)
    return told


@flow(name="collect-overrides", log_prints=True)
def collect_overrides(folder: str = ".") -> dict[str, Any]:
    """What people said since the last run is in the dataset, and drift is known."""
    pushed = push_tickets(folder)
    print(f"{pushed} tickets are new on the desk.")
    collected = collect(folder)
    print("Answers: " + ", ".join(f"{count} {what}" for what, count in collected.items()) + ".")
    told = tell_applications(folder)
    print(f"{told} callbacks were delivered.")
    dataset = build_dataset(folder)
    print(f"The latest dataset version is {dataset['number']}.")
    drift = check_drift(folder)
    print(drift["reason"])
    triggers = look_at_triggers(folder, drift["alarm"])
    print(f"Retraining: {triggers['answer']}. " + " ".join(triggers["reasons"]))
    chosen = ask_to_learn(folder)  # pushed next time; nothing that must be done waits for it
    print(f"{chosen} questions were chosen to learn from.")
    counted = {"chosen": chosen, "pushed": pushed, "collected": collected, "told": told, "dataset": dataset}
    return {**counted, "drift": drift, "triggers": triggers}
