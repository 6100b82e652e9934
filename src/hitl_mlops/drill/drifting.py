"""Rehearsal: what comes in shifts, and nobody says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from hitl_mlops.alerts.drift import DriftCheck
from hitl_mlops.decisions.task import Task
from hitl_mlops.drill.record import Rehearsal, Scenario
from hitl_mlops.drill.room import Room, automatic
from hitl_mlops.drill.stream import shifted

Shifter = Callable[[pd.DataFrame, pd.DataFrame, Task], pd.DataFrame]
CALM, BATCH = 500, 100


@dataclass(slots=True)
class Shift:
    """What came of the stream since it shifted."""

    cases: int = 0
    refused: int = 0
    automatic: int = 0
    found: DriftCheck | None = None

    @property
    def alarm(self) -> bool:
        """Somebody was told."""
        return self.found is not None and self.found.alarm


def rehearse(room: Room, *, shift_by: Shifter = shifted) -> Rehearsal:
    """An alarm stands in the trail, or the rehearsal says that none came."""
    minutes, project = room.minutes, room.project
    with minutes.step(
        f"{CALM} cases like the base data were decided, with a look for drift after each {BATCH}."
    ):
        room.crown()
        early = _calm(room)
    minutes.demand(
        "no alarm while nothing has changed", limit=f"0 of {CALM // BATCH} looks", found=early, met=early == 0
    )
    recent = project.verbs.watch.policy.recent
    with minutes.step("The stream shifted; cases came until the alarm."):
        shift = _until_the_alarm(room, recent, shift_by)
    minutes.demand(
        "the shift raises an alarm",
        limit=f"within {recent:,} cases, all that one look sees",
        found=shift.found.reason if shift.found is not None else "nobody looked",
        met=shift.alarm,
    )
    room.demand_sound_trail()
    return Rehearsal(
        Scenario.DRIFT,
        minutes.verdict(),
        f"{'The alarm came' if shift.alarm else 'No alarm'} after {shift.cases:,} shifted cases; "
        f"{shift.automatic:,} of them were decided without a person, {shift.refused:,} were refused as odd.",
        shift.automatic,
        "shifted cases that were decided without a person",
        (
            "Nothing to see it; with `hitl up` the alarm starts a retraining, which was not rehearsed here.",
            "Decide whether to stop the models meanwhile: hitl freeze.",
        ),
        tuple(minutes.steps),
        tuple(minutes.demands),
        {
            "shifted_cases": shift.cases,
            "automatic": shift.automatic,
            "refused": shift.refused,
            "false_alarms": early,
        },
    )


def _calm(room: Room) -> int:
    """How many looks at an unchanged stream ended with an alarm."""
    alarms = 0
    for _ in range(CALM // BATCH):
        room.decide(room.draw(BATCH))
        alarms += room.project.check_drift().alarm
    return alarms


def _until_the_alarm(room: Room, most: int, shift_by: Shifter) -> Shift:
    shift, task = Shift(), room.project.parts.task
    while shift.cases < most and not shift.alarm:
        decided = room.decide(shift_by(room.draw(BATCH), room.world.pool, task))
        shift.cases += BATCH
        shift.refused += BATCH - len(decided)
        shift.automatic += len(automatic(decided))
        shift.found = room.project.check_drift()
    return shift
