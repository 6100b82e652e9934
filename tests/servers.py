"""The real servers of the suite: each starts once, when a test first asks for it, and ends with the suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hitl_mlops.servers import environment, label_studio, mlflow, prefect, process
from hitl_mlops.servers.credentials import read_or_make
from hitl_mlops.servers.port import free_port


@dataclass(frozen=True)
class LabelStudio:
    url: str
    token: str
    admin_email: str
    admin_password: str


@contextmanager
def label_studio_server(folder: Path) -> Iterator[LabelStudio]:
    credentials = read_or_make(folder)
    program = label_studio.program(
        folder, port=free_port(), credentials=credentials, environment=environment.find_or_make()
    )
    with _run(program):
        yield LabelStudio(
            url=program.url,
            token=credentials.label_studio_token,
            admin_email=credentials.admin_email,
            admin_password=credentials.admin_password,
        )


@dataclass(frozen=True)
class Mlflow:
    url: str


@contextmanager
def mlflow_server(folder: Path) -> Iterator[Mlflow]:
    program = mlflow.program(folder, port=free_port())
    with _run(program):
        yield Mlflow(url=program.url)


@dataclass(frozen=True)
class Prefect:
    api_url: str


@contextmanager
def prefect_server(folder: Path) -> Iterator[Prefect]:
    program = prefect.program(folder, port=free_port())
    with _run(program):
        yield Prefect(api_url=f"{program.url}/api")


@contextmanager
def _run(program: process.Program) -> Iterator[None]:
    running = process.start(program, outlives_us=False)
    try:
        process.wait_until_ready(running)
        yield
    finally:
        process.stop(running)
