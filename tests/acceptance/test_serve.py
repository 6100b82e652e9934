"""`hitl serve` as a process: asked while it runs, stopped in the middle, killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from hitl_mlops.project import Project
from hitl_mlops.servers.port import free_port
from tests.flow_room import until
from tests.freeze_room import some_cases
from tests.loop_room import Loop, begin
from tests.servers import Mlflow

HITL = str(Path(sys.executable).with_name("hitl"))
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def loop(tmp_path: Path, mlflow_server: Mlflow) -> Loop:
    table = some_cases(10_000_000, 200)
    table["label"] = np.where(table["amount"] > 50, "yes", "no")
    made = begin(tmp_path / "served", table, "--kind", "table", name=tmp_path.name, mlflow=mlflow_server.url)
    made.hitl("train")
    return made


@contextmanager
def serving(loop: Loop, token: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    port = free_port()
    with subprocess.Popen(
        [HITL, "serve", "--port", str(port), "--project", str(loop.folder), "--json"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        headers = {"Authorization": f"Bearer {token}"}
        try:
            with httpx.Client(base_url=url, headers=headers, timeout=60) as http:
                assert until(lambda: is_ready(http), deadline_s=60)
                yield process, http
        finally:
            process.kill()


def is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/ready").json()["status"] == "ready"
    except httpx.TransportError:
        return False


def ask_until_it_ends(http: httpx.Client, first: int, told: list[str]) -> None:
    """One case after the other; the ids that were acknowledged."""
    for number in range(first, first + 100_000):
        case = some_cases(number, 1).to_dict("records")[0]
        try:
            reply = http.post("/v1/decisions", json={"cases": [case]})
        except httpx.TransportError:
            return
        if reply.status_code != httpx.codes.OK:
            return
        told += [one["decision_id"] for one in reply.json()["results"]]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_what_was_acknowledged_is_kept_however_the_service_ends(loop: Loop, sign: signal.Signals) -> None:
    token = loop.hitl("token", "new", "app")["token"]
    told: list[list[str]] = [[] for _ in range(4)]
    with serving(loop, token) as (process, http):
        callers = [
            threading.Thread(target=ask_until_it_ends, args=(http, 1_000_000 * place, mine))
            for place, mine in enumerate(told, start=1)
        ]
        for one in callers:
            one.start()
        while sum(map(len, told)) < 100:
            callers[0].join(0.05)
        os.kill(process.pid, sign)
        for one in callers:
            one.join(60)
        code = process.wait(60)
    assert code == (0 if sign is signal.SIGTERM else -signal.SIGKILL)
    acknowledged = {one for mine in told for one in mine}
    with Project.open(loop.folder) as project:
        assert acknowledged <= {one.decision_id for one in project.parts.log.decisions()}
        assert project.verify_trail().sound


def test_it_says_what_is_missing_before_it_listens(loop: Loop) -> None:
    assert "hitl token new" in loop.hitl("serve", code=2)["remedy"]
    loop.hitl("token", "new", "app")
    assert "SQLite" in loop.hitl("serve", "--workers", "2", code=2)["fact"]
