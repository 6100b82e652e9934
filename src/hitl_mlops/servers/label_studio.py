"""How Label Studio is started: unattended, on one machine, telling nobody."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx

from hitl_mlops.servers.credentials import Credentials
from hitl_mlops.servers.port import HOST
from hitl_mlops.servers.process import Program

NAME = "label-studio"
USUAL_PORT = 8080
DATABASE = "label_studio.sqlite3"


def program(folder: Path, *, port: int, credentials: Credentials, environment: Path) -> Program:
    """Label Studio on SQLite in `folder/label-studio`, with the project's account and token.

    Args:
        folder: the project's `.hitl` folder.
        port: where it will listen.
        credentials: the account is made from them on the first start and keeps them.
        environment: Label Studio's own virtual environment (`environment.find_or_make`).
    """
    data = folder / NAME
    return Program(
        name=NAME,
        command=(
            str(environment / "bin" / "label-studio"),
            *("start", "--no-browser", "--internal-host", HOST, "--port", str(port)),
        ),
        environment={
            "LABEL_STUDIO_BASE_DATA_DIR": str(data),
            "LABEL_STUDIO_USERNAME": credentials.admin_email,
            "LABEL_STUDIO_PASSWORD": credentials.admin_password,
            "LABEL_STUDIO_USER_TOKEN": credentials.label_studio_token,
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",  # read once, when its database is made
            "SECRET_KEY": credentials.label_studio_secret_key,
            **_TELL_NOBODY,
        },
        without=("LABEL_STUDIO_", "HEARTEX_", "DJANGO_", "POSTGRE_"),
        folder=data,
        log=folder / "logs" / f"{NAME}.log",
        port=port,
        health="/health",
    )


def make_database(folder: Path) -> None:
    """Its SQLite file is in write-ahead mode, so that five who answer at once do not wait for each other.

    Args:
        folder: the project's `.hitl` folder.
    """
    data = folder / NAME
    data.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(data / DATABASE)) as database:
        database.execute("PRAGMA journal_mode = WAL")


_TELL_NOBODY = {
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_FEATURE_FLAGS_OFFLINE": "true",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
}


def accepts(url: str, token: str) -> bool:
    """Whether the Label Studio at the address takes the token; False when it does not answer."""
    try:
        reply = httpx.get(
            f"{url}/api/current-user/whoami",
            headers={"Authorization": f"Token {token}"},
            timeout=10,
            trust_env=False,
        )
    except httpx.HTTPError:
        return False
    return reply.is_success
