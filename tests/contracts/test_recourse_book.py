"""What every book of recourse must do: the twin, SQLite in a file, PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.database.connect import Database
from hitl_mlops.errors import InputError, NotFoundError
from hitl_mlops.recourse.book_in_memory import InMemoryRecourseBook
from hitl_mlops.recourse.book_sql import SqlRecourseBook
from hitl_mlops.recourse.record import Complaint, How, Request, TakenBack
from tests.builders import NOW
from tests.recourse_builders import a_word, an_outcome

REAL = pytest.mark.real


@pytest.fixture(params=["twin", pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def book(request, tmp_path):
    if request.param == "twin":
        yield InMemoryRecourseBook()
        return
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    yield SqlRecourseBook(database)
    database.close()


def a_complaint(name="com_1", decision_id="d_1", **changes):
    return Complaint(name, decision_id, a_word(**changes), f"t_{name}")


def test_an_empty_book_knows_of_nothing(book):
    assert (book.taken_back(["d_1"]), book.outcomes(["d_1"]), book.revisions("d_1")) == ({}, {}, [])
    assert book.complaints("d_1") == []
    assert book.remembered(Request("k", "b")) is None


def test_what_was_taken_back_is_read_back_equal_and_stays_as_it_was(book):
    first = TakenBack("d_1", How.HALTED, a_word(reason='é"\n𝄞'))
    book.take_back(first)
    book.take_back(TakenBack("d_2", How.REVERSED, a_word(by="p_9")))
    book.take_back(replace(first, word=a_word(reason="again")))

    assert book.taken_back(["d_1", "d_3", "d_1"]) == {"d_1": first}
    assert set(book.taken_back(["d_1", "d_2"])) == {"d_1", "d_2"}


def test_the_latest_revision_of_an_outcome_holds_and_all_are_kept(book):
    first, second = an_outcome(revision=1), an_outcome(revision=2, label="no", by=None)
    for one in (second, first, replace(first, label="other")):
        book.tell(one)
    book.tell(an_outcome(decision_id="d_2"))

    assert book.revisions("d_1") == [first, second]
    assert book.outcomes(["d_1", "d_2", "d_3"]) == {"d_1": second, "d_2": an_outcome(decision_id="d_2")}


def test_outcomes_of_many_decisions_are_read_at_once(book):
    told = {f"d_{number}": an_outcome(decision_id=f"d_{number}") for number in range(1_100)}
    for one in list(told.values())[::7]:
        book.tell(one)

    assert book.outcomes(iter(told)) == dict(list(told.items())[::7])


def test_a_complaint_is_kept_once_and_found_by_its_decision(book):
    later = a_complaint("com_0", at=NOW + timedelta(minutes=1))
    assert book.complain(later)
    assert book.complain(a_complaint())
    assert not book.complain(a_complaint(reason="in other words"))
    assert book.complain(a_complaint("com_2", "d_2"))

    assert book.complaints("d_1") == [a_complaint(), later]
    assert book.complaint("com_2") == a_complaint("com_2", "d_2")
    with pytest.raises(NotFoundError, match="com_9"):
        book.complaint("com_9")


def test_a_request_is_remembered_with_what_it_made_and_its_key_says_nothing_else(book):
    book.remember(Request("k", "b"), "out_1", NOW)
    book.remember(Request("k", "b"), "out_2", NOW)

    assert book.remembered(Request("k", "b")) == "out_1"
    assert book.remembered(Request("k2", "b")) is None
    with pytest.raises(InputError, match="another request"):
        book.remembered(Request("k", "c"))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=REAL)])
def test_whoever_has_the_turn_lets_others_wait(kind, request, tmp_path):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/hitl.db"
    first, second = Database(url), Database(url)
    first.create()
    done = threading.Event()

    def next_one():
        with second.transaction():
            SqlRecourseBook(second).turn("d_1", "k")
            assert SqlRecourseBook(second).revisions("d_1") == [an_outcome()]
            done.set()

    thread = threading.Thread(target=next_one)
    with first.transaction():
        SqlRecourseBook(first).turn("k", "d_1")
        thread.start()
        assert not done.wait(0.3)
        SqlRecourseBook(first).tell(an_outcome())
    thread.join(30)
    assert done.is_set()
    first.close()
    second.close()


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def test_of_many_revisions_told_at_once_none_is_lost_or_doubled(kind, request, tmp_path):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    start = threading.Barrier(6)

    def tell():
        book = SqlRecourseBook(database)
        start.wait()
        for _ in range(5):
            with database.transaction():
                book.turn("d_1")
                number = len(book.revisions("d_1")) + 1
                book.tell(an_outcome(revision=number))

    threads = [threading.Thread(target=tell) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one.revision for one in SqlRecourseBook(database).revisions("d_1")] == list(range(1, 31))
    database.close()
