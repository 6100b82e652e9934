"""Every few minutes: late tickets climb the ladder of the policy, and free ones are handed out."""

from __future__ import annotations

from typing import Any

from patience import PATIENT
from prefect import flow, task
from prefect.events import emit_event

from hitl_mlops import Project
from hitl_mlops.ids import plain
from hitl_mlops.queues import Queues

ACTOR = "flow:escalate"


@task(**PATIENT)
def climb(folder: str) -> dict[str, Any]:
    """Late tickets stand where they must; each step is an event, for an automation to mail or call by."""
    with Project.open(folder, actor=ACTOR) as project:
        climbed = Queues(project.verbs).escalate()
        resource = {"prefect.resource.id": f"hitl.project.{project.settings.project}"}
    for move in climbed.moves:
        emit_event(f"hitl.ticket.{move.what}", resource=resource, payload=plain(move))
    steps = [f"{one.ticket_id} {one.what.replace('_', ' ')}: {one.lane}" for one in climbed.moves]
    return {"steps": steps, "not_shown": climbed.not_shown, "notes": list(climbed.notes)}


@task(**PATIENT)
def hand_out(folder: str) -> int:
    """Free tickets are somebody's, where the policy hands them out; how many are new."""
    with Project.open(folder, actor=ACTOR) as project:
        queues = Queues(project.verbs)
        return len(queues.hand_out().made) if queues.hands_out else 0


@flow(name="escalate", log_prints=True)
def escalate(folder: str = ".") -> dict[str, Any]:
    """No ticket lies longer than the policy lets it."""
    climbed: dict[str, Any] = climb(folder)
    for line in (*climbed["steps"], *climbed["notes"]):
        print(line)
    handed = hand_out(folder)
    print(f"{len(climbed['steps'])} steps were taken, {handed} tickets handed out.")
    return {**climbed, "handed": handed}
