"""The verb: look for drift, and tell the trail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from hitl_mlops.alerts.drift import DriftCheck, DriftPolicy, check
from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.model import Model
from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.decisions.task import Task
from hitl_mlops.gates.measures import Measures
from hitl_mlops.gates.watched import watched


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked at.

    Attributes:
        project: name of the project.
        trail: told of every check.
        log: what was decided.
        measures: how drift is measured.
        task: the shape of a case.
        base: what the champion learned from.
        champion: the model that serves.
        since: when it became champion.
        policy: when drift is an alarm.
    """

    project: str
    trail: Trail
    log: DecisionLog
    measures: Measures
    task: Task
    base: pd.DataFrame
    champion: Model
    since: datetime
    policy: DriftPolicy = field(default_factory=DriftPolicy)


def watch_drift(watch: Watch, *, now: datetime, actor: str) -> DriftCheck:
    """The latest decided cases were compared with the base data; the check is in the trail."""
    found = look_for_drift(watch)
    watch.trail.append([_checked(found, watch.champion, actor, now)])
    return found


def look_for_drift(watch: Watch) -> DriftCheck:
    """The latest decided cases compared with the base data; nothing is told."""
    decisions = watch.log.decisions(since=watch.since)[-watch.policy.recent :]
    found = watch.log.cases(one.case_id for one in decisions)
    current = inputs_frame([found[one.case_id] for one in decisions])
    samples = [watched(watch.task, one, watch.champion) for one in (watch.base, current) if len(one)]
    if len(samples) == 2:  # noqa: PLR2004 - a reference and a current sample
        return check(watch.project, samples[0], samples[1], watch.measures, watch.policy)[0]
    return DriftCheck(watch.project, False, None, (), len(watch.base), 0, "Nothing was decided yet.")  # noqa: FBT003


def _checked(found: DriftCheck, champion: Model, actor: str, now: datetime) -> Event:
    facts = {
        "alarm": found.alarm,
        "share": found.share,
        "drifted": list(found.drifted),
        "reference_rows": found.reference_rows,
        "current_rows": found.current_rows,
    }
    return Event(Kind.DRIFT_CHECKED, actor, now, {"model": [champion.version]}, facts)
