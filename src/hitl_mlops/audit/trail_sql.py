"""The trail in a database; the real adapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from hitl_mlops.audit.checkpoint import Checkpoint
from hitl_mlops.audit.entry import Entry, Event, checked_refs, entry_body
from hitl_mlops.audit.merkle import Frontier, leaf_hash
from hitl_mlops.audit.sealing import Sealer
from hitl_mlops.audit.trail_stored import StoredTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import trail_entries, trail_head, trail_refs
from hitl_mlops.errors import IntegrityError, RefusedError

PIECE_ENTRIES = 5_000
WRITER_LOCK = 0x747261696C  # "trail"
HEAD = 1

_READ_HEAD = sa.select(trail_head.c.size, trail_head.c.frontier).where(trail_head.c.id == HEAD)
_WRITE_ENTRIES = trail_entries.insert()
_WRITE_REFS = trail_refs.insert()
_MOVE_HEAD = (
    trail_head.update()
    .where(trail_head.c.id == HEAD)
    .values(size=sa.bindparam("new_size"), frontier=sa.bindparam("new_frontier"))
)


class SqlTrail(StoredTrail):
    """Entries, their index and the Merkle frontier in one database; checkpoints where the sealer keeps them.

    One writer at a time: the database's own writer lock on SQLite, an advisory lock on PostgreSQL, held from
    the first append to the end of the transaction. A checkpoint is written after the commit, never before, so
    that nothing is signed that could still be rolled back; a crash between the two leaves entries not yet
    signed, and a later append signs them.
    """

    def __init__(self, database: Database, sealer: Sealer) -> None:
        super().__init__(database)
        self.sealer = sealer
        self._grew = False

    def append(self, events: Sequence[Event]) -> list[Entry]:
        """Keep the events at the end, in one transaction or the one that is open; all or none."""
        if not events:
            return []
        refs = [checked_refs(event) for event in events]
        with self.database.transaction() as connection:
            frontier = self._lock_and_read_head(connection)
            added = _placed(frontier.size, events)
            is_first = frontier.size == 0
            frontier.extend(entry.leaf_hash for entry in added)
            self._write(connection, added, refs)
            self._move_head(connection, frontier, is_first=is_first)
            if self.sealer.is_due(frontier.size, [event.kind for event in events]):
                self.database.after_commit(self, lambda: self._seal(frontier))
        self._grew = True
        return added

    def close(self) -> None:
        """What this process appended is signed, so that nothing can be cut off its end unseen.

        Raises:
            ServiceDownError: the checkpoints cannot be written; the next process signs what stands here.
        """
        if self._grew and not self.database.in_transaction:
            self.seal()
            self._grew = False

    def size(self) -> int:
        """How many entries there are."""
        return self._head().size

    def root(self) -> bytes:
        """The Merkle root over all entries."""
        return self._head().root()

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Entries `start` up to but not including `stop`, in order; those there are when reading begins."""
        end = self.size() if stop is None else min(stop, self.size())
        for at in range(start, end, PIECE_ENTRIES):
            yield from self._read(
                sa.select(trail_entries).where(
                    trail_entries.c.sequence >= at, trail_entries.c.sequence < min(end, at + PIECE_ENTRIES)
                )
            )

    def about(self, ref: str) -> list[Entry]:
        """All entries that name this id in their refs, in order."""
        return self._read(
            sa.select(trail_entries)
            .join(trail_refs, trail_refs.c.sequence == trail_entries.c.sequence)
            .where(trail_refs.c.ref == ref)
        )

    def seal(self) -> Checkpoint:
        """Sign size and root now.

        Raises:
            RefusedError: this thread has a transaction open, and what may be rolled back is not signed.
        """
        if self.database.in_transaction:
            raise RefusedError(
                "A transaction is open, and what it holds may not be signed yet.",
                remedy="Seal the trail after the transaction.",
            )
        return self._seal(self._head())

    def _seal(self, frontier: Frontier) -> Checkpoint:
        return self.sealer.seal(frontier.size, frontier.root(), self._leaf_hashes)

    def _head(self) -> Frontier:
        with self.database.reading() as connection:
            return _frontier(connection)

    def _lock_and_read_head(self, connection: sa.Connection) -> Frontier:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITER_LOCK)))
        return _frontier(connection)

    def _write(self, connection: sa.Connection, added: list[Entry], refs: list[list[str]]) -> None:
        rows = [{"sequence": one.sequence, "body": one.body, "leaf_hash": one.leaf_hash} for one in added]
        try:
            connection.execute(_WRITE_ENTRIES, rows)
        except sa.exc.IntegrityError as error:
            raise IntegrityError(
                f"There is an entry {added[0].sequence} already, but the head of the trail does not know it.",
                remedy="Type: hitl audit verify",
            ) from error
        index = [
            {"sequence": entry.sequence, "ref": ref}
            for entry, named in zip(added, refs, strict=True)
            for ref in named
        ]
        if index:
            connection.execute(_WRITE_REFS, index)

    def _move_head(self, connection: sa.Connection, frontier: Frontier, *, is_first: bool) -> None:
        if is_first:
            connection.execute(trail_head.delete())
            connection.execute(
                trail_head.insert(), {"id": HEAD, "size": frontier.size, "frontier": frontier.pack()}
            )
        else:
            connection.execute(_MOVE_HEAD, {"new_size": frontier.size, "new_frontier": frontier.pack()})

    def _read(self, query: sa.Select[Any]) -> list[Entry]:
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(trail_entries.c.sequence))
            return [Entry(sequence, body, leaf) for sequence, body, leaf in rows]

    def _leaf_hashes(self, start: int, stop: int) -> bytes:
        hashes = sa.select(trail_entries.c.leaf_hash).where(
            trail_entries.c.sequence >= start, trail_entries.c.sequence < stop
        )
        with self.database.reading() as connection:
            return b"".join(connection.execute(hashes.order_by(trail_entries.c.sequence)).scalars())


def _placed(start: int, events: Sequence[Event]) -> list[Entry]:
    bodies = [entry_body(start + at, event) for at, event in enumerate(events)]
    return [Entry(start + at, body, leaf_hash(body)) for at, body in enumerate(bodies)]


def _frontier(connection: sa.Connection) -> Frontier:
    head = connection.execute(_READ_HEAD).one_or_none()
    if head is None:
        return Frontier()
    try:
        return Frontier.load(int(head[0]), bytes(head[1]))
    except ValueError as error:
        raise IntegrityError(
            f"The head of the trail is damaged: {error}.", remedy="Type: hitl audit verify"
        ) from error
