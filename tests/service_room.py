"""`hitl serve` as a process, a trained project that it serves, and lines on which callers ask."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import psutil

from hitl_mlops.servers.port import free_port
from tests.flow_room import until
from tests.freeze_room import some_cases
from tests.loop_room import Loop, begin

HITL = str(Path(sys.executable).with_name("hitl"))
STARTS_WITHIN_S = 60.0
ANSWERS_WITHIN_S = 60.0


def a_trained_loop(
    folder: Path, mlflow: str, *, recipe: str = "linear", database: str = "", wide: bool = False
) -> Loop:
    """A project as `hitl init` makes it, whose champion is registered in that MLflow.

    An empty database is SQLite in the project's folder. Its cases have an amount and a branch, or, if wide,
    64 columns of numbers.
    """
    table = _wide_base() if wide else some_cases(10_000_000, 200)
    if not wide:
        table["label"] = np.where(table["amount"] > 50, "yes", "no")
    made = begin(folder, table, "--kind", "table", name="served", mlflow=mlflow, database=database)
    made.edit("hitl.yaml", "recipe: linear", f"recipe: {recipe}")
    made.hitl("train")
    return made


@contextmanager
def serving(loop: Loop, token: str, *words: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The service is ready, also with further words; it is killed at the end with its workers, if it runs."""
    port = free_port()
    with subprocess.Popen(
        [HITL, "serve", "--port", str(port), "--project", str(loop.folder), "--json", *words],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        headers = {"Authorization": f"Bearer {token}"}
        try:
            with httpx.Client(base_url=url, headers=headers, timeout=ANSWERS_WITHIN_S) as http:
                assert until(lambda: is_ready(http), deadline_s=STARTS_WITHIN_S)
                yield process, http
        finally:
            for one in (*_workers(process), process):
                one.kill()


def _workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def is_ready(http: httpx.Client) -> bool:
    """Whether a case would be decided now."""
    try:
        return http.get("/ready").json()["status"] == "ready"
    except httpx.TransportError:
        return False


class Line:
    """One connection that is kept open, on which one thread posts JSON; costs the caller little."""

    def __init__(self, url: httpx.URL, path: str, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection(url.host, url.port, timeout=ANSWERS_WITHIN_S)
        self._path, self._headers = path, {"Content-Type": "application/json", **headers}

    def post(self, body: str) -> bytes:
        """The whole answer, which is 200.

        Raises:
            OSError, http.client.HTTPException: the other end is gone; nothing whole came back.
        """
        status, _, told = self.ask(body)
        assert status == httpx.codes.OK, (status, told)
        return told

    def ask(self, body: str) -> tuple[int, str, bytes]:
        """Status of the answer, in how many seconds to come again (empty: not told), and the whole of it.

        Raises:
            OSError, http.client.HTTPException: see `post`.
        """
        self._connection.request("POST", self._path, body.encode(), self._headers)
        reply = self._connection.getresponse()
        return reply.status, reply.headers.get("Retry-After", ""), reply.read()

    def close(self) -> None:
        """The connection is given back."""
        self._connection.close()


def one_case(number: int) -> str:
    """What an application posts to have one case decided; as JSON, another case for each number."""
    amount, branch = inputs_of(number)
    return f'{{"cases": [{{"case_id": "c{number}", "amount": {amount}, "branch": "{branch}"}}]}}'


def inputs_of(number: int) -> tuple[float, str]:
    """Amount in 0 … 100 and branch of a case, spread evenly."""
    return number * 7919 % 9973 / 100, "north" if number % 2 else "south"


WIDE = tuple(f"x{place}" for place in range(64))
_NUMBERS = np.random.default_rng(0).normal(size=(2_000, len(WIDE))).clip(-3, 3).round(6)
_CELLS = [", ".join(map(str, row)) for row in _NUMBERS.tolist()]
_NAMED = [
    ", ".join(f'"{name}": {value}' for name, value in zip(WIDE, row, strict=True))
    for row in _NUMBERS.tolist()
]


def _wide_base() -> pd.DataFrame:
    base = pd.DataFrame(_NUMBERS, columns=list(WIDE))
    base.insert(0, "case_id", [f"base-{number}" for number in range(len(base))])
    base["label"] = np.where(_NUMBERS[:, :8].sum(axis=1) > 0, "yes", "no")
    return base


def one_wide_case(number: int) -> str:
    """`one_case` of 64 numbers; another id for each number, and one of 2,000 rows of normal noise."""
    return f'{{"cases": [{{"case_id": "c{number}", {_NAMED[number % len(_NAMED)]}}}]}}'


def wide_cells(number: int) -> str:
    """The 64 numbers of that case, as JSON without brackets."""
    return _CELLS[number % len(_CELLS)]
