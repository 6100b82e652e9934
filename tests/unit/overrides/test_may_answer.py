"""Answers of people whom the ticket does not ask are refused, and can be released."""

from __future__ import annotations

import sqlalchemy as sa

from hitl_mlops.database.tables import tickets
from hitl_mlops.overrides.quarantine import Ruling
from hitl_mlops.overrides.reasons import Reason
from hitl_mlops.review.roster import Person, Roster
from tests.collection_room import Room

PEOPLE = (Person("r0", "ann@x.org"), Person("r1", "bob@x.org", skills=("senior",)))


def ask(room: Room, **asked: str) -> int:
    room.roster = Roster(PEOPLE)
    task = room.ask()
    with room.database.transaction() as connection:
        connection.execute(sa.update(tickets).values(**asked))
    return task


def test_who_lacks_the_skill_is_refused_and_who_has_it_counts(room):
    task = ask(room, skill="senior")
    room.desk.answer(task, "ann@x.org", "2")
    (refused,) = room.collector.collect().quarantined
    assert refused.reasons == (Reason.LACKS_SKILL,)
    room.desk.answer(task, "bob@x.org", "3")
    room.collector.collect()
    assert room.labels() == {"d_1": "3"}


def test_a_ticket_meant_for_one_person_takes_that_persons_answer_only(room):
    task = ask(room, meant_for="r1")
    room.desk.answer(task, "ann@x.org", "2")
    (refused,) = room.collector.collect().quarantined
    assert refused.reasons == (Reason.MEANT_FOR_ANOTHER,)
    room.desk.answer(task, "bob@x.org", "3")
    room.collector.collect()
    assert room.labels() == {"d_1": "3"}


def test_such_an_answer_can_be_released(room):
    task = ask(room, skill="senior")
    room.desk.answer(task, "ann@x.org", "2")
    room.collector.collect()
    (held,) = room.quarantine.waiting()
    room.quarantine.release(held.key, Ruling("r1", "she may, this once", room.desk.now))
    assert room.labels() == {"d_1": "2"}


def test_without_a_roster_no_skill_is_compared(room):
    task = ask(room, skill="senior")
    room.roster = Roster()
    room.desk.answer(task, "ann@x.org", "2")
    room.collector.collect()
    assert room.labels() == {"d_1": "2"}


def test_an_answer_that_counted_goes_on_counting_when_the_skill_is_lost(room):
    task = ask(room, skill="senior")
    room.desk.answer(task, "bob@x.org", "2")
    room.collector.collect()
    room.roster = Roster(tuple(Person(one.person_id, one.account) for one in PEOPLE))
    room.desk.answer(task, "ann@x.org", "3")  # the task is screened again
    assert len(room.collector.collect().quarantined) == 1
    assert room.labels() == {"d_1": "2"}
