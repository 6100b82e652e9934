"""Requests that come while a batch is being kept go together into the next one: one commit for all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hitl_mlops.errors import BusyError, HitlError, ServiceDownError

Row: TypeAlias = Mapping[str, Any]
Decide: TypeAlias = Callable[[Sequence[Row], bool], "Sequence[Any]"]
"""Rows and whether one that is refused refuses all → an outcome for each row, in their order."""

MOST_ROWS = 1_000
MOST_WAITING = 10_000
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
    """

    def __init__(
        self, decide: Decide, *, most_rows: int = MOST_ROWS, most_waiting: int = MOST_WAITING
    ) -> None:
        self._decide = decide
        self._most_rows, self._most_waiting = most_rows, most_waiting
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
        if self.waiting + len(rows) > self._most_waiting:
            raise BusyError(
                f"{self.waiting} cases wait to be decided already.",
                remedy=f"Try again in {RETRY_AFTER_S} s, with fewer cases at once.",
            )
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Request(rows, frozenset(ids), strict, answer))
        self._arrived.set()
        return await answer

    async def close(self) -> None:
        """What waits is decided, what comes is refused; then the thread has ended."""
        self._closing = True
        self._arrived.set()
        if self._runner is not None:
            await self._runner
        self._thread.shutdown()

    async def _run(self) -> None:
        while self._queue or not self._closing:
            self._arrived.clear()
            batch = self._next()
            if not batch:
                if not self._closing:
                    await self._arrived.wait()
                continue
            await self._settle(batch)

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
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._decide, rows, strict)


def _fail(request: _Request, error: Exception) -> None:
    with suppress(asyncio.InvalidStateError):
        request.answer.set_exception(error)
