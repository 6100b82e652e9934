"""The book of answers keeps the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from hitl_mlops.database.connect import Database
from hitl_mlops.overrides.book import AnswerBook, Watermark
from hitl_mlops.overrides.quarantine import Ruling
from hitl_mlops.review.desk import Cursor
from tests.collection_room import Room

PLACE = Cursor("2026-01-01T00:00:00.000000Z", 3)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def room(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'hitl.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    database = Database(url)
    database.create()
    yield Room(database)
    database.close()


def test_a_desk_never_read_has_no_watermark(room):
    assert room.book.watermark("desk:1") == Watermark()


def test_the_watermark_moves_only_from_where_it_was_read(room):
    assert room.book.move("desk:1", Watermark(PLACE))
    assert not room.book.move("desk:1", Watermark(PLACE))
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert room.book.move("desk:1", Watermark(PLACE, now, generation=1))
    assert room.book.watermark("desk:1") == Watermark(PLACE, now, 2)
    assert room.book.watermark("desk:2") == Watermark()


def test_of_many_who_move_the_watermark_at_once_one_succeeds(room):
    moved = []
    start = threading.Barrier(4)

    def move():
        start.wait()
        moved.append(room.book.move("desk:1", Watermark(PLACE)))

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(moved) == [False, False, False, True]


def test_answers_and_resolutions_come_back_as_they_were_kept(room):
    room.desk.answer(room.ask("a"), label="2", reason_code="wrong_class")
    room.desk.answer(room.ask("b"), label="1", seconds=None)
    brought = room.collector.collect()
    [resolution] = brought.resolved
    assert room.book.resolutions() == [resolution]
    assert room.book.resolution_of("d_a") == resolution
    kept = room.book.answer(resolution.answer_keys[0])
    assert kept.answer in room.desk.answers[int(kept.answer.task_id)].values()
    assert [one.reasons for one in room.book.quarantined()] == [brought.quarantined[0].reasons]


def test_edits_deletions_and_rulings_leave_the_same_book(room):
    edited = room.desk.answer(room.ask("a"), label="2")
    deleted = room.desk.answer(room.ask("b"), label="2")
    room.desk.answer(room.ask("c"), label="2", seconds=None)
    strange = "\x00\ud800" * 300
    room.desk.answer(room.ask("e"), label=strange, rationale=strange, reason_code=strange)
    room.collector.collect()
    room.desk.edit(edited, label="3")
    room.desk.delete(deleted)
    room.collector.collect()
    waiting = {one.answer.ticket_id: one.key for one in room.quarantine.waiting()}
    room.quarantine.release(waiting["t_c"], Ruling("r3", "timer was broken", room.desk.now))
    room.quarantine.drop(waiting["t_e"], Ruling("r3", "nonsense", room.desk.now))
    room.collector.sweep()
    assert room.labels() == {"d_a": "3", "d_c": "2"}
    assert {one.decision_id for one, _ in room.book.withdrawn()} == {"d_a", "d_b"}
    assert room.quarantine.waiting() == []


def test_more_answers_than_one_query_may_name_are_found(room):
    assert AnswerBook(room.database).answers_of("desk:1", [str(number) for number in range(70_000)]) == {}


def test_the_times_of_accepted_answers_come_back_in_order(room):
    room.desk.answer(room.ask("a"), label="2", reason_code="wrong_class")
    room.collector.collect()
    (found,) = room.book.timed()
    (kept,) = room.book.answers_since(datetime(2020, 1, 1, tzinfo=UTC))
    assert (found.at, found.seconds) == (kept.answer.answered_at, kept.answer.seconds)
    assert room.book.timed(found.at) == [found]
    assert room.book.timed(found.at + timedelta(microseconds=1)) == []
