"""What every breaker board must do: the twin, SQLite in a file, PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.errors import NotFoundError
from hitl_mlops.routing.breaker import BreakerState
from hitl_mlops.routing.breaker_board import next_breaker_id
from hitl_mlops.routing.breaker_board_in_memory import InMemoryBreakerBoard
from hitl_mlops.routing.breaker_board_sql import SqlBreakerBoard
from hitl_mlops.routing.switches import Scope
from tests.builders import NOW
from tests.guard_builders import a_breaker, a_guard_board

REAL = pytest.mark.real


@pytest.fixture(params=["twin", pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def board(request, tmp_path):
    if request.param == "twin":
        yield InMemoryBreakerBoard()
        return
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    yield SqlBreakerBoard(database)
    database.close()


def test_an_empty_board_holds_nothing_back(board):
    assert (board.standing(), board.breakers(), next_breaker_id(board.breakers())) == ([], [], "b1")


def test_what_was_kept_is_read_back_equal(board):
    odd = a_breaker(
        breaker_id="b2",
        scope=Scope("branch", 'é"\n𝄞 = far'),
        figures={"override_rate": 1 / 3, "calibration_gap": 0.1},
        answers=7,
    )
    board.keep(a_breaker())
    board.keep(odd)

    assert board.standing() == board.breakers() == [a_breaker(), odd]
    assert board.get("b2") == odd
    assert next_breaker_id(board.breakers()) == "b3"


@pytest.mark.parametrize("state", BreakerState)
def test_one_that_is_kept_again_takes_the_place_of_the_old_one(board, state):
    board.keep(a_breaker())
    changed = replace(a_breaker(), state=state, until=None, counts_from=NOW + timedelta(hours=1))
    board.keep(changed)

    assert board.breakers() == [changed]
    assert board.standing() == ([] if state is BreakerState.CLOSED else [changed])


@pytest.mark.parametrize("name", ["b2", "b", "", "1", "s1", "b01x", "b\u0661", "b99999999999999999999"])
def test_a_breaker_that_is_not_there_is_told_with_those_that_are_not_closed(board, name):
    board.keep(a_breaker())

    with pytest.raises(NotFoundError, match="no breaker") as told:
        board.get(name)
    assert "b1" in told.value.remedy


def test_more_than_nine_stay_in_order(board):
    made = [a_breaker(breaker_id=f"b{number}") for number in range(1, 13)]
    for one in made:
        board.keep(one)

    assert board.standing() == made


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TABLE breakers",
        "ALTER TABLE breakers RENAME COLUMN scope TO what",
        "UPDATE breakers SET state = 'dozing'",
        "UPDATE breakers SET since = 'yesterday'",
    ],
)
def test_a_board_that_cannot_be_read_is_told_apart_from_an_empty_one(tmp_path, harm):
    database = Database(f"sqlite:///{tmp_path}/hitl.db")
    database.create()
    board = SqlBreakerBoard(database)
    board.keep(a_breaker())
    with database.transaction() as connection:
        connection.execute(sa.text(harm))
    all_guards = a_guard_board(breakers=board)

    with database.transaction() as connection:
        assert all_guards.read(None, NOW).breakers is None
        connection.execute(sa.text("CREATE TABLE still_whole (one INTEGER)"))
    with database.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM still_whole")).scalar() == 0
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=REAL)])
def test_whoever_changes_a_breaker_waits_for_a_batch_that_has_read_the_board(kind, request, tmp_path):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/hitl.db"
    deciding, looking = Database(url), Database(url)
    deciding.create()
    board, done = SqlBreakerBoard(looking), threading.Event()

    def opens():
        board.keep(a_breaker())
        done.set()

    thread = threading.Thread(target=opens)
    with deciding.transaction():
        assert SqlBreakerBoard(deciding).standing() == []
        thread.start()
        assert not done.wait(0.3)
    thread.join(30)

    assert done.is_set()
    assert SqlBreakerBoard(deciding).standing() == [a_breaker()]
    deciding.close()
    looking.close()
