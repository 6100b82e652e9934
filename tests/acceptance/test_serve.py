"""`hitl serve` as a process: asked while it runs, stopped in the middle, killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from hitl_mlops.project import Project
from tests.freeze_room import some_cases
from tests.loop_room import Loop
from tests.servers import Mlflow
from tests.service_room import a_trained_loop, serving

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def loop(tmp_path: Path, mlflow_server: Mlflow) -> Loop:
    return a_trained_loop(tmp_path / "served", mlflow_server.url)


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
