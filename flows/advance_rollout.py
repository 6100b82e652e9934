"""Every few minutes: one look at the model and the policy on trial; what the evidence says is done."""

from __future__ import annotations

from patience import PATIENT
from prefect import flow, task

from hitl_mlops import Project

ACTOR = "flow:advance-rollout"
IDLE = {"action": "none", "reason": "No rollout is live."}
NO_TRIAL = {"action": "none", "reason": "No policy is on trial."}


@task(**PATIENT)
def look(folder: str) -> dict[str, str]:
    """The live rollout was held, advanced, promoted or rolled back; without one, nothing happened."""
    with Project.open(folder, actor=ACTOR) as project:
        step = project.step_rollout().step
    return IDLE if step is None else {"action": step.action.value, "reason": step.reason}


@task(**PATIENT)
def look_at_the_trial(folder: str) -> dict[str, str]:
    """The policy on trial routes as many subjects as its evidence allows; without one, nothing happened."""
    with Project.open(folder, actor=ACTOR) as project:
        looked = project.trials.look()
    return NO_TRIAL if looked is None else {"action": looked[0].action.value, "reason": looked[0].reason}


@flow(name="advance-rollout", log_prints=True)
def advance_rollout(folder: str = ".") -> dict[str, str]:
    """The rollout, and the trial of a policy, stand where their evidence puts them."""
    seen: dict[str, str] = look(folder)
    print(f"{seen['action']}: {seen['reason']}")
    tried: dict[str, str] = look_at_the_trial(folder)
    print(f"policy, {tried['action']}: {tried['reason']}")
    return seen
