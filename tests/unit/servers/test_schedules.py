"""What doctor says of the flows' schedules."""

from __future__ import annotations

from datetime import timedelta

from hitl_mlops.servers.schedules import Planned, judge
from tests.builders import NOW

HOUR = timedelta(hours=1)
NAMES = ("collect", "sweep")


def planned(name: str, *hours: float, is_on: bool = True) -> Planned:
    return Planned(name, is_on, tuple(NOW + one * HOUR for one in hours))


def test_runs_ahead_are_counted_and_the_next_is_told() -> None:
    told = judge(NAMES, [planned("collect", 3, 1, 30), planned("sweep", 200)], NOW)
    assert told.remedy == ""
    assert told.found == f"2 runs planned in the next day, the next at {NOW + HOUR:%H:%M} UTC"


def test_a_schedule_that_plans_nothing_is_found() -> None:
    told = judge(NAMES, [planned("collect", 1), planned("sweep")], NOW)
    assert told.found == "no run is planned of sweep"
    assert told.remedy


def test_runs_that_nobody_takes_are_found() -> None:
    told = judge(NAMES, [planned("collect", -0.5, 1), planned("sweep", 2)], NOW)
    assert told.found == "runs of collect are late"
    assert judge(NAMES, [planned("collect", -0.1, 1), planned("sweep", 2)], NOW).remedy == ""


def test_a_flow_that_prefect_does_not_know_is_found() -> None:
    assert judge(NAMES, [planned("collect", 1)], NOW).found == "Prefect does not know sweep"


def test_a_paused_schedule_is_told_and_no_fault() -> None:
    told = judge(NAMES, [planned("collect", 1), planned("sweep", is_on=False)], NOW)
    assert told.remedy == ""
    assert told.found.endswith("; paused: sweep")
