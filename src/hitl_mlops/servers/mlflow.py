"""How MLflow's tracking server and registry are started: small, on one machine, telling nobody."""

from __future__ import annotations

import sys
from pathlib import Path

from hitl_mlops.servers.mlflow_accounts import ADMIN, KEY_FILE, Accounts, people_file
from hitl_mlops.servers.port import HOST
from hitl_mlops.servers.process import Program

NAME = "mlflow"
USUAL_PORT = 5000
APP = "hitl"
AUTH_DATABASE = "basic_auth.db"
_AUTH = """\
# Written anew by `hitl up`. Everybody may do everything as far as MLflow's own rights go: the app decides.
[mlflow]
default_permission = MANAGE
database_uri = sqlite:///{database}
admin_username = {admin}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""


def program(folder: Path, *, port: int, accounts: Accounts | None = None) -> Program:
    """MLflow on SQLite and plain files in `folder/mlflow`; clients send artifacts through the server.

    Args:
        folder: the project's `.hitl` folder.
        port: where it will listen.
        accounts: who logs in, with the app in front that knows who approves; None: nobody logs in.
    """
    data = folder / NAME
    return Program(
        name=NAME,
        command=(
            *(sys.executable, "-m", "mlflow", "server"),
            *("--host", HOST, "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{data / 'mlflow.db'}"),
            *("--serve-artifacts", "--artifacts-destination", str(data / "artifacts")),
            *(("--app-name", APP) if accounts is not None else ()),
        ),
        environment={
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 0.5 GB and 16 s to start; with it 1.6 GB, 25 s
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            **(_secrets(folder, accounts) if accounts is not None else {}),
        },
        without=("MLFLOW_", "_MLFLOW_", "HITL_MLFLOW_"),
        folder=data,
        log=folder / "logs" / f"{NAME}.log",
        port=port,
        health="/health",
    )


def _secrets(folder: Path, accounts: Accounts) -> dict[str, str]:
    """What the app and MLflow's log-in take from the environment."""
    data = folder / NAME
    return {
        "MLFLOW_AUTH_CONFIG_PATH": str(data / "basic_auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": accounts.passwords[ADMIN],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": accounts.session_key,
        "MLFLOW_BASIC_AUTH_FAIL_CLOSED": "true",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": accounts.webhook_key,
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",  # ours is on this machine
        "MLFLOW_WEBHOOK_CACHE_TTL": "5",  # seconds until a new webhook is called; MLflow's own: 60
        "HITL_MLFLOW_PEOPLE": str(people_file(folder)),
        "HITL_MLFLOW_KEY": str(data / KEY_FILE),
    }


def write_auth_file(folder: Path) -> None:
    """MLflow's basic auth finds its settings in `folder/mlflow`; it checks a log-in once a minute."""
    data = folder / NAME
    data.mkdir(parents=True, exist_ok=True)
    (data / "basic_auth.ini").write_text(_AUTH.format(database=data / AUTH_DATABASE, admin=ADMIN))
