from __future__ import annotations

import dataclasses
import os
import pickle
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from hitl_mlops.errors import BusyError, ServiceDownError
from hitl_mlops.servers import process
from hitl_mlops.servers.port import HOST, demand_port, free_port, holder_of

WEB_SERVER = (
    "import sys, http.server as h;h.test(h.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind='127.0.0.1')"
)
STUBBORN = (
    "import signal, sys, subprocess; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "subprocess.Popen([sys.executable, '-c', "
    "'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)']);" + WEB_SERVER
)


def a_program(folder, code=WEB_SERVER, **changes):
    port = changes.pop("port", None) or free_port()
    values = {
        "name": "web",
        "command": (sys.executable, "-c", code, str(port)),
        "environment": {},
        "folder": folder,
        "log": folder / "web.log",
        "port": port,
        "health": "/",
    }
    return process.Program(**{**values, **changes})


def members(group):
    found = []
    for one in psutil.process_iter():
        try:
            if os.getpgid(one.pid) == group and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def within(seconds, claim):
    until = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("outlives_us", [True, False])
def test_a_server_answers_and_ends_whole(tmp_path, outlives_us):
    running = process.start(a_program(tmp_path), outlives_us=outlives_us)
    process.wait_until_ready(running, deadline_s=30)
    assert process.is_alive(running)
    assert process.answers(running)
    assert process.stop(running)
    assert not members(running.pid)
    assert not process.is_alive(running)
    assert not process.stop(running)


def test_a_server_that_ignores_the_request_to_end_is_forced_with_its_children(tmp_path):
    running = process.start(a_program(tmp_path, STUBBORN), outlives_us=True)
    process.wait_until_ready(running, deadline_s=30)
    assert len(members(running.pid)) == 2
    process.stop(running, grace_s=0.3)
    assert not members(running.pid)


def test_a_recycled_pid_is_not_touched(tmp_path):
    running = process.start(a_program(tmp_path), outlives_us=True)
    try:
        earlier = dataclasses.replace(running, born=running.born - 100)
        assert not process.is_alive(earlier)
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
            assert not process.stop(dataclasses.replace(earlier, pid=stranger.pid))
            assert stranger.poll() is None
            stranger.kill()
    finally:
        assert process.stop(running)


def test_a_server_that_ends_at_once_is_told_with_the_end_of_its_log(tmp_path):
    code = "print('line one'); raise SystemExit('no such table: tickets')"
    running = process.start(a_program(tmp_path, code), outlives_us=True)
    with pytest.raises(ServiceDownError, match="no such table: tickets") as caught:
        process.wait_until_ready(running, deadline_s=30)
    assert "web ended before it answered" in caught.value.fact
    assert str(tmp_path / "web.log") in caught.value.remedy
    assert pickle.loads(pickle.dumps(caught.value)).fact == caught.value.fact  # noqa: S301


def test_a_server_that_never_answers_is_ended_after_the_deadline(tmp_path):
    running = process.start(a_program(tmp_path, "import time; time.sleep(600)"), outlives_us=True)
    with pytest.raises(ServiceDownError, match="did not answer"):
        process.wait_until_ready(running, deadline_s=0.5)
    assert not members(running.pid)


def test_a_program_that_is_missing_is_told(tmp_path):
    with pytest.raises(ServiceDownError, match="could not be started"):
        process.start(a_program(tmp_path, command=("/nowhere/label-studio",)), outlives_us=True)


def test_a_taken_port_is_named_with_its_holder():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(BusyError) as caught:
            demand_port(port, server="mlflow")
        assert f"Port {port}, asked for by mlflow, is taken by" in caught.value.fact
        assert f"(pid {os.getpid()})" in holder_of(port)
        assert caught.value.exit_code == 3
        assert free_port(port) != port


def test_a_server_that_moved_to_another_port_is_ended(tmp_path):
    """Label Studio takes the next port without a word when its own is taken."""
    running = process.start(a_program(tmp_path), outlives_us=True)
    stranger = process.start(a_program(tmp_path, log=tmp_path / "other.log"), outlives_us=True)
    try:
        process.wait_until_ready(stranger, deadline_s=30)
        mistaken = dataclasses.replace(running, url=stranger.url)
        with pytest.raises(BusyError, match="was taken by"):
            process.wait_until_ready(mistaken, deadline_s=30)
        assert not members(running.pid)
        assert process.is_alive(stranger)
    finally:
        process.stop(stranger)


STARTER = """
import sys, time
from pathlib import Path
from hitl_mlops.servers import process
folder, port, outlives_us = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True"
program = process.Program(name="web", command=(sys.executable, "-c", sys.argv[4], str(port)), environment={},
                          folder=folder, log=folder / "web.log", port=port, health="/")
running = process.start(program, outlives_us=outlives_us)
process.wait_until_ready(running)
print(running.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("outlives_us", [True, False])
def test_a_server_ends_with_its_starter_unless_it_is_to_outlive_it(tmp_path, ended_by, outlives_us):
    arguments = [str(tmp_path), str(free_port()), str(outlives_us), WEB_SERVER]
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        group = int(starter.stdout.readline())
        starter.send_signal(ended_by)
        starter.wait()
    if outlives_us:
        time.sleep(0.5)
        assert members(group)
        os.killpg(group, signal.SIGKILL)
    assert within(10, lambda: not members(group))
