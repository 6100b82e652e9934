"""The service delivers callbacks while it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

EVERY_S = 1.0
AFTER_TROUBLE_S = 10.0
_told = logging.getLogger(__name__)


@asynccontextmanager
async def delivering(deliver: Callable[[], Sequence[object]] | None) -> AsyncIterator[None]:
    """What is due is delivered until the `with` ends; an attempt that has begun then is finished.

    Args:
        deliver: one round, answering what it did; None: there is nothing to deliver.
    """
    if deliver is None:
        yield
        return
    ending = asyncio.Event()
    task = asyncio.create_task(_rounds(deliver, ending))
    try:
        yield
    finally:
        ending.set()
        await task


async def _rounds(deliver: Callable[[], Sequence[object]], ending: asyncio.Event) -> None:
    while not ending.is_set():
        try:
            pause = 0.0 if await asyncio.to_thread(deliver) else EVERY_S
        except Exception:  # noqa: BLE001 - what is due stays due, and the next round may pass
            _told.exception("callbacks could not be delivered")
            pause = AFTER_TROUBLE_S
        if pause:
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), pause)
