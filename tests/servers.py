"""The real servers of the suite: each starts once, when a test first asks for it, and ends with the suite."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hitl_mlops.servers import environment, label_studio, mlflow, mlflow_accounts, prefect, process
from hitl_mlops.servers.credentials import read_or_make
from hitl_mlops.servers.port import HOST, free_port


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
class MlflowApp:
    """MLflow behind the app; the accounts can log in, and `reader` is in no group."""

    url: str
    state: Path
    accounts: mlflow_accounts.Accounts


@contextmanager
def mlflow_app_server(folder: Path) -> Iterator[MlflowApp]:
    state = folder / ".hitl"
    state.mkdir()
    mlflow_accounts.people_file(state).write_text(
        "release-managers: [ann, ben, tess]\ntrainers: [tom, tess]\npipeline: [pipeline]\n"
    )
    people = mlflow_accounts.demand_people(state)
    accounts = mlflow_accounts.read_or_make(state, (*people.accounts, "reader"))
    mlflow.write_auth_file(state)
    program = mlflow.program(state, port=free_port(), accounts=accounts)
    with _run(program):
        mlflow_accounts.sign_up(program.url, accounts)
        yield MlflowApp(program.url, state, accounts)


@contextmanager
def mlflow_models_serve(folder: Path, *, tracking: str, model: str) -> Iterator[str]:
    """URL of MLflow's own scoring server for a registered model, with its default options, in our Python."""
    port, beside_python = free_port(), str(Path(sys.executable).parent)
    options = ("-m", model, "--env-manager", "local", "--host", HOST, "--port", str(port))
    program = process.Program(
        name="mlflow-models-serve",
        command=(sys.executable, "-m", "mlflow", "models", "serve", *options),
        environment={
            "MLFLOW_TRACKING_URI": tracking,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PATH": os.pathsep.join((beside_python, os.environ.get("PATH", os.defpath))),
        },
        without=("MLFLOW_", "_MLFLOW_"),
        folder=folder,
        log=folder / "mlflow-models-serve.log",
        port=port,
        health="/ping",
    )
    with _run(program):
        yield program.url


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
