"""SQLAlchemy engines as we need them, and what drivers say in our words."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hitl_mlops.errors import (
    BusyError,
    ConfigurationError,
    CredentialsError,
    HitlError,
    IntegrityError,
    ServiceDownError,
)

LOCK_WAIT_S = 30.0
CONNECT_WAIT_S = 10
ASKS_EVERY_S = 0.002
"""How often a transaction that is to be next asks for SQLite's lock."""
CHECKPOINT_PAGES, CHECKPOINT_PAGES_OF_MANY = 1_000, 25_000
"""After how many pages of 4 KiB SQLite copies its log into the file; in a bulk they are many, so that a page
which every block changes is copied seldom."""
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PRIMARY_CODE = 0xFF
"""The bits of SQLite's extended error codes that tell the kind of error."""


def make_engine(url: str, lock_wait_s: float = LOCK_WAIT_S) -> sa.Engine:
    """An engine whose transactions are real: `BEGIN IMMEDIATE` on SQLite, waits with an end on PostgreSQL.

    Raises:
        ConfigurationError: the address is none, its driver is missing, or its folder cannot be made.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed, lock_wait_s)
        return _server_engine(parsed, lock_wait_s)
    except (ArgumentError, NoSuchModuleError) as error:
        shown = re.sub(r"//.*@", "//***@", url)  # a password may stand before the @
        raise ConfigurationError(
            f"The database address {shown!r} is not one.",
            remedy="Write sqlite:///path/to/file.db or postgresql://user:password@host/name.",
        ) from error
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The driver {error.name} of this database is not installed.",
            remedy="Type: pip install 'hitl-mlops[postgres]'",
        ) from error


def _server_engine(url: URL, lock_wait_s: float) -> sa.Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    options = f"-c lock_timeout={int(lock_wait_s * 1000)} -c synchronous_commit=on"
    return sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=lock_wait_s,
        connect_args={"connect_timeout": CONNECT_WAIT_S, "options": options},
    )


def _sqlite_engine(url: URL, lock_wait_s: float) -> sa.Engine:
    if url.database in (None, "", ":memory:"):
        engine = sa.create_engine(
            "sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False}
        )
    else:
        _make_folder(Path(str(url.database)).parent)
        engine = sa.create_engine(
            url,
            pool_timeout=lock_wait_s,
            connect_args={"timeout": lock_wait_s, "check_same_thread": False},
        )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} of the database cannot be made: {error.strerror}.",
            remedy="Give another path in services.database of hitl.yaml, or the right to write there.",
        ) from error


def _prepare_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]


def _begin_sqlite(connection: sa.Connection) -> None:
    # IMMEDIATE takes the writer's lock first: a reader that turns writer later would fail without waiting.
    options = connection.get_execution_options()
    if (pages := options.get("hitl_checkpoint_pages")) is not None:
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {int(pages)}")
    if options.get("hitl_first", False) and _began_before_others(connection):
        return
    connection.exec_driver_sql("BEGIN" if options.get("hitl_reading", False) else "BEGIN IMMEDIATE")


def _began_before_others(connection: sa.Connection) -> bool:
    """The writer's lock is ours; False where it was not to be had in the time that there is, or not at all.

    What keeps SQLite from writing other than a lock is not waited for: whoever asks next hears of it at once.
    SQLite's own wait asks ten times a second, so that under load whoever writes may wait for many others.
    """
    driver = connection.connection.driver_connection
    if driver is None:
        return False
    wait_ms = int(driver.execute("PRAGMA busy_timeout").fetchone()[0])
    until = time.monotonic() + wait_ms / 1000
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY_CODE not in _LOCKED:
                    return False
                time.sleep(ASKS_EVERY_S)
            else:
                return True
    finally:
        driver.execute(f"PRAGMA busy_timeout = {wait_ms}")
    return False


@contextlib.contextmanager
def translated(url: str) -> Iterator[None]:
    """What the driver raises inside leaves as an error of ours; broken constraints leave as they are."""
    try:
        yield
    except HitlError:
        raise
    except PoolTimeoutError as error:
        raise BusyError(
            "Every connection to the database is in use.",
            remedy="Run fewer things at once and try again; nothing was written.",
        ) from error
    except DBAPIError as error:
        ours = _in_our_words(make_url(url).render_as_string(hide_password=True), error)
        if ours is None:
            raise
        raise ours from error


def _in_our_words(where: str, error: DBAPIError) -> HitlError | None:
    said = " ".join(str(error.orig).split())
    for pattern, kind, fact, remedy in _MEANINGS:
        if re.search(pattern, said, re.IGNORECASE):
            return kind(fact.format(where=where, said=said), remedy=remedy)
    if isinstance(error, sa.exc.OperationalError) or error.connection_invalidated:
        return ServiceDownError(
            f"The database {where} does not answer: {said}.",
            remedy="Start it, or set services.database in hitl.yaml; nothing was written.",
        )
    return None


_MEANINGS: tuple[tuple[str, type[HitlError], str, str], ...] = (
    (
        r"database (table |schema )?is locked|busy|lock timeout|deadlock detected|could not serialize",
        BusyError,
        "The database {where} is locked by another writer.",
        "Wait for the other command to finish and run this one again; nothing was written.",
    ),
    (
        r"disk is full|no space left",
        ServiceDownError,
        "The disk of the database {where} is full.",
        "Make room and run this again; nothing was written.",
    ),
    (
        r"readonly database|read-only transaction|permission denied",
        ConfigurationError,
        "The database {where} may not be written by this user: {said}.",
        "Give this user the right to write it (its file and its folder); nothing was written.",
    ),
    (
        r"unable to open database file",
        ConfigurationError,
        "The database {where} cannot be opened.",
        "Check the path in services.database of hitl.yaml and the rights on its folder.",
    ),
    (
        r"not a database|malformed|disk I/O error",
        IntegrityError,
        "The database {where} is damaged: {said}.",
        "Restore it from a backup, then type: hitl audit verify",
    ),
    (
        r"password authentication failed|role .* does not exist|no password supplied",
        CredentialsError,
        "The database {where} refused this user or password.",
        "Set the user and password in services.database of hitl.yaml.",
    ),
    (
        r"no such table|relation .* does not exist|no such column|undefined column",
        ConfigurationError,
        "The database {where} lacks a table or column of ours: {said}.",
        "Make the tables or bring them up to date with: hitl up",
    ),
)
