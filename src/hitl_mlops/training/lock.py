"""Two retrainings never run at once: one row in the database says who trains."""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError as DuplicateRow

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import intents
from hitl_mlops.errors import BusyError
from hitl_mlops.ids import instant, parse_instant

LOCK_KEY = "training"
ELSEWHERE_HOURS = 12.0
"""How long a lock from another machine counts, whose processes cannot be looked at."""


@contextlib.contextmanager
def training_lock(database: Database, now: datetime) -> Iterator[None]:
    """Nobody else trains inside the block. Call it outside of any transaction.

    A lock whose process is gone (by process id and start time), or is from another machine and older than
    12 hours, is taken over.

    Raises:
        BusyError: another retraining runs; `data` has its `pid`, `host` and `since`.
    """
    mine = _owner()
    _take(database, mine, now)
    try:
        yield
    finally:
        with database.transaction() as connection:
            connection.execute(
                sa.delete(intents).where(
                    intents.c.key == LOCK_KEY, intents.c.facts["token"].as_string() == mine["token"]
                )
            )


def _take(database: Database, mine: dict[str, Any], now: datetime) -> None:
    try:
        with database.transaction() as connection:
            held = connection.execute(
                sa.select(intents).where(intents.c.key == LOCK_KEY).with_for_update()
            ).one_or_none()
            if held is not None and held.closed_at is None and _alive(held.facts, held.opened_at, now):
                raise _busy(held.facts, held.opened_at)
            connection.execute(sa.delete(intents).where(intents.c.key == LOCK_KEY))
            connection.execute(
                sa.insert(intents).values(key=LOCK_KEY, kind="lock", facts=mine, opened_at=instant(now))
            )
    except DuplicateRow as error:
        raise _busy({}, instant(now)) from error


def _busy(facts: dict[str, Any], since: str) -> BusyError:
    who = f"process {facts['pid']} on {facts['host']}, since {since[:19]}" if facts else "it began just now"
    return BusyError(
        f"Another retraining runs ({who}).",
        remedy="Wait for it to end, then run the same command again: hitl train",
        pid=facts.get("pid"),
        host=facts.get("host"),
        since=since,
    )


def _owner() -> dict[str, Any]:
    pid = os.getpid()
    return {
        "token": uuid.uuid4().hex,
        "pid": pid,
        "host": socket.gethostname(),
        "started": process_started(pid),
    }


def _alive(facts: dict[str, Any], opened_at: str, now: datetime) -> bool:
    if facts.get("host") != socket.gethostname():
        return now - parse_instant(opened_at) < timedelta(hours=ELSEWHERE_HOURS)
    started = process_started(int(facts["pid"]))
    return started is not None and started == facts["started"]


def process_started(pid: int) -> str | None:
    """A text that names this run of the process id, as they are used again; None if it does not run.

    Where the kernel tells no start time (no /proc), every run of an id is named alike.
    """
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()  # the name before it may hold spaces
        state, start_ticks = fields[0], fields[19]
        return None if state == "Z" else start_ticks
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "running"
    return "running"
