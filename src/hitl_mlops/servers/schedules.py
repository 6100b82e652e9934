"""Whether the schedules of a project's flows plan runs, and somebody takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from hitl_mlops.documents import read_yaml
from hitl_mlops.servers.worker import FLOWS_FILE, POOL

NAME = "schedules"
DAY = timedelta(days=1)
LATE = timedelta(minutes=10)
"""So long after its time a run that nobody began is late."""
_PATIENCE_S = 10.0
_MOST = 200


@dataclass(frozen=True, slots=True)
class Planned:
    """What Prefect has planned for one deployment.

    Attributes:
        name: the deployment's.
        is_on: it has a schedule that is not paused.
        starts: when runs that nobody has begun are to start.
    """

    name: str
    is_on: bool
    starts: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Schedules:
    """How the schedules stand.

    Attributes:
        found: one line.
        remedy: what to do; empty where they run.
    """

    found: str
    remedy: str = ""


def judge(names: Sequence[str], known: Sequence[Planned], now: datetime) -> Schedules:
    """Every deployment that the project names is known, and those that are on have runs ahead and none late.

    A schedule that somebody paused is told, and no fault.

    Args:
        names: deployments of the project's prefect.yaml.
        known: what Prefect has of them.
        now: the time.
    """
    unknown = [name for name in names if name not in {one.name for one in known}]
    if unknown:
        return Schedules(f"Prefect does not know {', '.join(unknown)}", "Deploy them: hitl up")
    on = [one for one in known if one.is_on]
    idle = [one.name for one in on if not any(start >= now for start in one.starts)]
    if idle:
        return Schedules(
            f"no run is planned of {', '.join(idle)}",
            "Read .hitl/logs/prefect.log for the scheduler's errors, then: hitl down && hitl up",
        )
    late = [one.name for one in on if any(start < now - LATE for start in one.starts)]
    if late:
        return Schedules(
            f"runs of {', '.join(late)} are late",
            f"Start a worker for the pool {POOL}: hitl up, or: prefect worker start --pool {POOL}",
        )
    ahead = sorted(start for one in on for start in one.starts if now <= start < now + DAY)
    next_at = f", the next at {ahead[0]:%H:%M} UTC" if ahead else ""
    paused = [one.name for one in known if not one.is_on]
    told = f"; paused: {', '.join(paused)}" if paused else ""
    return Schedules(f"{len(ahead)} runs planned in the next day{next_at}{told}")


def look_at_schedules(folder: Path, api: str, now: datetime) -> Schedules | None:
    """How the schedules of the folder's flows stand; None where there are none, or Prefect does not answer.

    Raises:
        ConfigurationError: prefect.yaml is no YAML.
    """
    if not (folder / FLOWS_FILE).is_file():
        return None
    names = _names(read_yaml(folder / FLOWS_FILE).plain())
    try:
        with httpx.Client(base_url=api, timeout=_PATIENCE_S, trust_env=False) as prefect:
            known = [_planned(prefect, one, now) for one in _deployments(prefect, names)]
    except (httpx.HTTPError, ValueError):
        return None
    return judge(names, known, now)


def _names(said: Any) -> list[str]:
    """Names of the deployments; what has no name is for Prefect to refuse."""
    listed = said.get("deployments") if isinstance(said, dict) else ()
    return [str(one["name"]) for one in listed or () if isinstance(one, dict) and "name" in one]


def _deployments(prefect: httpx.Client, names: Sequence[str]) -> list[Mapping[str, Any]]:
    reply = prefect.post("/deployments/filter", json={"deployments": {"name": {"any_": list(names)}}})
    return list(reply.raise_for_status().json())


def _planned(prefect: httpx.Client, deployment: Mapping[str, Any], now: datetime) -> Planned:
    asked = {
        "deployments": {"id": {"any_": [deployment["id"]]}},
        "flow_runs": {
            "state": {"type": {"any_": ["SCHEDULED"]}},
            "expected_start_time": {"after_": (now - 7 * DAY).isoformat()},
        },
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": _MOST,
    }
    runs = prefect.post("/flow_runs/filter", json=asked).raise_for_status().json()
    is_on = not deployment.get("paused") and any(one["active"] for one in deployment.get("schedules") or ())
    starts = tuple(
        datetime.fromisoformat(run["expected_start_time"]) for run in runs if run["expected_start_time"]
    )
    return Planned(str(deployment["name"]), is_on, starts)
