"""Whatever people, servers and other collectors do, the book ends where the desk stands."""

from __future__ import annotations

import os

import pytest

from hitl_mlops.database.connect import Database
from tests.collection_machine import run_schedules

SCHEDULES = int(os.environ.get("HITL_SCHEDULES", "60"))
"""A tenth of them on PostgreSQL; `benchmarks/exactly_once.py` runs 1,000 on each."""


@pytest.mark.parametrize(
    ("server", "schedules"),
    [("sqlite", SCHEDULES), pytest.param("postgresql", SCHEDULES // 10, marks=pytest.mark.real)],
)
def test_no_answer_is_lost_or_doubled_on_any_schedule(
    server: str, schedules: int, request: pytest.FixtureRequest
) -> None:
    database = Database("sqlite://" if server == "sqlite" else request.getfixturevalue("postgres_url"))
    database.create()
    try:
        seen = run_schedules(database, schedules)
    finally:
        database.close()
    assert seen.schedules >= schedules
    assert (seen.lost, seen.doubled) == (0, 0)
