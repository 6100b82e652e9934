"""A bell wakes a reading; nobody who rings waits, and no reading is missed."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.gateway import bell as bells
from hitl_mlops.gateway.bell import Bell

SOON_S = 5.0


async def until(is_so):
    deadline = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_unrung_nothing_is_read():
    read = []

    async def story():
        async with Bell(lambda: read.append(1)).answered():
            await asyncio.sleep(0.05)

    asyncio.run(story())
    assert read == []


def test_many_rings_while_it_reads_bring_one_more_reading():
    began, go_on, read = threading.Semaphore(0), threading.Semaphore(0), []

    def reads():
        read.append(1)
        began.release()
        assert go_on.acquire(timeout=SOON_S)

    async def story():
        bell = Bell(reads)
        async with bell.answered():
            bell.ring()
            assert await asyncio.to_thread(began.acquire, timeout=SOON_S)
            at = time.monotonic()
            for _ in range(1_000):
                bell.ring()
            assert time.monotonic() - at < SOON_S / 5  # nobody who rings waits for the reading
            go_on.release()
            assert await asyncio.to_thread(began.acquire, timeout=SOON_S)
            go_on.release()
            await asyncio.sleep(bells.REST_S + 0.3)

    asyncio.run(story())
    assert read == [1, 1]


def test_a_reading_that_fails_is_logged_and_the_next_ring_reads_again(caplog):
    said = [ServiceDownError("MLflow does not answer.")]
    read = []

    def reads():
        if said:
            raise said.pop()
        read.append(1)

    async def story():
        bell = Bell(reads)
        async with bell.answered():
            bell.ring()
            await until(lambda: not said)
            bell.ring()
            await until(lambda: read)

    asyncio.run(story())
    assert caplog.messages == ["approvals could not be read when a change was told"]


@pytest.mark.parametrize("rings", [0, 1])
def test_the_end_waits_for_a_reading_that_has_begun_and_begins_no_other(rings):
    began, read = threading.Event(), []

    def reads():
        began.set()
        time.sleep(0.2)
        read.append(1)

    async def story():
        bell = Bell(reads)
        async with bell.answered():
            bell.ring()
            assert await asyncio.to_thread(began.wait, SOON_S)
            for _ in range(rings):
                bell.ring()

    at = time.monotonic()
    asyncio.run(story())
    assert read == [1]
    assert time.monotonic() - at < bells.REST_S
