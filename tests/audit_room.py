"""Trails for tests: events, a clock that is set by hand, and an opened trail with its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hitl_mlops.audit.checkpoint import CheckpointStore
from hitl_mlops.audit.checkpoint_file import FileCheckpoints
from hitl_mlops.audit.checkpoint_in_memory import InMemoryCheckpoints
from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.keys import signer_from_seed
from hitl_mlops.audit.sealing import Sealer, SealingPolicy
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.audit.trail_sql import SqlTrail
from hitl_mlops.database.connect import Database

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIGNER = signer_from_seed("hitl/tests", bytes(range(32)))
STRANGER = signer_from_seed("hitl/tests", bytes(32))


def an_event(**changes: Any) -> Event:
    given: dict[str, Any] = {
        "kind": Kind.DECISIONS_RECORDED,
        "actor": "flow:decide",
        "at": NOON,
        "refs": {"decision": ["dec_1"], "policy": ["p1"]},
        "facts": {"route": "auto", "n": 3},
    }
    return Event(**(given | changes))


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class OpenTrail:
    trail: InMemoryTrail | SqlTrail
    store: CheckpointStore
    clock: Clock = field(default_factory=Clock)


def a_memory_trail(policy: SealingPolicy | None = None) -> OpenTrail:
    store, clock = InMemoryCheckpoints(), Clock()
    return OpenTrail(InMemoryTrail(Sealer(SIGNER, store, policy=policy, clock=clock)), store, clock)


def a_sql_trail(url: str, folder: Path, policy: SealingPolicy | None = None) -> OpenTrail:
    store, clock = FileCheckpoints(folder / "checkpoints.txt"), Clock()
    database = Database(url)
    database.create()
    return OpenTrail(SqlTrail(database, Sealer(SIGNER, store, policy=policy, clock=clock)), store, clock)
