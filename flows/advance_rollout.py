"""Every few minutes: one look at the challenger on trial, and what the evidence says is done."""

from __future__ import annotations

from patience import PATIENT
from prefect import flow, task

from hitl_mlops import Project

ACTOR = "flow:advance-rollout"
IDLE = {"action": "none", "reason": "No rollout is live."}


@task(**PATIENT)
def look(folder: str) -> dict[str, str]:
    """The live rollout was held, advanced, promoted or rolled back; without one, nothing happened."""
    with Project.open(folder, actor=ACTOR) as project:
        step = project.step_rollout().step
    return IDLE if step is None else {"action": step.action.value, "reason": step.reason}


@flow(name="advance-rollout", log_prints=True)
def advance_rollout(folder: str = ".") -> dict[str, str]:
    """The rollout stands where its evidence puts it."""
    seen: dict[str, str] = look(folder)
    print(f"{seen['action']}: {seen['reason']}")
    return seen
