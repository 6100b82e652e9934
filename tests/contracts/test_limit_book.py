"""What every limit book must do: the twin, SQLite in a file, PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.database.connect import Database
from hitl_mlops.routing.limit_book_in_memory import InMemoryLimitBook
from hitl_mlops.routing.limit_book_sql import SqlLimitBook
from hitl_mlops.routing.switches import Scope
from tests.builders import NOW
from tests.guard_builders import a_limit

REAL = pytest.mark.real
DATABASES = ["sqlite", pytest.param("postgres", marks=REAL)]


@pytest.fixture(params=["twin", pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def book(request, tmp_path):
    if request.param == "twin":
        yield InMemoryLimitBook()
        return
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    yield SqlLimitBook(database)
    database.close()


def used(book, *limits, after=timedelta(0)):
    return [one.used for one in book.budgets(limits, NOW + after)]


def test_nothing_is_used_at_first(book):
    assert used(book, a_limit(), a_limit(scope=Scope("label", "yes"))) == [0, 0]
    assert book.budgets([], NOW) == []


def test_what_is_added_is_used_by_that_limit_alone(book):
    other = a_limit(scope=Scope("branch", "north"))
    book.add({a_limit(): 3}, NOW)
    book.add({a_limit(): 4, other: 5}, NOW + timedelta(minutes=10))

    assert used(book, a_limit(), other, after=timedelta(minutes=10)) == [7, 5]


def test_another_number_for_the_same_scope_and_time_goes_on_counting(book):
    book.add({a_limit(): 3}, NOW)
    smaller, longer = replace(a_limit(), at_most=2), replace(a_limit(), per=timedelta(hours=2))

    assert used(book, smaller, longer) == [3, 0]
    assert book.budgets([smaller], NOW)[0].left == 0


def test_it_counts_for_its_time_and_at_most_a_sixtieth_longer(book):
    book.add({a_limit(): 3}, NOW + timedelta(seconds=59))

    assert used(book, a_limit(), after=timedelta(minutes=60)) == [3]
    assert used(book, a_limit(), after=timedelta(minutes=62)) == [0]


def test_a_clock_that_was_set_back_makes_no_room(book):
    book.add({a_limit(): 3}, NOW)

    assert used(book, a_limit(), after=timedelta(hours=-5)) == [3]


def test_old_counts_are_forgotten_and_newer_ones_kept(book):
    for hour in range(6):
        book.add({a_limit(): 1}, NOW + timedelta(hours=hour))

    assert used(book, a_limit(), after=timedelta(hours=5)) == [2]


@pytest.mark.parametrize("kind", DATABASES)
def test_two_who_decide_at_once_never_spend_the_same_budget(kind, request, tmp_path):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/hitl.db"
    first, second = Database(url), Database(url)
    first.create()
    found, done = [], threading.Event()

    def decides():
        with second.transaction():
            book = SqlLimitBook(second)
            found.extend(used(book, a_limit()))
            book.add({a_limit(): 1}, NOW)
        done.set()

    thread = threading.Thread(target=decides)
    with first.transaction():
        assert used(SqlLimitBook(first), a_limit()) == [0]
        thread.start()
        assert not done.wait(0.3)
        SqlLimitBook(first).add({a_limit(): 10}, NOW)
    thread.join(30)

    assert found == [10]
    assert used(SqlLimitBook(first), a_limit()) == [11]
    first.close()
    second.close()


@pytest.mark.parametrize("kind", DATABASES)
def test_what_is_rolled_back_was_not_used(kind, request, tmp_path):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    book = SqlLimitBook(database)

    def fails():
        with database.transaction():
            book.add({a_limit(): 10}, NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()

    assert used(book, a_limit()) == [0]
    database.close()
