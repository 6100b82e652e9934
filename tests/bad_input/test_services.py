"""Servers that are down, refuse or stop in the middle: told, and going on loses and doubles nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from hitl_mlops.database.connect import Database
from hitl_mlops.project import Project
from hitl_mlops.training.lock import training_lock
from tests.bad_input.conftest import NOWHERE, Refusal, loans, make, new_cases
from tests.loop_room import Loop, connect, team
from tests.servers import LabelStudio, Mlflow

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, label_studio: LabelStudio, mlflow_server: Mlflow) -> Loop:
    """A project of its own with questions on the desk, all answered, none collected."""
    folder = tmp_path_factory.mktemp("asked")
    loop = make(folder, "asked", desk=label_studio, mlflow=mlflow_server.url)
    loop.edit("policy.yaml", '"0.75..0.92"', '"0.75..0.999"')
    loop.edit("policy.yaml", '">= 0.92"', '">= 0.999"')
    file = folder / "new.csv"
    new_cases(count=60).to_csv(file, index=False)
    loop.remember(loop.done("decide", file), loans(1_000, 1_060)["label"].tolist())
    loop.done("review", "push")
    with team(label_studio, "gil") as people:
        assert people.answer(loop, classes=("no", "yes")) > 30
    return loop


@pytest.fixture
def answered(asked: Loop, tmp_path: Path) -> Loop:
    """A copy of it: what one test collects, another has still before it."""
    return Loop(shutil.copytree(asked.folder, tmp_path / "asked"), asked.truth)


def test_a_wrong_token_is_told_and_nothing_is_pushed_or_collected(
    answered: Loop, label_studio: LabelStudio, mlflow_server: Mlflow, refused: Refusal
) -> None:
    connect(answered, desk=label_studio, mlflow=mlflow_server.url, token="0" * 40)
    for words in (["review", "push"], ["collect"]):
        refused(answered, *words, code=2, error="CredentialsError")
        assert "token" in answered.call(*words).out


def test_a_label_studio_that_does_not_run_is_told(
    answered: Loop, mlflow_server: Mlflow, refused: Refusal
) -> None:
    desk = LabelStudio(url=NOWHERE, token="0" * 40, admin_email="", admin_password="")
    connect(answered, desk=desk, mlflow=mlflow_server.url)
    assert NOWHERE in refused(answered, "collect", code=3, error="ServiceDownError")


def test_a_label_studio_nobody_started_is_told(answered: Loop, refused: Refusal) -> None:
    connect(answered)
    refused(answered, "collect", code=3, error="ServiceDownError")
    assert "hitl up" in answered.call("collect").value["remedy"]


def test_a_label_studio_that_stops_in_the_middle_loses_and_doubles_nothing(
    answered: Loop, label_studio: LabelStudio, mlflow_server: Mlflow
) -> None:
    rulings = []
    for pages in range(1, 7):
        with _cut_after(label_studio, pages) as desk:
            connect(answered, desk=desk, mlflow=mlflow_server.url)
            said = answered.call("collect")
            rulings.append(said.code)
            if said.code:
                assert (said.code, said.value["error"]) == (3, "ServiceDownError"), said
                assert "nothing is lost" in said.value["remedy"]
    assert 3 in rulings
    connect(answered, desk=label_studio, mlflow=mlflow_server.url)
    answered.done("collect")
    project = Project.open(answered.folder)
    people_said = [one.decision_id for one in project.parts.answers.resolutions()]
    tickets = project.parts.tickets.status(datetime.now(UTC), quarantined=0)
    assert len(people_said) == len(set(people_said))
    assert sum(lane.open + lane.waiting for lane in tickets.lanes) == 0
    assert answered.done("collect")["new"] == 0
    assert answered.done("audit", "verify")["trail"]["problems"] == []


def test_an_answer_with_an_unknown_class_is_quarantined_with_its_reason(
    answered: Loop, label_studio: LabelStudio
) -> None:
    before = answered.done("collect")
    assert before["quarantined"] == []
    file = answered.folder / "more.csv"
    new_cases(2_000, 30).to_csv(file, index=False)
    answered.remember(answered.done("decide", file), ["perhaps"] * 30)
    answered.done("review", "push")
    with team(label_studio, "gil") as people:
        given = people.answer(answered, classes=("perhaps", "maybe"))
    collected = answered.done("collect")
    assert (collected["new"], len(collected["quarantined"])) == (given, given)
    assert all("perhaps" in str(one) or "maybe" in str(one) for one in collected["quarantined"])
    assert collected["resolved"] == []
    assert answered.done("dataset", "build")["lineage"]["resolutions"] == len(before["resolved"])


def test_an_mlflow_that_does_not_run_is_told(loop: Loop, refused: Refusal, tmp_path: Path) -> None:
    connect(loop, mlflow=NOWHERE)
    refused(loop, "train", code=3, error="ServiceDownError")


def test_the_database_of_mlflow_being_locked_is_told(tmp_path: Path) -> None:
    loop = make(tmp_path / "locked", "locked")
    connect(loop, mlflow=f"sqlite:///{tmp_path}/mlflow.db")
    loop.hitl("train")
    loop.edit("hitl.yaml", "recipe: linear", "recipe: boosting")
    before = loop.state()
    with _locked(tmp_path / "mlflow.db"):
        told = loop.hitl("train", code=3)
        assert told["error"] == "BusyError"
        assert "locked" in told["fact"]
    assert loop.state() == before
    assert loop.hitl("train")["version"] == "2"


def test_our_own_database_being_locked_is_told(loop: Loop) -> None:
    file = loop.folder / "new.csv"
    new_cases().to_csv(file, index=False)
    before = loop.state()
    with _locked(loop.folder / ".hitl" / "hitl.db"):
        said = loop.call("decide", file)
        assert (said.code, said.value["error"]) == (3, "BusyError")
        assert said.value["remedy"]
    assert loop.state() == before


def test_two_trainings_at_once_are_one(loop: Loop, refused: Refusal) -> None:
    database = Database(Project.open(loop.folder).settings.database_url)
    with training_lock(database, datetime.now(UTC)):
        assert str(os.getpid()) in refused(loop, "train", code=3, error="BusyError")
    database.close()


def test_a_usual_port_that_is_taken_is_left_to_who_has_it(tmp_path: Path) -> None:
    loop = make(tmp_path, "ports")
    with _taken(5000):
        told = loop.hitl("up", "--only", "mlflow")
    try:
        url = told["servers"][0]["url"]
        assert not url.endswith(":5000")
        assert httpx.get(f"{url}/health").is_success
    finally:
        assert loop.hitl("down")["ended"] == ["mlflow"]


class _Quiet(ThreadingHTTPServer):
    """A server that does not complain of wires that were cut: it cut them."""

    def handle_error(self, *_: Any) -> None:
        """Nothing is said."""


@contextlib.contextmanager
def _cut_after(desk: LabelStudio, replies: int) -> Iterator[LabelStudio]:
    """The desk behind a wire that is cut after so many replies, for good."""
    left = threading.Semaphore(replies)

    class Wire(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not left.acquire(blocking=False):
                self.close_connection = True
                self.connection.close()
                return
            headers = {
                name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers
            }
            reply = httpx.request(
                self.command, desk.url + self.path, content=body, headers=headers, timeout=60
            )
            self.send_response(reply.status_code)
            self.send_header("Content-Type", reply.headers.get("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PATCH = do_DELETE = _pass  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: Any) -> None:
            """Nothing is said."""

    server = _Quiet(("127.0.0.1", 0), Wire)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield LabelStudio(
            url=f"http://127.0.0.1:{server.server_port}", token=desk.token, admin_email="", admin_password=""
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Another program holds the writer's lock."""
    holder = sqlite3.connect(file, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
    finally:
        holder.close()


@contextlib.contextmanager
def _taken(port: int) -> Iterator[None]:
    """Somebody listens on the port, we or others."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            listener.listen()
        yield
