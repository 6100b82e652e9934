"""Projects with a champion, copies of them that a test may spoil, and the count at the end of the run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.bad_input.room import door
from tests.bad_input.tally import TALLY
from tests.gateway_room import Application
from tests.loop_room import Desk, Loop, begin
from tests.servers import Mlflow

NOWHERE = "http://127.0.0.1:9"
"""The port of the discard service: nobody listens."""


def loans(first: int, last: int) -> pd.DataFrame:
    """Rows of a table whose label a model learns well, not perfectly; the same number gives the same row."""
    number = np.arange(first, last)
    rng = np.random.default_rng(first)
    amount = np.round(rng.uniform(100.0, 900.0, len(number)), 1)
    years = rng.integers(1, 30, len(number))
    noise = rng.normal(0.0, 150.0, len(number))
    label = np.where(amount + 20.0 * years + noise > 800.0, "yes", "no")
    return pd.DataFrame(
        {"case_id": [f"c{one}" for one in number], "amount": amount, "years": years, "label": label}
    )


def new_cases(first: int = 1_000, count: int = 40) -> pd.DataFrame:
    """Cases to decide, without their truth."""
    return loans(first, first + count).drop(columns="label")


def make(folder: Path, name: str, **services: Desk | str | None) -> Loop:
    """A project of that name from 150 loans, with a champion if there is an MLflow."""
    loop = begin(folder, loans(0, 150), name=name, **services)  # type: ignore[arg-type]
    if services.get("mlflow"):
        loop.done("train")
    return loop


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, mlflow_server: Mlflow) -> Loop:
    """A project with a first champion."""
    return make(tmp_path_factory.mktemp("trained"), "spoiled", mlflow=mlflow_server.url)


@pytest.fixture
def loop(trained: Loop, tmp_path: Path) -> Loop:
    """A copy of it for this test."""
    return Loop(shutil.copytree(trained.folder, tmp_path / "copy"))


Refusal = Callable[..., str]


@pytest.fixture
def refused() -> Refusal:
    """Runs a command that must be refused: one JSON object, code and remedy, nothing changed; its fact."""

    def run(loop: Loop, *words: str | Path, code: int, error: str, unchanged: bool = True) -> str:
        before = loop.state() if unchanged else {}
        said = loop.call(*words)
        assert said.code == code, f"{said.code}\n{said.out}\n{said.err}"
        told = said.value
        assert told["error"] == error, told
        assert told["fact"]
        assert told["remedy"]
        assert "Traceback" not in said.out + said.err
        assert not unchanged or loop.state() == before
        return str(told["fact"])

    return run


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A service that all classes of bad input are sent to; its project stands without a server."""
    with door(tmp_path_factory.mktemp("service") / "project") as application:
        yield application


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much was tried, and by which seed."""
    if TALLY.examples:
        terminalreporter.write_line(TALLY.told())
