"""One database: its engine, transactions that nest, and what is done once they are kept."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.engine import (
    CHECKPOINT_PAGES,
    CHECKPOINT_PAGES_OF_MANY,
    LOCK_WAIT_S,
    make_engine,
    translated,
)

Action = Callable[[], object]


class Database:
    """Where records are kept; SQLite by default, PostgreSQL by URL.

    `transaction()` nests: whoever joins an open one commits with it, so that rows, their trail entry and
    the watermark are kept together or not at all. A transaction belongs to its thread; in a coroutine, do not
    await inside one.
    """

    def __init__(self, url: str, *, lock_wait_s: float = LOCK_WAIT_S) -> None:
        self.url = url
        self.engine = make_engine(url, lock_wait_s)
        self._open = _Open()
        # An in-memory database is one connection, which its threads must share in turn.
        shared = isinstance(self.engine.pool, sa.StaticPool)
        self._turn: contextlib.AbstractContextManager[object] = (
            threading.RLock() if shared else contextlib.nullcontext()
        )
        self._shared = shared
        self._pages = CHECKPOINT_PAGES

    @contextlib.contextmanager
    def transaction(self, *, first: bool = False) -> Iterator[sa.Connection]:
        """A connection that may write; the outermost `with` commits, an exception rolls back.

        An exception that leaves an inner `with` undoes what that inner block did, and no more, so that
        whoever catches it in between goes on with a whole transaction.

        Args:
            first: asks for SQLite's lock so often that it is next among those who wait; they have no queue.

        Raises:
            BusyError: another writer held the lock for longer than the wait (30 s).
            ServiceDownError: the database does not answer, or its disk is full.
            ConfigurationError: it is read-only, or cannot be opened.
        """
        current = self._open.connection
        if current is not None:
            with self._nested(current):
                yield current
            return
        with translated(self.url), self._turn, self.engine.connect() as plain:
            connection = plain.execution_options(hitl_first=first, hitl_checkpoint_pages=self._pages)
            with connection.begin():
                self._open.connection = connection
                self._open.actions = {}
                try:
                    yield connection
                finally:
                    self._open.connection = None
        actions, self._open.actions = self._open.actions, {}
        for action in actions.values():
            action()

    @contextlib.contextmanager
    def joined(self) -> Iterator[sa.Connection]:
        """The open transaction itself, or one of its own where none is open.

        Cheaper than an inner `transaction`, and without its safety: an exception must leave the outermost.
        """
        if self._open.connection is not None:
            yield self._open.connection
        else:
            with self.transaction() as connection:
                yield connection

    @contextlib.contextmanager
    def writing_much(self) -> Iterator[None]:
        """Large transactions follow one another; SQLite's log may grow to 100 MB before a commit copies it.

        `copy_log` from another thread meanwhile leaves little to copy then.
        """
        self._pages = CHECKPOINT_PAGES_OF_MANY
        try:
            yield
        finally:
            self._pages = CHECKPOINT_PAGES
        self.copy_log()

    def copy_log(self) -> None:
        """What SQLite's log holds is in the file; whoever writes meanwhile is not held up. Else nothing."""
        if self.engine.dialect.name == "sqlite" and not self._shared:
            with translated(self.url), self.engine.connect() as plain:
                reading = plain.execution_options(hitl_reading=True)
                reading.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database and holds up no writer; joins what is open."""
        current = self._open.connection or self._open.reader
        if current is not None:
            yield current
        elif self._shared:
            with self.transaction() as connection:
                yield connection
        else:
            with translated(self.url), self.engine.connect() as plain:
                connection = plain.execution_options(**self._reading_options())
                with connection.begin():
                    self._open.reader = connection
                    try:
                        yield connection
                    finally:
                        self._open.reader = None

    @property
    def in_transaction(self) -> bool:
        """Whether this thread has a writing transaction open."""
        return self._open.connection is not None

    def after_commit(self, key: object, action: Action) -> None:
        """The action runs once, after the open transaction is committed; never if it is rolled back.

        A later action under the same key takes the place of an earlier one. Without an open transaction it
        runs now. What an action raises reaches whoever left the transaction; its rows stay committed.
        """
        if self._open.connection is None:
            action()
        else:
            self._open.actions[key] = action

    def create(self) -> None:
        """All tables stand as this program knows them: made when empty, migrated when older.

        Raises:
            ConfigurationError: the database was made by a newer program, or by one without versions.
        """
        from hitl_mlops.database.migrate import bring_to_head

        with self.transaction() as connection:
            bring_to_head(connection)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def _reading_options(self) -> dict[str, Any]:
        if self.engine.dialect.name == "postgresql":
            return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return {"hitl_reading": True}

    @contextlib.contextmanager
    def _nested(self, connection: sa.Connection) -> Iterator[None]:
        before = dict(self._open.actions)
        try:
            with connection.begin_nested():
                yield
        except BaseException:
            self._open.actions = before
            raise


class _Open(threading.local):
    """What the current thread has open."""

    def __init__(self) -> None:
        self.connection: sa.Connection | None = None
        self.reader: sa.Connection | None = None
        self.actions: dict[object, Action] = {}
