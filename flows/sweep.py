"""Every night: read the whole desk again, for what the short look cannot see: answers that were deleted."""

from __future__ import annotations

from patience import PATIENT
from prefect import flow, task

from hitl_mlops import Project

ACTOR = "flow:sweep"


@task(**PATIENT)
def sweep_desk(folder: str) -> dict[str, int]:
    """What stands on the desk is what is kept; how many answers were new, and how many count no more."""
    with Project.open(folder, actor=ACTOR) as project:
        got = project.collect(sweep=True)
    return {
        "pulled": got.pulled,
        "new": got.new,
        "superseded": got.superseded,
        "withdrawn": len(got.withdrawn),
    }


@flow(name="sweep", log_prints=True)
def sweep(folder: str = ".") -> dict[str, int]:
    """Answers that are gone from the desk count no more."""
    swept: dict[str, int] = sweep_desk(folder)
    print("Answers: " + ", ".join(f"{count} {what}" for what, count in swept.items()) + ".")
    return swept
