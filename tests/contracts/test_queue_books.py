"""The books of steps and claims keep the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading

import pytest

from hitl_mlops.review.claims import Ending
from hitl_mlops.review.ticket import TicketState
from tests.queue_room import HandingRoom


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def room(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'hitl.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    made = HandingRoom(url=url)
    yield made
    made.database.close()


def test_a_ticket_climbs_step_by_step_and_expires(room):
    room.ask()
    steps = [room.look(hours) for hours in (12, 12, 24, 48)]
    assert [len(one) for one in steps] == [1, 1, 1, 1]
    assert room.moves.of(["t_1"]) == {"t_1": [move for step in steps for move in step]}
    assert room.ticket().state is TicketState.EXPIRED
    assert room.moves.ended(["d_1", "d_2"])["d_1"].at == room.now
    assert room.moves.not_shown() == []
    assert room.moves.reminded() == 0


def test_of_two_who_decided_the_same_steps_one_takes_them(room):
    room.ask()
    room.wait(24)
    [(ticket, moves)] = room.escalator.due(room.now)
    assert room.moves.take(moves, before=ticket.step)
    assert not room.moves.take(moves, before=ticket.step)
    assert len(room.moves.of(["t_1"])["t_1"]) == 2


def test_a_claim_is_kept_shown_and_ended(room):
    room.ask()
    (made,) = room.hand_out().made
    assert room.claims.standing() == [made]
    assert room.claims.not_shown() == []
    room.wait(2)
    (ended,) = room.hand_out().ended
    assert (ended.ending, ended.ended_at) == (Ending.EXPIRED, room.now)
    assert ended in room.claims.of(["t_1"])[made.task_id]
    assert room.claims.met(room.now) == {}


def test_of_many_who_ask_for_work_at_once_no_two_get_the_same(room):
    for number in range(6):
        room.ask(name=str(number))
    start, handed = threading.Barrier(2), []

    def ask(person):
        start.wait()
        handed.extend(room.hands.run(room.now, to=person, count=4).made)

    threads = [threading.Thread(target=ask, args=[person]) for person in ("r1", "r2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(handed) == 6
    assert len({one.task_id for one in handed}) == 6
