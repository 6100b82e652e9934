"""How the project's flows are given to Prefect, and how the worker that runs them is started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from hitl_mlops.errors import ConfigurationError, ServiceDownError
from hitl_mlops.servers import prefect
from hitl_mlops.servers.port import HOST
from hitl_mlops.servers.process import Program

NAME = "worker"
POOL = "hitl"
FLOWS_FILE = "prefect.yaml"
QUERY_SECONDS = 1
"""A run starts up to this long after it is due; Prefect's own 10 s would be most of a short flow's time."""
_QUOTED_LINES = 15
_CREATED, _THERE = 201, 409
_BUSY = 503  # Prefect on SQLite, while another of its services writes
_PATIENCE_S = 30.0
_LOGINS = ("PREFECT_API_KEY", "PREFECT_API_AUTH_STRING")  # for a Prefect of the user's own


def has_flows(folder: Path) -> bool:
    """Whether the project's folder says which flows it has."""
    return (folder / FLOWS_FILE).is_file()


def program(folder: Path, *, state: Path, api: str, port: int) -> Program:
    """A worker that runs each flow as a process of its own group, in this Python; it ends with its runs.

    Its health page answers from the start on; 503 once it has not asked for work in 30 times `QUERY_SECONDS`.

    Args:
        folder: the project's folder.
        state: its `.hitl` folder.
        api: where Prefect answers, ends in `/api`.
        port: where the worker tells its health.
    """
    return Program(
        name=NAME,
        command=(
            *(sys.executable, "-m", "prefect", "worker", "start"),
            *("--pool", POOL, "--type", "process", "--with-healthcheck"),
        ),
        environment={
            **_environment(state, api),
            "PREFECT_WORKER_QUERY_SECONDS": str(QUERY_SECONDS),
            "PREFECT_WORKER_WEBSERVER_HOST": HOST,
            "PREFECT_WORKER_WEBSERVER_PORT": str(port),
        },
        without=("PREFECT_",),
        folder=folder,
        log=state / "logs" / f"{NAME}.log",
        port=port,
        health="/health",
    )


def make_pool(api: str) -> None:
    """Prefect has the work pool; one that is there stays as it is. The worker fills in its template.

    Raises:
        ServiceDownError: Prefect does not answer, or refused.
    """
    pool = {"name": POOL, "type": "process"}
    until = time.monotonic() + _PATIENCE_S
    try:
        reply = httpx.post(f"{api}/work_pools/", json=pool, timeout=_PATIENCE_S, trust_env=False)
        while reply.status_code == _BUSY and time.monotonic() < until:
            time.sleep(0.2)
            reply = httpx.post(f"{api}/work_pools/", json=pool, timeout=_PATIENCE_S, trust_env=False)
    except httpx.HTTPError as exc:
        raise ServiceDownError(
            f"Prefect does not answer at {api}.", remedy="Start it: hitl up", server=prefect.NAME
        ) from exc
    if reply.status_code not in (_CREATED, _THERE):
        raise ServiceDownError(
            f"Prefect at {api} made no work pool {POOL}: it answered {reply.status_code}.",
            remedy=f"Make it by hand: prefect work-pool create {POOL} --type process",
            server=prefect.NAME,
        )


def deploy(folder: Path, *, state: Path, api: str) -> None:
    """Prefect knows every deployment of the folder's `prefect.yaml` as it is written now; takes 4 to 12 s.

    Raises:
        ConfigurationError: there is no such file, or Prefect could not read it or a flow it names.
    """
    if not has_flows(folder):
        raise ConfigurationError(
            f"{folder} has no {FLOWS_FILE}, so that there are no flows to run.",
            remedy="Begin a project with hitl init, which writes one, or copy one here.",
        )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=folder,
        env={**kept, **_environment(state, api)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        quoted = "\n".join(f"    {line}" for line in lines[-_QUOTED_LINES:])
        raise ConfigurationError(
            f"Prefect could not deploy {folder / FLOWS_FILE}:\n{quoted}\n",
            remedy=f"Correct {FLOWS_FILE} or the flow named, then: hitl up",
        )


def _environment(state: Path, api: str) -> Mapping[str, str]:
    """What Prefect's programs are told: which server, a home of their own, and `python` is this Python."""
    return {
        **{name: os.environ[name] for name in _LOGINS if name in os.environ},
        "PREFECT_API_URL": api,
        "PREFECT_HOME": str(state / prefect.NAME),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "true",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
    }
