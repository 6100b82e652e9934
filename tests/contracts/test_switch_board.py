"""What every switch board must do: the twin, SQLite in a file, PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.errors import NotFoundError, RefusedError
from hitl_mlops.routing.switch_board import read_standing
from hitl_mlops.routing.switch_board_in_memory import InMemorySwitchBoard
from hitl_mlops.routing.switch_board_sql import SqlSwitchBoard
from hitl_mlops.routing.switches import Order, Scope, lifted
from tests.builders import NOW

REAL = pytest.mark.real


def an_order(**changes):
    return Order(**({"by": "r1", "reason": "odd answers", "at": NOW} | changes))


def later(minutes=5, by="r2"):
    return an_order(by=by, reason="mended", at=NOW + timedelta(minutes=minutes))


@pytest.fixture(params=["twin", pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def board(request, tmp_path):
    if request.param == "twin":
        yield InMemorySwitchBoard()
        return
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    yield SqlSwitchBoard(database)
    database.close()


def test_an_empty_board_freezes_nothing(board):
    assert (board.standing(), board.switches(), read_standing(board)) == ([], [], ())


def test_what_was_set_is_on_and_read_back_equal(board):
    everything = board.add(Scope(), an_order(reason='é"\n𝄞'))
    north = board.add(Scope("branch", "north = far"), an_order(by="r2"))

    assert [everything.switch_id, north.switch_id] == ["s1", "s2"]
    assert board.standing() == board.switches() == [everything, north]
    assert board.get("s2") == north
    assert (north.scope, north.by, north.at, north.is_on) == (Scope("branch", "north = far"), "r2", NOW, True)


def test_the_same_scope_twice_is_two_switches(board):
    first, second = board.add(Scope(), an_order()), board.add(Scope(), an_order())
    board.lift(lifted(first, later(), two_people=False))

    assert board.standing() == [second]


def test_what_was_lifted_is_off_and_remembered(board):
    off = lifted(board.add(Scope("model", "3"), an_order()), later(), two_people=True)
    board.lift(off)

    assert board.standing() == []
    assert board.switches() == [off]
    assert (off.lifted_by, off.lifted_reason, off.lifted_at) == ("r2", "mended", NOW + timedelta(minutes=5))
    assert board.add(Scope(), an_order()).switch_id == "s2"


def test_of_two_who_lift_the_first_counts(board):
    switch = board.add(Scope(), an_order())
    first, second = (lifted(switch, later(by=by), two_people=True) for by in ("r2", "r3"))
    board.lift(first)

    with pytest.raises(RefusedError, match="somebody else"):
        board.lift(second)
    assert board.switches() == [first]


@pytest.mark.parametrize("name", ["s2", "s", "", "1", "s01x", "s\u0661", "s99999999999999999999", "s1; --"])
def test_a_switch_that_is_not_there_is_told_with_those_that_are_on(board, name):
    switch = board.add(Scope(), an_order())

    with pytest.raises(NotFoundError, match="no switch") as told:
        board.get(name)
    assert "s1" in told.value.remedy
    with pytest.raises(NotFoundError):
        board.lift(replace(lifted(switch, later(), two_people=False), switch_id=name))


def test_more_than_nine_stay_in_order(board):
    made = [board.add(Scope("model", str(number)), an_order()) for number in range(12)]

    assert board.standing() == made


@pytest.fixture
def database(tmp_path):
    opened = Database(f"sqlite:///{tmp_path}/hitl.db")
    opened.create()
    yield opened
    opened.close()


def test_another_process_reads_what_was_set(database):
    made = SqlSwitchBoard(database).add(Scope(), an_order())
    other = Database(database.url)

    assert SqlSwitchBoard(other).standing() == [made]
    other.close()


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TABLE switches",
        "ALTER TABLE switches RENAME COLUMN scope TO what",
        "UPDATE switches SET scope = 'nonsense'",
        "UPDATE switches SET set_at = 'yesterday'",
    ],
)
def test_a_board_that_cannot_be_read_is_told_apart_from_an_empty_one(database, harm):
    board = SqlSwitchBoard(database)
    board.add(Scope(), an_order())
    with database.transaction() as connection:
        connection.execute(sa.text(harm))

    assert read_standing(board) is None
    with database.transaction() as connection:
        assert read_standing(board) is None
        connection.execute(sa.text("CREATE TABLE still_whole (one INTEGER)"))
    with database.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM still_whole")).scalar() == 0


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=REAL)])
def test_whoever_sets_a_switch_waits_for_a_batch_that_has_read_the_board(kind, request, tmp_path):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/hitl.db"
    deciding, freezing = Database(url), Database(url)
    deciding.create()
    board, done = SqlSwitchBoard(freezing), threading.Event()

    def freeze():
        board.add(Scope(), an_order())
        done.set()

    thread = threading.Thread(target=freeze)
    with deciding.transaction():
        assert SqlSwitchBoard(deciding).standing() == []
        thread.start()
        assert not done.wait(0.3)
    thread.join(30)

    assert done.is_set()
    assert [one.switch_id for one in SqlSwitchBoard(deciding).standing()] == ["s1"]
    deciding.close()
    freezing.close()
