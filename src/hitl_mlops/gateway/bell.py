"""A bell that wakes a reading: rung often while it reads, it reads once more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

REST_S = 1.0
"""A storm of rings costs one reading a second."""
_told = logging.getLogger(__name__)


class Bell:
    """Whoever rings has at once done with it; the reading runs in a thread, one at a time.

    Args:
        read: what is woken; what it raises is logged, and others read in their own time all the same.
        what: is read, for the log.
        rest_s: seconds from the end of a reading to the next.
    """

    def __init__(
        self, read: Callable[[], object], what: str = "approvals", rest_s: float | None = None
    ) -> None:
        self._read, self._what = read, what
        self._rest_s = REST_S if rest_s is None else rest_s
        self._rung = asyncio.Event()
        self._ending = asyncio.Event()

    def ring(self) -> None:
        """A reading begins that sees what stands now; called in the event loop."""
        self._rung.set()

    @asynccontextmanager
    async def answered(self) -> AsyncIterator[None]:
        """The bell is answered until the `with` ends; a reading that has begun then is finished."""
        task = asyncio.create_task(self._rounds())
        try:
            yield
        finally:
            self._ending.set()
            self._rung.set()
            await task

    async def _rounds(self) -> None:
        while True:
            await self._rung.wait()
            if self._ending.is_set():
                return
            self._rung.clear()
            try:
                await asyncio.to_thread(self._read)
            except Exception:  # noqa: BLE001 - the next look there reads it, whoever looks
                _told.exception("%s could not be read when a change was told", self._what)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self._rest_s)
