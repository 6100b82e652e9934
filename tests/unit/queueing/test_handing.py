"""Sheets are somebody's for a while: in the book, in the trail, on the desk, and for the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hitl_mlops.errors import NotFoundError, RefusedError, ServiceDownError
from hitl_mlops.overrides.reasons import Reason
from hitl_mlops.queueing.handing import Handed
from hitl_mlops.review.claims import Ending
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.review.ticket import TicketKind
from tests.queue_room import HandingRoom


@pytest.fixture
def room() -> HandingRoom:
    return HandingRoom()


def other(person: str) -> str:
    return "bob@x.org" if person == "r1" else "ann@x.org"


def test_a_ticket_is_handed_out_once_shown_on_the_desk_and_told(room):
    room.ask()
    (made,) = room.hand_out().made
    assert made.person in ("r1", "r2")
    assert room.on_the_desk() == made.person
    assert room.hand_out() == Handed(free=0, pages={})
    told = list(room.trail.entries())[-1].read()
    assert (told["kind"], told["refs"]) == ("tickets.claimed", {"ticket": ["t_1"], "person": [made.person]})


def test_somebody_elses_answer_is_refused_while_the_claim_runs_and_counts_afterwards(room):
    ticket = room.ask()
    (made,) = room.hand_out().made
    room.answer(ticket, other(made.person), "no")
    room.collect()
    assert [one.reasons for one in room.answers.quarantined()] == [(Reason.CLAIMED_BY_ANOTHER,)]
    second = room.ask(name="2")
    (made,) = room.hand_out().made
    room.wait(2)
    room.answer(second, other(made.person), "no")
    room.collect()
    assert room.ticket("2").state == "resolved"


def test_the_holders_answer_counts_and_ends_the_claim(room):
    ticket = room.ask()
    (made,) = room.hand_out().made
    room.answer(ticket, f"{'ann' if made.person == 'r1' else 'bob'}@x.org", "no")
    room.collect()
    (ended,) = room.hand_out().ended
    assert ended.ending is Ending.DONE
    assert room.claims.standing() == []


def test_what_lapsed_goes_to_another(room):
    room.ask()
    (first,) = room.hand_out().made
    room.wait(2)
    handed = room.hand_out()
    assert [one.ending for one in handed.ended] == [Ending.EXPIRED]
    (second,) = handed.made
    assert second.person != first.person
    assert room.on_the_desk() == second.person
    assert "tickets.given_back" in room.kinds()


def test_each_signature_is_another_persons(room):
    room.ask(signatures=2)
    made = room.hand_out().made
    assert {one.person for one in made} == {"r1", "r2"}
    assert len({one.task_id for one in made}) == 2


def test_who_asks_for_work_gets_as_much_as_they_want_and_gives_it_back(room):
    for name in "123":
        room.ask(name=name)
    assert len(room.hand_out(to="r1", count=2).made) == 2
    assert len(room.hand_out(to="r1", count=1).made) == 1
    (mine, *_) = room.claims.standing()
    assert room.hands.give_back("r1", [mine.ticket_id], room.now) == [mine]
    assert room.on_the_desk(mine.ticket_id.removeprefix("t_")) == ""
    assert len(room.hands.give_back("r1", [], room.now)) == 2
    with pytest.raises(RefusedError, match="r1 does not have t_1"):
        room.hands.give_back("r1", ["t_1"], room.now)
    with pytest.raises(NotFoundError, match="Nobody active"):
        room.hand_out(to="ann@x.org")


def test_a_ticket_that_climbs_is_taken_from_who_lacks_the_skill(room):
    room.ask()
    room.wait(23)
    (first,) = room.hand_out().made
    assert first.person in ("r1", "r2")
    room.look(1)
    handed = room.hand_out()
    assert [one.ending for one in handed.ended] == [Ending.MOVED]
    assert [one.person for one in handed.made] == ["s1"]


def test_an_expired_ticket_is_nobodys(room):
    room.ask()
    room.look(96)
    assert room.hand_out() == Handed(free=0, pages={})


def test_while_the_desk_is_down_people_have_their_tickets_and_it_is_told_later(room):
    room.ask()
    up, room.desk = room.desk, Down()
    assert room.hand_out().notes == ("The desk does not take 1 changes.",)
    assert room.holder() != ""
    room.desk = up
    assert room.on_the_desk() == ""
    room.hand_out()
    assert room.on_the_desk() == room.holder()


class Down(InMemoryDesk):
    def hand(self, changes):
        raise ServiceDownError(f"The desk does not take {len(changes)} changes.")


@pytest.mark.parametrize("person", ["r1", "r2"])
def test_an_exercise_goes_to_nobody_who_answered_about_the_case_before(room, person):
    room.ask(kind=TicketKind.SEED)
    hands = replace(room.hands, seen=lambda ids: {one: [person] for one in ids})
    (made,) = hands.run(room.now).made
    assert made.person == ("r2" if person == "r1" else "r1")
