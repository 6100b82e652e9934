"""Who shares a batch, who hears of what, and that nobody who was told is forgotten."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.errors import BusyError, InputError, ServiceDownError
from hitl_mlops.gateway.batcher import Batcher


class Desk:
    """Echoes rows; holds the first batch until it is let go, so that others gather behind it."""

    def __init__(self, *, held=True):
        self.begun, self.go = threading.Event(), threading.Event()
        if not held:
            self.go.set()
        self.batches = []

    def __call__(self, rows, _strict):
        self.batches.append([row["id"] for row in rows])
        self.begun.set()
        assert self.go.wait(10)
        if any(row.get("bad") for row in rows):
            raise InputError("A row is bad.")
        if any(row.get("odd") for row in rows):
            raise ZeroDivisionError
        return [row["id"] for row in rows]


def rows(*names, **more):
    return [{"id": name, **more} for name in names]


async def behind(desk, batcher, *requests):
    """The requests, sent while a batch is under way; their answers or errors."""
    first = asyncio.create_task(batcher.submit(rows("first")))
    assert await asyncio.to_thread(desk.begun.wait, 10)
    sent = [
        asyncio.create_task(batcher.submit(*one[:2], **(one[2] if len(one) > 2 else {}))) for one in requests
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    desk.go.set()
    await first
    return await asyncio.gather(*sent, return_exceptions=True)


def run(desk, *requests, **limits):
    async def told():
        batcher = Batcher(desk, **limits)
        batcher.start()
        answers = await behind(desk, batcher, *requests)
        await batcher.close()
        return answers

    return asyncio.run(told())


def test_what_comes_while_a_batch_runs_shares_the_next_and_each_gets_its_own():
    desk = Desk()
    answers = run(desk, (rows("a", "b"), ()), (rows("c"), ()))
    assert answers == [["a", "b"], ["c"]]
    assert desk.batches == [["first"], ["a", "b", "c"]]


def test_one_id_never_stands_twice_in_a_batch():
    desk = Desk()
    assert run(desk, (rows("a"), ("a",)), (rows("a"), ("a",)), (rows("b"), ("b",))) == [["a"], ["a"], ["b"]]
    assert desk.batches == [["first"], ["a"], ["a", "b"]]


def test_a_strict_request_is_alone():
    desk = Desk()
    run(desk, (rows("a"), (), {"strict": True}), (rows("b"), ()), (rows("c"), (), {"strict": True}))
    assert desk.batches == [["first"], ["a"], ["b"], ["c"]]


def test_a_batch_grows_no_longer_than_allowed_and_nobody_is_overtaken():
    desk = Desk()
    run(desk, (rows("a", "b"), ()), (rows("c", "d"), ()), (rows("e"), ()), most_rows=3)
    assert desk.batches == [["first"], ["a", "b"], ["c", "d", "e"]]


def test_the_mistake_of_one_is_not_the_others():
    desk = Desk()
    good, bad, fine = run(desk, (rows("a"), ()), (rows("b", bad=True), ()), (rows("c"), ()))
    assert (good, fine) == (["a"], ["c"])
    assert isinstance(bad, InputError)


def test_an_error_nobody_foresaw_reaches_whoever_waits_and_the_next_batch_runs():
    desk = Desk()
    answers = run(desk, (rows("a", odd=True), ("x",)), (rows("b"), ("x",)))
    assert isinstance(answers[0], ZeroDivisionError)
    assert answers[1] == ["b"]


def test_beyond_the_limit_a_request_is_refused_before_it_costs_anything():
    desk = Desk()
    kept, refused = run(desk, (rows("a", "b"), ()), (rows("c", "d"), ()), most_waiting=3)
    assert kept == ["a", "b"]
    assert isinstance(refused, BusyError)
    assert desk.batches == [["first"], ["a", "b"]]


def test_where_those_ahead_would_take_too_long_a_request_is_refused_and_told_when_to_come_again():
    kept, refused = asyncio.run(_behind_slow_cases(most_wait_s=0.05))
    assert kept == ["a"]
    assert isinstance(refused, BusyError)
    assert refused.data["retry_after_s"] >= 1


def test_where_those_ahead_take_less_than_that_nobody_is_refused():
    assert asyncio.run(_behind_slow_cases(most_wait_s=60)) == [["a"], ["b"]]


async def _behind_slow_cases(*, most_wait_s):
    """Two requests behind a hundred cases of 0.002 s each: one that finds nobody waiting, and one more."""
    begun = threading.Event()

    def slowly(given_rows, _strict):
        begun.set()
        time.sleep(0.002 * len(given_rows))
        return [row["id"] for row in given_rows]

    batcher = Batcher(slowly, most_wait_s=most_wait_s)
    batcher.start()
    for count in (10, 100) * 5:
        await batcher.submit(rows(*range(count)))
    begun.clear()
    ahead = asyncio.create_task(batcher.submit(rows(*range(100))))
    assert await asyncio.to_thread(begun.wait, 10)
    sent = [asyncio.create_task(batcher.submit(rows(name))) for name in ("a", "b")]
    told = await asyncio.gather(*sent, return_exceptions=True)
    await ahead
    await batcher.close()
    return told


def test_callers_who_ask_again_at_once_share_their_batches():
    sizes = []

    def counted(given_rows, _strict):
        sizes.append(len(given_rows))
        time.sleep(0.02)
        return list(given_rows)

    async def asks(batcher, name):
        for count in range(20):
            await batcher.submit(rows(f"{name}-{count}"))

    async def told():
        batcher = Batcher(counted)
        batcher.start()
        await asyncio.gather(*(asks(batcher, name) for name in range(8)))
        await batcher.close()

    asyncio.run(told())
    assert sum(sizes) == 160
    assert sorted(sizes)[len(sizes) // 2] == 8


def test_what_waits_when_the_service_stops_is_decided_and_what_comes_later_is_refused():
    async def told():
        desk = Desk()
        batcher = Batcher(desk)
        batcher.start()
        first = asyncio.create_task(batcher.submit(rows("first")))
        assert await asyncio.to_thread(desk.begun.wait, 10)
        second = asyncio.create_task(batcher.submit(rows("second")))
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(ServiceDownError):
            await batcher.submit(rows("late"))
        desk.go.set()
        await closing
        return [await first, await second]

    assert asyncio.run(told()) == [["first"], ["second"]]


def test_a_request_that_nobody_waits_for_any_more_is_not_decided():
    async def told():
        desk = Desk()
        batcher = Batcher(desk)
        batcher.start()
        first = asyncio.create_task(batcher.submit(rows("first")))
        assert await asyncio.to_thread(desk.begun.wait, 10)
        gone = asyncio.create_task(batcher.submit(rows("gone")))
        await asyncio.sleep(0)
        gone.cancel()
        desk.go.set()
        await first
        await batcher.close()
        return desk.batches

    assert asyncio.run(told()) == [["first"]]


@given(st.lists(st.tuples(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.booleans()), max_size=12))
def test_whatever_is_asked_everyone_gets_the_answers_to_their_own_rows(asked):
    async def told():
        batcher = Batcher(Desk(held=False), most_rows=5)
        batcher.start()
        sent = [
            asyncio.create_task(batcher.submit(rows(*names), [str(name) for name in names], strict=strict))
            for names, strict in asked
        ]
        answers = await asyncio.gather(*sent)
        await batcher.close()
        return answers

    assert asyncio.run(told()) == [names for names, _ in asked]
