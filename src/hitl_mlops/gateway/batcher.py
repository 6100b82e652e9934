"""Requests that come while a batch is being kept go together into the next one: one commit for all.

Most of a batch's time is the same whatever it holds, and whoever was answered asks again at once. So before a
batch begins, those who were just answered are given a moment to share it: without that, callers split into
two halves that take turns, and each batch holds one half.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeAlias

from hitl_mlops.errors import BusyError, HitlError, ServiceDownError
from hitl_mlops.gateway.pace import Pace, again_in_s

Row: TypeAlias = Mapping[str, Any]
Decide: TypeAlias = Callable[[Sequence[Row], bool], "Sequence[Any]"]
"""Rows and whether one that is refused refuses all → an outcome for each row, in their order."""

MOST_ROWS = 1_000
MOST_WAITING = 10_000
MOST_WAIT_S = 0.1
RETRY_AFTER_S = 1


@dataclass(slots=True)
class _Request:
    rows: Sequence[Row]
    ids: frozenset[str]
    strict: bool
    answer: asyncio.Future[list[Any]] = field(repr=False)


class Batcher:
    """Runs `decide` in one thread, a batch at a time; each request gets the outcomes of its own rows.

    A request is never split. Two that bring the same id never share a batch, as an id that stands twice in a
    table is refused there; nor does a strict one share, as it is all or nothing. A request that nobody waits
    for any more before its batch begins is not decided.

    Args:
        decide: the work; what it raises for a shared batch is found again by deciding each request alone.
        most_rows: of a batch; a single larger request is a batch of its own.
        most_waiting: rows that may wait; beyond it a request is refused at once, before it costs anything.
        most_wait_s: seconds that the rows ahead may be expected to take (`Pace.allows`); beyond it likewise.
            A request that finds nobody waiting is let in, however slow the batches are.
    """

    def __init__(
        self,
        decide: Decide,
        *,
        most_rows: int = MOST_ROWS,
        most_waiting: int = MOST_WAITING,
        most_wait_s: float = MOST_WAIT_S,
    ) -> None:
        self._decide = decide
        self._most_rows, self._most_waiting, self._most_wait_s = most_rows, most_waiting, most_wait_s
        self._pace, self._deciding = Pace(), 0
        self._wanted, self._expected, self._gathers_until = 1, 1, 0.0
        self._queue: deque[_Request] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decide")
        self._runner: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def waiting(self) -> int:
        """Rows that no batch has taken yet."""
        return sum(len(one.rows) for one in self._queue)

    def start(self) -> None:
        """Batches are run from now on; inside the event loop."""
        self._runner = asyncio.create_task(self._run())

    async def submit(
        self, rows: Sequence[Row], ids: Sequence[str] = (), *, strict: bool = False
    ) -> list[Any]:
        """The outcomes of the rows, once they are kept.

        Args:
            rows: at least one.
            ids: case ids that they bring.
            strict: one refused row refuses all.

        Raises:
            BusyError: too many rows wait.
            ServiceDownError: the service is being stopped.
            HitlError: what `decide` raised.
        """
        if self._closing:
            raise ServiceDownError("The service is being stopped.", remedy="Ask another instance.")
        self.demand_room(len(rows))
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Request(rows, frozenset(ids), strict, answer))
        if len(self._queue) >= self._wanted:
            self._arrived.set()
        return await answer

    def demand_room(self, rows: int = 1) -> None:
        """So many more rows may wait; asked before a body is read, it spares reading what is refused.

        Raises:
            BusyError: too many rows wait; `data["retry_after_s"]` tells when to ask again.
        """
        waiting = self.waiting
        ahead = waiting + self._deciding
        soon = not waiting or self._pace.allows(ahead, self._most_wait_s)
        if soon and waiting + rows <= self._most_waiting:
            return
        again_s = again_in_s(self._pace.wait_s(ahead))
        raise BusyError(
            f"{waiting} cases wait to be decided already.",
            remedy=f"Try again in {again_s} s, with fewer cases at once.",
            retry_after_s=again_s,
        )

    async def close(self) -> None:
        """What waits is decided, what comes is refused; then the thread has ended."""
        self._closing = True
        self._arrived.set()
        if self._runner is not None:
            await self._runner
        self._thread.shutdown()

    async def _run(self) -> None:
        while self._queue or not self._closing:
            await self._wait_for(1)
            gathers_s = self._gathers_until - perf_counter()
            if gathers_s > 0:
                await self._wait_for(self._expected, gathers_s)
            batch = self._next()
            if batch:
                await self._settle(batch)
                self._expected = len(batch) + len(self._queue)
                self._gathers_until = perf_counter() + self._pace.gathers_s

    async def _wait_for(self, requests: int, within_s: float | None = None) -> None:
        """So many requests wait, or the time is over, or the service is being stopped."""
        self._wanted = requests
        if len(self._queue) >= requests or self._closing:
            return
        self._arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._arrived.wait()

    def _next(self) -> list[_Request]:
        """Requests for one batch, in the order in which they came."""
        batch: list[_Request] = []
        rows, seen = 0, set[str]()
        while self._queue:
            one = self._queue.popleft()
            if one.answer.cancelled():
                continue
            alone = one.strict or (bool(batch) and batch[0].strict)
            fits = rows + len(one.rows) <= self._most_rows and not seen & one.ids and not alone
            if batch and not fits:
                self._queue.appendleft(one)  # nobody is overtaken
                break
            batch.append(one)
            rows += len(one.rows)
            seen |= one.ids
        return batch

    async def _settle(self, batch: Sequence[_Request]) -> None:
        try:
            outcomes = await self._in_thread([row for one in batch for row in one.rows], batch[0].strict)
        except HitlError as error:
            if len(batch) == 1:
                _fail(batch[0], error)
                return
            for one in batch:  # the mistake of one is not the others'
                await self._settle([one])
            return
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, and the next batch must run
            for one in batch:
                _fail(one, error)
            return
        place = 0
        for one in batch:
            mine = list(outcomes[place : place + len(one.rows)])
            place += len(one.rows)
            if not one.answer.done():
                one.answer.set_result(mine)

    async def _in_thread(self, rows: Sequence[Row], strict: bool) -> Sequence[Any]:
        loop, began, self._deciding = asyncio.get_running_loop(), perf_counter(), len(rows)
        try:
            outcomes = await loop.run_in_executor(self._thread, self._decide, rows, strict)
        finally:
            self._deciding = 0
        self._pace = self._pace.after(len(rows), perf_counter() - began)
        return outcomes


def _fail(request: _Request, error: Exception) -> None:
    with suppress(asyncio.InvalidStateError):
        request.answer.set_exception(error)
