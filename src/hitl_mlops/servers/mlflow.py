"""How MLflow's tracking server and registry are started: small, on one machine, telling nobody."""

from __future__ import annotations

import sys
from pathlib import Path

from hitl_mlops.servers.port import HOST
from hitl_mlops.servers.process import Program

NAME = "mlflow"
USUAL_PORT = 5000


def program(folder: Path, *, port: int) -> Program:
    """MLflow on SQLite and plain files in `folder/mlflow`; clients send artifacts through the server.

    Args:
        folder: the project's `.hitl` folder.
        port: where it will listen.
    """
    data = folder / NAME
    return Program(
        name=NAME,
        command=(
            *(
                sys.executable,
                "-m",
                "mlflow",
                "server",
                "--host",
                HOST,
                "--port",
                str(port),
                "--workers",
                "1",
            ),
            *("--backend-store-uri", f"sqlite:///{data / 'mlflow.db'}"),
            *("--serve-artifacts", "--artifacts-destination", str(data / "artifacts")),
        ),
        environment={
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 0.5 GB and 16 s to start; with it 1.6 GB, 25 s
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
        },
        without=("MLFLOW_", "_MLFLOW_"),
        folder=data,
        log=folder / "logs" / f"{NAME}.log",
        port=port,
        health="/health",
    )
