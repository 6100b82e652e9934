"""The port of the trail. Its twin is `trail_in_memory`, its real adapter `trail_sql`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from hitl_mlops.audit.checkpoint import Checkpoint
from hitl_mlops.audit.entry import Entry, Event


class Trail(Protocol):
    """Append-only, in one order, provable (RFC 6962)."""

    def append(self, events: Sequence[Event]) -> list[Entry]:
        """Keep the events, in this order, at the end; all or none.

        Joins the transaction of the database if one is open, so that rows and their entry are kept
        together. Appending nothing does nothing. Writes a checkpoint when one is due.

        Raises:
            InputError: an event has no canonical bytes.
            BusyError: another writer held the lock for longer than the timeout.
        """
        ...

    def size(self) -> int:
        """How many entries there are."""
        ...

    def root(self) -> bytes:
        """The Merkle root over all entries, 32 bytes; SHA-256 of nothing for an empty trail."""
        ...

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Entries `start` up to but not including `stop`, in order, read in bounded pieces."""
        ...

    def about(self, ref: str) -> list[Entry]:
        """All entries that name this id in their refs, in order."""
        ...

    def seal(self) -> Checkpoint:
        """Sign size and root now and write them outside the database."""
        ...
