"""What every book of deliveries that were heard must do: the twin, SQLite in a file, PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import heard_deliveries
from hitl_mlops.webhooks.book import REMEMBERED_FOR
from hitl_mlops.webhooks.book_in_memory import InMemoryHeardBook
from hitl_mlops.webhooks.book_sql import SqlHeardBook
from tests.builders import NOW

REAL = pytest.mark.real
DATABASES = ["sqlite", pytest.param("postgres", marks=REAL)]


def address(kind, request, folder):
    return request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{folder}/hitl.db"


@pytest.fixture(params=["twin", pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def book(request, tmp_path):
    if request.param == "twin":
        yield InMemoryHeardBook()
        return
    database = Database(address(request.param, request, tmp_path))
    database.create()
    yield SqlHeardBook(database)
    database.close()


def test_a_delivery_is_new_once(book):
    assert [book.hear("d-1", NOW), book.hear("d-2", NOW), book.hear("d-1", NOW)] == [True, True, False]


def test_it_is_remembered_for_24_hours_from_when_it_came_first(book):
    assert book.hear("d-1", NOW)
    assert not book.hear("d-1", NOW + timedelta(hours=12))
    assert not book.hear("d-1", NOW + REMEMBERED_FOR)
    assert book.hear("d-1", NOW + REMEMBERED_FOR + timedelta(seconds=1))


def test_a_clock_that_was_set_back_forgets_nothing(book):
    assert book.hear("d-1", NOW)
    assert not book.hear("d-1", NOW - timedelta(days=2))


@pytest.mark.parametrize("kind", DATABASES)
def test_it_is_remembered_across_a_restart_and_old_ones_are_deleted(kind, request, tmp_path):
    url = address(kind, request, tmp_path)
    for later, is_new in ((0, True), (1, False), (30, True)):
        database = Database(url)
        database.create()
        assert SqlHeardBook(database).hear("d-1", NOW + timedelta(hours=later)) is is_new
        database.close()
    database = Database(url)
    SqlHeardBook(database).hear("d-2", NOW + timedelta(hours=60))
    with database.reading() as connection:
        assert connection.execute(sa.select(heard_deliveries.c.delivery_id)).scalars().all() == ["d-2"]
    database.close()


@pytest.mark.parametrize("kind", DATABASES)
def test_of_many_workers_that_hear_it_at_once_it_is_new_to_one(kind, request, tmp_path):
    url = address(kind, request, tmp_path)
    databases = [Database(url) for _ in range(4)]
    databases[0].create()
    with ThreadPoolExecutor(4) as workers:
        for number in range(10):
            hears = [workers.submit(SqlHeardBook(one).hear, f"d-{number}", NOW) for one in databases]
            assert sorted(one.result() for one in hears) == [False, False, False, True]
    for one in databases:
        one.close()
