"""How Prefect's server is started: with a home of its own, telling nobody."""

from __future__ import annotations

import sys
from pathlib import Path

from hitl_mlops.servers.port import HOST
from hitl_mlops.servers.process import Program

NAME = "prefect"
USUAL_PORT = 4200


def program(folder: Path, *, port: int) -> Program:
    """Prefect's server on SQLite in `folder/prefect`, untouched by the profile in the user's home.

    Args:
        folder: the project's `.hitl` folder.
        port: where it will listen; the API is under `/api`.
    """
    data = folder / NAME
    return Program(
        name=NAME,
        command=(
            *(sys.executable, "-m", "prefect", "server", "start"),
            *("--host", HOST, "--port", str(port), "--analytics-off"),
        ),
        environment={
            "PREFECT_HOME": str(data),
            "PREFECT_SERVER_UI_API_URL": f"http://{HOST}:{port}/api",  # its pages ask port 4200 otherwise
            "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{data / 'prefect.db'}",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "DO_NOT_TRACK": "true",
        },
        without=("PREFECT_",),
        folder=data,
        log=folder / "logs" / f"{NAME}.log",
        port=port,
        health="/api/health",
    )
