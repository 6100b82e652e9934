"""Late tickets climb in the book, in the trail and on the desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.review.moves import What
from hitl_mlops.review.roster import Roster
from hitl_mlops.review.ticket import TicketKind, TicketState
from tests.queue_room import QueueRoom, a_ladder


@pytest.fixture
def room() -> QueueRoom:
    return QueueRoom()


def test_a_ticket_nobody_answers_climbs_to_the_supervisor_and_expires(room):
    room.ask()
    assert [len(room.look(hours)) for hours in (12, 12, 24, 48)] == [1, 1, 1, 1]
    assert room.kinds()[1:] == [
        "tickets.reminded",
        "tickets.handed_up",
        "tickets.handed_up",
        "tickets.expired",
    ]
    last = room.ticket()
    assert (last.state, last.lane, last.skill, last.step) == (
        TicketState.EXPIRED,
        "supervisor",
        "supervisor",
        4,
    )
    assert room.desk.closed == {last.task_id}
    told = list(room.trail.entries())[2].read()
    assert told["refs"] == {"ticket": ["t_1"], "decision": ["d_1"]}
    assert told["facts"]["due_at"] == "2026-03-02T12:00:00.000000+00:00"


def test_a_ticket_that_expired_was_late(room):
    room.ask()
    begun = room.now
    room.look(96)
    assert room.tickets.late_since(begun, room.now) == (1, 1)


def test_a_reminder_is_counted_until_the_ticket_moves_on(room):
    room.ask()
    room.look(12)
    assert room.moves.reminded() == 1
    room.look(12)
    assert room.moves.reminded() == 0


def test_looking_twice_at_one_time_does_nothing_the_second_time(room):
    room.ask()
    assert len(room.look(48)) == 3
    size = room.trail.size()
    assert room.look() == []
    assert room.trail.size() == size


def test_the_desk_shows_where_the_ticket_lies_and_until_when(room):
    task = room.ask().task_id
    room.look(24)
    assert room.desk.data_of(task) == {"lane": "senior", "due": "2026-03-03 12:00 UTC"}


def test_a_ticket_that_waits_for_the_desk_climbs_too_and_is_pushed_where_it_lies(room):
    room.ask(push=False)
    room.look(24)
    room.push()
    ticket = room.ticket()
    assert (ticket.state, ticket.lane) == (TicketState.OPEN, "senior")
    assert room.desk.data_of(ticket.task_id)["lane"] == "senior"
    room.look()
    assert room.desk.data_of(ticket.task_id)["due"] == "2026-03-03 12:00 UTC"


def test_while_the_desk_is_down_tickets_climb_and_the_desk_is_told_later(room):
    task = room.ask().task_id
    up, room.desk = room.desk, Down()
    room.look(24)
    assert len(room.moves.not_shown()) == 1
    room.desk = up
    room.look()
    assert room.desk.data_of(task)["lane"] == "senior"
    assert room.moves.not_shown() == []


class Down(InMemoryDesk):
    def hand(self, changes):
        raise ServiceDownError(f"The desk does not take {len(changes)} changes.")


def test_a_desk_that_is_not_there_at_all_keeps_no_ticket_from_climbing(room):
    room.ask()

    def nowhere():
        raise ServiceDownError("Label Studio is not running.")

    room.wait(24)
    escalator = replace(room.escalator, desk=nowhere)
    assert len(escalator.climb(room.now)) == 2
    assert escalator.show() == ["Label Studio is not running."]
    assert len(room.moves.not_shown()) == 1


def test_an_expired_ticket_is_offered_to_nobody_and_an_answer_that_comes_all_the_same_is_not_lost(room):
    ticket = room.ask()
    room.escalator.climb(room.now + 96 * (room.ticket().due_at - room.now) / 24)
    room.escalator.show()
    assert room.desk.closed == {ticket.task_id}
    assert room.moves.not_shown() == []
    room.answer(ticket, "dan@x.org", "no")
    room.collect()
    assert room.answers.resolution_of(ticket.decision_id).label == "no"


def test_an_answer_that_was_given_before_the_end_and_comes_in_after_it_counts(room):
    ticket = room.ask()
    room.roster = Roster()
    room.now += (ticket.due_at - room.now) * 3.9
    room.answer(ticket, "dan@x.org", "no")
    room.now += (ticket.due_at - ticket.opened_at) * 0.2
    room.escalator.climb(room.now)
    assert "d_1" in room.moves.ended(["d_1"])
    room.collect()
    assert room.ticket().state is TicketState.RESOLVED
    assert room.moves.ended(["d_1"]) == {}
    assert room.answers.resolutions_of(["d_1"])["d_1"].label == "no"


def test_an_answer_given_before_the_step_counts_though_the_skill_is_asked_now(room):
    ticket = room.ask()
    room.now += (ticket.due_at - ticket.opened_at) * 0.99
    room.answer(ticket, "ann@x.org", "no")
    room.look(1)
    assert room.ticket().skill == "senior"
    room.collect()
    assert room.ticket().state is TicketState.RESOLVED


def test_a_decision_is_rejected_only_when_nobody_is_asked_about_it_any_more(room):
    room.ask()
    room.wait(12)
    later = {"opened_at": room.now, "due_at": room.now + timedelta(hours=24)}
    room.ask(name="adj", decision_id="d_1", kind=TicketKind.ADJUDICATION, **later)
    room.look(84)
    assert room.ticket().state is TicketState.EXPIRED
    assert room.moves.ended(["d_1"]) == {}
    room.look(100)
    assert room.moves.ended(["d_1"]).keys() == {"d_1"}


def test_a_spot_check_that_nobody_answers_closes_and_rejects_nothing(room):
    room.ask(kind=TicketKind.SPOT_CHECK)
    assert room.look(96)[-1].what is What.EXPIRED
    assert room.moves.ended(["d_1"]) == {}


def test_what_is_to_wait_waits_and_a_late_answer_counts(room):
    room.ladder = a_ladder("[{after: 100%, to: supervisor}, {after: 24h, then: wait}]")
    ticket = room.ask()
    assert [move.what.value for move in room.look(500)] == ["handed_up", "left_waiting"]
    room.answer(ticket, "dan@x.org", "yes")
    room.collect()
    assert room.ticket().state is TicketState.RESOLVED


def test_two_who_look_at_once_take_each_step_once(room):
    room.ask()
    room.now += (room.ticket().due_at - room.now) * 2
    decided = room.escalator.due(room.now)
    room.escalator.climb(room.now)
    ((ticket, moves),) = decided
    assert not room.moves.take(moves, before=ticket.step)
