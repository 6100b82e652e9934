"""The service delivers while it runs, whatever goes wrong in between, and ends when it is asked to."""

from __future__ import annotations

import asyncio
import time

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.gateway import delivering as rounds
from hitl_mlops.gateway.delivering import delivering


def test_it_goes_on_at_once_while_there_is_something_to_do():
    left = [["one"], ["two"], []]

    async def story():
        async with delivering(lambda: left.pop(0) if left else []):
            for _ in range(100):
                await asyncio.sleep(0.02)
                if not left:
                    return
        raise AssertionError(left)

    began = time.monotonic()
    asyncio.run(story())
    assert time.monotonic() - began < rounds.EVERY_S


def test_a_round_that_fails_is_logged_and_does_not_hold_up_the_end(caplog):
    def deliver():
        raise ServiceDownError("The database does not answer.")

    async def story():
        async with delivering(deliver):
            await asyncio.sleep(0.1)

    began = time.monotonic()
    asyncio.run(story())
    assert time.monotonic() - began < rounds.AFTER_TROUBLE_S / 2
    assert caplog.messages == ["callbacks could not be delivered"]


def test_an_attempt_that_has_begun_is_finished_before_the_end():
    done = []

    def deliver():
        time.sleep(0.2)
        done.append(1)
        return []

    async def story():
        async with delivering(deliver):
            await asyncio.sleep(0.05)

    asyncio.run(story())
    assert done == [1]


def test_without_anything_to_deliver_nothing_runs():
    async def story():
        async with delivering(None):
            return len(asyncio.all_tasks())

    assert asyncio.run(story()) == 1
