"""What every outbox of callbacks must do: the twin, SQLite in a file, PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.callbacks.book_in_memory import InMemoryCallbackBook
from hitl_mlops.callbacks.book_sql import SqlCallbackBook
from hitl_mlops.callbacks.decide import CLAIMED_FOR, Attempt, settled
from hitl_mlops.callbacks.record import DeliveryState
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import NotFoundError
from tests.builders import NOW
from tests.recourse_builders import a_callback

REAL = pytest.mark.real
TAKEN, LOST = Attempt(taken=True, told="HTTP 200"), Attempt(taken=False, told="HTTP 500")


@pytest.fixture(params=["twin", pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def book(request, tmp_path):
    if request.param == "twin":
        yield InMemoryCallbackBook()
        return
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    yield SqlCallbackBook(database)
    database.close()


def test_an_empty_outbox_has_nothing_to_do(book):
    assert (book.claim(NOW, 8), book.deliveries(), book.counts()) == ([], [], {})
    assert book.announce({"d_1": "res_1"}, NOW) == 0
    assert book.announce({}, NOW) == 0


def test_whoever_registered_is_told_once_of_each_cause(book):
    assert book.register(a_callback())
    assert not book.register(a_callback(at=NOW + timedelta(days=1)))
    assert book.register(a_callback(application="other"))
    assert book.register(a_callback(decision_id="d_2"))
    assert book.callbacks_of("d_2") == [a_callback(decision_id="d_2")]
    assert {one.application for one in book.callbacks_of("d_1")} == {"webshop", "other"}

    assert book.announce({"d_1": "res_1", "d_3": "res_3"}, NOW) == 2
    assert book.announce({"d_1": "res_1"}, NOW + timedelta(days=1)) == 0
    assert book.announce({"d_1": "res_2", "d_2": "res_1"}, NOW) == 3
    found = book.deliveries()
    assert len({one.delivery_id for one in found}) == 5
    assert {(one.state, one.attempts, one.due_at, one.last) for one in found} == {
        (DeliveryState.WAITING, 0, NOW, "")
    }
    assert book.counts() == {DeliveryState.WAITING: 5}


def test_what_is_claimed_is_nobody_elses_until_the_claim_runs_out(book):
    for number in range(3):
        book.register(a_callback(decision_id=f"d_{number}"))
        book.announce({f"d_{number}": "res"}, NOW + timedelta(seconds=number))
    assert book.claim(NOW - timedelta(seconds=1), 8) == []
    mine = book.claim(NOW + timedelta(seconds=5), 2)
    assert [one.decision_id for one in mine] == ["d_0", "d_1"]
    assert [one.attempts for one in mine] == [1, 1]
    later = NOW + timedelta(seconds=5) + CLAIMED_FOR
    assert [one.decision_id for one in book.claim(NOW + timedelta(seconds=5), 8)] == ["d_2"]
    assert book.claim(later - timedelta(microseconds=1), 8) == []
    assert [(one.decision_id, one.attempts) for one in book.claim(later, 8)] == [
        ("d_0", 2),
        ("d_1", 2),
        ("d_2", 2),
    ]


def test_what_was_settled_stays_so_and_whoever_was_overtaken_settles_nothing(book):
    book.register(a_callback())
    book.announce({"d_1": "res_1"}, NOW)
    [first] = book.claim(NOW, 8)
    [second] = book.claim(NOW + CLAIMED_FOR, 8)
    assert book.settle([settled(first, TAKEN, NOW)]) == []
    failed = settled(second, LOST, NOW + CLAIMED_FOR)
    assert book.settle([failed]) == [failed]
    assert book.deliveries() == [failed]
    [third] = book.claim(failed.due_at, 8)
    taken = settled(third, TAKEN, NOW)
    assert book.settle([taken]) == [taken]
    assert book.settle([settled(third, LOST, NOW)]) == []
    assert book.counts() == {DeliveryState.DELIVERED: 1}
    assert book.claim(NOW + timedelta(days=9), 8) == []
    assert book.settle([replace(third, delivery_id="msg_nothing")]) == []


def test_what_failed_can_be_tried_anew_and_what_was_delivered_not(book):
    for name in ("d_1", "d_2"):
        book.register(a_callback(decision_id=name))
    book.announce({"d_1": "res_1", "d_2": "res_2"}, NOW)
    lost, taken = sorted(book.claim(NOW, 8), key=lambda one: one.decision_id)
    gone = Attempt(taken=False, told="HTTP 410", gone=True)
    assert len(book.settle([settled(lost, gone, NOW), settled(taken, TAKEN, NOW)])) == 2
    [failed] = book.deliveries(DeliveryState.FAILED)

    again = book.retry(failed.delivery_id, NOW)
    assert (again.state, again.attempts, again.last) == (DeliveryState.WAITING, 0, "HTTP 410")
    assert book.retry(taken.delivery_id, NOW).state is DeliveryState.DELIVERED
    assert [one.decision_id for one in book.claim(NOW, 8)] == ["d_1"]
    with pytest.raises(NotFoundError, match="msg_nothing"):
        book.retry("msg_nothing", NOW)


def test_the_latest_deliveries_are_shown_and_no_more_than_asked_for(book):
    for number in range(12):
        book.register(a_callback(decision_id=f"d_{number}"))
        book.announce({f"d_{number}": "res"}, NOW + timedelta(seconds=number))
    assert [one.decision_id for one in book.deliveries(at_most=2)] == ["d_11", "d_10"]
    assert book.announce({f"d_{number}": "more" for number in range(1_100)}, NOW) == 12


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def test_couriers_at_once_have_no_delivery_twice(kind, request, tmp_path):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    book = SqlCallbackBook(database)
    for number in range(40):
        book.register(a_callback(decision_id=f"d_{number}"))
    book.announce({f"d_{number}": "res" for number in range(40)}, NOW)
    claims, start = [], threading.Barrier(4)

    def work():
        start.wait()
        own = SqlCallbackBook(database)
        for _ in range(40):
            claims.extend(one.delivery_id for one in own.claim(NOW, 3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(claims) == len(set(claims)) == 40
    database.close()


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def test_whoever_registers_waits_for_a_change_that_is_being_announced(kind, request, tmp_path):
    """Else neither would see the other, and the application would never be told."""
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/hitl.db"
    changing, asking = Database(url), Database(url)
    changing.create()
    done = threading.Event()

    def register():
        SqlCallbackBook(asking).register(a_callback())
        done.set()

    thread = threading.Thread(target=register)
    with changing.transaction():
        assert SqlCallbackBook(changing).announce({"d_1": "res_1"}, NOW) == 0
        thread.start()
        assert not done.wait(0.3)
    thread.join(30)
    assert done.is_set()
    changing.close()
    asking.close()
