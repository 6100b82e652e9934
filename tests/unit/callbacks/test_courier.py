"""Applications are told at least once, signed, under one id; what fails is tried again and told at last."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hitl_mlops.callbacks.book_in_memory import InMemoryCallbackBook
from hitl_mlops.callbacks.book_sql import SqlCallbackBook
from hitl_mlops.callbacks.courier import Courier
from hitl_mlops.callbacks.decide import CLAIMED_FOR, PAUSES, Attempt
from hitl_mlops.callbacks.post_http import HttpPost
from hitl_mlops.callbacks.record import DeliveryState
from hitl_mlops.callbacks.sign import headers_of, secret_of
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import NotFoundError
from hitl_mlops.ids import parse_instant
from tests.builders import NOW
from tests.recourse_builders import a_callback


@contextmanager
def receiver(*statuses):
    """An application that answers with these statuses in turn, the last one for ever; what it got."""
    got, left = [], list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        server.server_close()


post = HttpPost()


class Clock:
    now = NOW

    def __call__(self):
        return self.now


def a_courier(book, **changes):
    plain = {
        "post": post,
        "message": lambda name: {"decision_id": name, "act": True},
        "secret": lambda application: secret_of(b"key", application),
        "allowed": ["http://127.0.0.1", "https://shop.example"],
        "clock": Clock(),
    }
    return Courier(book=book, **(plain | changes))


def an_outbox(url="https://shop.example/hitl", count=1):
    book = InMemoryCallbackBook()
    for number in range(count):
        book.register(a_callback(decision_id=f"d_{number}", url=url))
        book.announce({f"d_{number}": "res_1"}, NOW)
    return book


def test_an_application_gets_what_it_can_check():
    with receiver(200) as (url, got):
        courier = a_courier(an_outbox(url + "/hitl"), allowed=[url])
        [done] = courier.deliver_all()
    [(path, headers, body)] = got
    told = json.loads(body)

    assert (done.state, done.attempts, done.last) == (DeliveryState.DELIVERED, 1, "HTTP 200")
    assert path == "/hitl"
    assert told["data"] == {"decision_id": "d_0", "act": True}
    assert (told["type"], parse_instant(told["timestamp"])) == ("decision.changed", NOW)
    assert headers["webhook-id"] == done.delivery_id
    signed = headers_of(done.delivery_id, body, secret_of(b"key", "webshop"), NOW)
    assert headers["webhook-signature"] == signed["webhook-signature"]
    assert courier.deliver() == []


def test_what_is_not_taken_is_tried_again_later_and_later_under_the_same_id():
    with receiver(500, 302, 404, 204) as (url, got):
        courier = a_courier(an_outbox(url), allowed=[url])
        waits = []
        while courier.book.counts()[DeliveryState.WAITING]:
            [done] = courier.deliver()
            assert courier.deliver() == []
            waits.append(done.due_at - courier.clock.now)
            courier.clock.now = done.due_at
    assert waits[:-1] == list(PAUSES[:3])
    assert len(got) == 4
    assert {headers["webhook-id"] for _, headers, _ in got} == {done.delivery_id}
    assert "/elsewhere" not in [path for path, _, _ in got]


def test_after_the_last_attempt_it_failed_and_stays_visible():
    courier = a_courier(an_outbox(), post=lambda *_: Attempt(taken=False, told="HTTP 500"))
    for _ in range(len(PAUSES) + 1):
        [done] = courier.deliver()
        courier.clock.now = max(done.due_at, courier.clock.now)
    assert (done.state, done.attempts) == (DeliveryState.FAILED, len(PAUSES) + 1)
    courier.clock.now += timedelta(days=99)
    assert courier.deliver() == []
    assert courier.book.deliveries(DeliveryState.FAILED) == [done]


def test_an_application_that_is_gone_is_not_called_again():
    with receiver(410) as (url, got):
        courier = a_courier(an_outbox(url), allowed=[url])
        assert [one.state for one in courier.deliver_all()] == [DeliveryState.FAILED]
    assert len(got) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://shop.example.invalid/hitl"])
def test_nobody_there_is_an_attempt_like_any_other(url):
    courier = a_courier(an_outbox(url), allowed=[url])
    [done] = courier.deliver()
    assert done.state is DeliveryState.WAITING
    assert done.last.startswith("no answer: ")


def test_an_address_that_is_allowed_no_more_is_not_called():
    called = []
    courier = a_courier(
        an_outbox(), allowed=["https://other.example"], post=lambda *said: called.append(said)
    )
    [done] = courier.deliver()
    assert (called, done.state) == ([], DeliveryState.WAITING)
    assert "may not be called" in done.last


def test_a_decision_that_is_gone_holds_up_no_other():
    def message(name):
        if name == "d_0":
            raise NotFoundError("There is no decision 'd_0'.")
        return {"decision_id": name}

    taken = Attempt(taken=True, told="HTTP 200")
    done = a_courier(an_outbox(count=3), message=message, post=lambda *_: taken).deliver_all()
    assert sorted((one.decision_id, one.state.value) for one in done) == [
        ("d_0", "waiting"),
        ("d_1", "delivered"),
        ("d_2", "delivered"),
    ]


def test_many_are_delivered_beside_each_other():
    here = threading.Barrier(8, timeout=20)

    def meet(*_):
        here.wait()
        return Attempt(taken=True, told="HTTP 200")

    assert len(a_courier(an_outbox(count=16), post=meet).deliver_all()) == 16


KILLED = """
import os, signal, sys
from hitl_mlops.callbacks.book_sql import SqlCallbackBook
from hitl_mlops.database.connect import Database
from tests.unit.callbacks.test_courier import a_courier, post

def killed(*said):
    post(*said)
    os.kill(os.getpid(), signal.SIGKILL)

a_courier(SqlCallbackBook(Database(sys.argv[1])), post=killed).deliver()
"""


def test_killed_before_it_was_recorded_it_comes_again_under_the_same_id(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/hitl.db")
    database.create()
    with receiver(200) as (url, got):
        book = SqlCallbackBook(database)
        book.register(a_callback(url=url))
        book.announce({"d_1": "res_1"}, NOW)
        program = KILLED.replace("a_courier(SqlC", f"a_courier(allowed=[{url!r}], book=SqlC")
        ended = subprocess.run([sys.executable, "-c", program, database.url], env=os.environ, check=False)
        assert ended.returncode == -signal.SIGKILL

        courier = a_courier(book, allowed=[url])
        assert courier.deliver() == []
        courier.clock.now = NOW + CLAIMED_FOR
        [done] = courier.deliver()
    assert (done.state, done.attempts) == (DeliveryState.DELIVERED, 2)
    assert [headers["webhook-id"] for _, headers, _ in got] == [done.delivery_id] * 2
    database.close()
