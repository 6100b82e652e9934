from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hitl_mlops.errors import BusyError, ConfigurationError, InputError
from hitl_mlops.servers import mlflow, process
from hitl_mlops.servers.port import free_port, is_free
from hitl_mlops.servers.stack import NAMES, Condition, Stack

ONLY = (mlflow.NAME,)
DOWN_FROM_ANOTHER_SHELL = """
import pathlib, sys
from hitl_mlops.servers.stack import Stack
print(*Stack(pathlib.Path(sys.argv[1])).down())
"""


@pytest.mark.real
@pytest.mark.slow
def test_up_is_idempotent_a_crash_is_seen_and_mended_and_another_shell_brings_it_down(tmp_path):
    stack = Stack(tmp_path, ports={mlflow.NAME: free_port()})
    try:
        (first,) = stack.up(ONLY)
        assert stack.up(ONLY) == (first,)
        assert [one.condition for one in stack.status() if one.name == mlflow.NAME] == [Condition.UP]

        os.killpg(first.pid, signal.SIGKILL)
        port = int(first.url.rpartition(":")[2])
        while process.is_alive(first) or not is_free(port):  # its workers let go of the port a moment later
            time.sleep(0.05)
        assert [one.condition for one in stack.status() if one.name == mlflow.NAME] == [Condition.CRASHED]
        (second,) = stack.up(ONLY)
        assert second.pid != first.pid
        assert second.url == first.url

        other_shell = subprocess.run(
            [sys.executable, "-c", DOWN_FROM_ANOTHER_SHELL, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert other_shell.stdout.split() == [mlflow.NAME]
        assert not process.is_alive(second)
        assert {one.condition for one in stack.status()} == {Condition.DOWN}
    finally:
        stack.down()


@pytest.mark.real
@pytest.mark.slow
def test_what_was_opened_for_a_block_ends_with_it_even_when_it_fails(tmp_path):
    stack = Stack(tmp_path, ports={mlflow.NAME: free_port()})
    seen = []

    def fail_inside():
        with stack.opened(ONLY) as servers:
            seen.extend((one, process.answers(one)) for one in servers)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    ((server, answered),) = seen
    assert answered
    assert not process.is_alive(server)
    assert stack.running() == ()


def test_nothing_runs_in_a_new_folder(tmp_path):
    stack = Stack(tmp_path)
    assert stack.running() == ()
    assert [one.name for one in stack.status()] == list(NAMES)
    assert stack.down() == ()


def test_an_unknown_server_is_told(tmp_path):
    with pytest.raises(InputError, match="no server named label_studio"):
        Stack(tmp_path).up(["label_studio"])


def test_a_port_asked_for_and_taken_is_told_and_nothing_is_started(tmp_path):
    port = free_port()
    program = process.Program(
        name="web",
        command=(sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"),
        environment={},
        folder=tmp_path,
        log=tmp_path / "web.log",
        port=port,
        health="/",
    )
    holder = process.start(program, outlives_us=False)
    try:
        process.wait_until_ready(holder)
        with pytest.raises(BusyError, match=f"Port {port}, asked for by mlflow"):
            Stack(tmp_path, ports={mlflow.NAME: port}).up(ONLY)
        assert Stack(tmp_path).running() == ()
    finally:
        process.stop(holder)


def test_a_process_that_is_not_ours_any_more_is_not_ended(tmp_path):
    state = tmp_path / ".hitl"
    state.mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        row = {
            "name": mlflow.NAME,
            "pid": stranger.pid,
            "born": time.time() - 3600,
            "url": "http://127.0.0.1:1",
            "health": "/health",
            "log": "x.log",
        }
        (state / "servers.json").write_text(json.dumps([row]))
        assert Stack(tmp_path).down() == ()
        assert stranger.poll() is None
        stranger.kill()


def test_a_damaged_state_file_is_told(tmp_path):
    (tmp_path / ".hitl").mkdir()
    (tmp_path / ".hitl" / "servers.json").write_text('[{"name": "mlf')
    with pytest.raises(ConfigurationError, match=r"servers\.json is damaged"):
        Stack(tmp_path).status()
