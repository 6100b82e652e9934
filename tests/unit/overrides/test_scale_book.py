"""Scales are kept, and a ticket is weighed by the one in force when it was opened."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hitl_mlops.overrides.record import Method
from hitl_mlops.overrides.scale import Weighing
from hitl_mlops.overrides.scale_book import ScaleBook, Wanted
from tests.collection_room import Room

WEIGHTED = Wanted(Weighing.WEIGHTED, 0.8)


def several_answers(room: Room, cases: int = 60) -> None:
    """Of each three, ann and bob agree, and cid says something else every other time."""
    for number in range(cases):
        task = room.ask(f"many{number}", 3)
        label = str(1 + number % 3)
        for name in ("ann", "bob"):
            room.desk.answer(task, f"{name}@x.org", label)
        room.desk.answer(task, "cid@x.org", label if number % 2 else str(1 + (number + 1) % 3))
    room.collector.collect()


def renew(room: Room, wanted: Wanted):
    return ScaleBook(room.database).renew(wanted, room.trail, now=room.desk.now, actor="test")


def test_without_a_policy_for_it_nothing_is_made(room: Room) -> None:
    several_answers(room)
    assert renew(room, Wanted()) is None
    assert ScaleBook(room.database).latest() is None


def test_a_scale_comes_back_as_it_was_kept_and_is_told_to_the_trail(room: Room) -> None:
    several_answers(room)
    made = renew(room, WEIGHTED)
    assert made == ScaleBook(room.database).latest()
    assert sorted(made.people) == ["r0", "r1", "r2"]
    assert room.kinds().count("scale.made") == 1


def test_it_is_made_anew_after_a_day_or_when_the_policy_changes_and_not_before(room: Room) -> None:
    several_answers(room)
    first = renew(room, WEIGHTED)
    room.wait(hours=23)
    assert renew(room, WEIGHTED) is None
    room.wait(hours=1)
    assert renew(room, WEIGHTED) is not None
    room.wait(minutes=1)
    assert renew(room, Wanted(Weighing.WEIGHTED, 0.9)) is not None
    room.wait(minutes=1)
    assert renew(room, Wanted()).method is Weighing.MAJORITY
    assert renew(room, Wanted()) is None
    assert first is not None


def test_a_ticket_opened_before_goes_by_the_majority(room: Room) -> None:
    several_answers(room)
    room.wait(minutes=1)
    made = renew(room, WEIGHTED)
    before = room.ask("before", opened_at=room.desk.now - timedelta(minutes=1))
    after = room.ask("after", opened_at=room.desk.now)
    for task in (before, after):
        room.desk.answer(task, "cid@x.org", "2")
        room.desk.answer(task, "ann@x.org", "1")
    found = room.collector.collect()
    assert list(ScaleBook(room.database).of(["t_before", "t_after"]).values()) == [made]
    [one] = found.resolved
    assert (one.ticket_id, one.label, one.method) == ("t_after", "1", Method.WEIGHTED)
    assert found.disagreements == ("t_before",)


@pytest.mark.parametrize("count", [1, 49])
def test_too_few_cases_make_none(room: Room, count: int) -> None:
    several_answers(room, count)
    assert renew(room, WEIGHTED) is None
