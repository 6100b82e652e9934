"""How far a ticket has climbed depends on its times and on who passed it up, not on who looks when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.queueing.ladder import NEVER, climb
from hitl_mlops.review.moves import What
from hitl_mlops.review.ticket import TicketKind, TicketState
from tests.builders import NOW
from tests.queue_room import HOUR, a_ladder, a_ticket

LADDER = a_ladder()


def steps(hours: float, **changes: object) -> list[tuple[int, str, str, str | None]]:
    moves = climb(a_ticket(**changes), LADDER, NOW + hours * HOUR)
    return [(move.step, move.what.value, move.lane, move.skill) for move in moves]


def test_nothing_is_due_before_the_first_step():
    assert steps(11.9) == []


@pytest.mark.parametrize(
    ("hours", "last"),
    [
        (12, (1, "reminded", "standard", None)),
        (24, (2, "handed_up", "senior", "senior")),
        (48, (3, "handed_up", "supervisor", "supervisor")),
        (96, (4, "expired", "supervisor", "supervisor")),
    ],
)
def test_each_step_is_taken_at_its_moment(hours, last):
    assert steps(hours)[-1] == last
    assert len(steps(hours - 0.01)) == last[0] - 1


def test_who_looks_late_finds_every_step_with_the_time_at_which_it_was_due():
    moves = climb(a_ticket(), LADDER, NOW + 500 * HOUR)
    assert [(move.due_at - NOW) / HOUR for move in moves] == [12, 24, 48, 96]
    assert {move.happened_at for move in moves} == {NOW + 500 * HOUR}
    assert [move.until and (move.until - NOW) / HOUR for move in moves] == [24, 48, 96, None]


def test_steps_that_were_taken_are_not_taken_again():
    assert steps(48, step=2, lane="senior", skill="senior") == [(3, "handed_up", "supervisor", "supervisor")]
    assert steps(48, step=3) == []


@pytest.mark.parametrize(
    "kind", [TicketKind.SHADOW, TicketKind.LEARNING, TicketKind.SEED, TicketKind.CALIBRATION]
)
def test_what_nobody_waits_for_does_not_climb(kind):
    assert steps(500, kind=kind) == []


def test_a_complaint_is_heard_however_late():
    assert steps(500, kind=TicketKind.COMPLAINT)[-1][1] == What.LEFT_WAITING
    assert steps(500, kind=TicketKind.COMPLAINT, step=4) == []


def test_a_step_never_asks_for_less_than_before():
    assert steps(24, lane="boss", skill="supervisor")[-1] == (2, "reminded", "boss", "supervisor")
    assert steps(24, lane="senior", skill="senior")[-1] == (2, "reminded", "senior", "senior")
    assert steps(24, skill="cards")[-1] == (2, "handed_up", "senior", "senior")


def test_one_that_is_open_again_after_it_expired_expires_again():
    again = replace(a_ticket(step=4), state=TicketState.OPEN)
    (move,) = climb(again, LADDER, NOW + 100 * HOUR)
    assert (move.step, move.what) == (4, What.EXPIRED)


def test_steps_whose_times_cross_are_taken_in_the_order_of_the_file():
    ladder = a_ladder("[{after: 500%, to: senior}, {after: 1h, to: supervisor}]")
    moves = climb(a_ticket(), ladder, NOW + 120 * HOUR)
    assert [(move.lane, (move.due_at - NOW) / HOUR) for move in moves] == [
        ("senior", 120),
        ("supervisor", 120),
    ]


def test_a_step_beyond_the_calendar_never_comes():
    ladder = a_ladder("[{after: 9999%, to: senior}]")
    late = a_ticket(due_at=NOW + timedelta(days=36500))
    assert ladder.moments(late.opened_at, late.due_at) == [NEVER]


def test_a_ladder_is_named_by_its_steps():
    assert a_ladder().ladder_id == LADDER.ladder_id
    assert a_ladder("[{after: 1h, then: wait}]").ladder_id != LADDER.ladder_id


def test_without_a_ladder_nothing_climbs():
    assert climb(a_ticket(), a_ladder("[]"), NOW + 500 * HOUR) == []
