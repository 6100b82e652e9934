"""The twin of the trail, for tests and dry runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from hitl_mlops.audit.checkpoint import Checkpoint
from hitl_mlops.audit.checkpoint_in_memory import InMemoryCheckpoints
from hitl_mlops.audit.entry import Entry, Event, checked_refs, entry_body
from hitl_mlops.audit.keys import signer_from_seed
from hitl_mlops.audit.merkle import Frontier, leaf_hash
from hitl_mlops.audit.sealing import Sealer


class InMemoryTrail:
    """Entries in a list; see `Trail`. Without a sealer it signs with a key everyone knows, into memory."""

    def __init__(self, sealer: Sealer | None = None) -> None:
        self.sealer = sealer or Sealer(signer_from_seed("hitl/memory", bytes(32)), InMemoryCheckpoints())
        self._entries: list[Entry] = []
        self._places: dict[str, list[int]] = {}
        self._frontier = Frontier()

    def append(self, events: Sequence[Event]) -> list[Entry]:
        """Keep the events at the end; all or none."""
        if not events:
            return []
        refs = [checked_refs(event) for event in events]
        start = len(self._entries)
        bodies = [entry_body(start + at, event) for at, event in enumerate(events)]
        added = [Entry(start + at, body, leaf_hash(body)) for at, body in enumerate(bodies)]
        due = self.sealer.is_due(start + len(added), [event.kind for event in events])
        self._entries += added
        self._frontier.extend(entry.leaf_hash for entry in added)
        for entry, named in zip(added, refs, strict=True):
            for ref in named:
                self._places.setdefault(ref, []).append(entry.sequence)
        if due:
            self.seal()
        return added

    def size(self) -> int:
        """How many entries there are."""
        return len(self._entries)

    def root(self) -> bytes:
        """The Merkle root over all entries."""
        return self._frontier.root()

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Entries `start` up to but not including `stop`, in order."""
        yield from self._entries[start:stop]

    def about(self, ref: str) -> list[Entry]:
        """All entries that name this id in their refs, in order."""
        return [self._entries[place] for place in self._places.get(ref, [])]

    def seal(self) -> Checkpoint:
        """Sign size and root now."""
        return self.sealer.seal(self.size(), self.root(), self._leaf_hashes)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is one state of the trail; here it always is."""
        yield

    def raw_entries(self, start: int, limit: int) -> list[tuple[int, bytes, bytes]]:
        """Rows (sequence, body, leaf hash) from `start` on, in order; for verification."""
        begin = max(0, start)
        return [(one.sequence, one.body, one.leaf_hash) for one in self._entries[begin : begin + limit]]

    def raw_refs(self, first: int, last: int) -> list[tuple[int, str]]:
        """Rows (sequence, ref) of the index, of entries first … last; for verification."""
        return [
            (place, ref) for ref, places in self._places.items() for place in places if first <= place <= last
        ]

    def raw_head(self) -> tuple[int, bytes]:
        """Size and packed frontier; for verification."""
        return self._frontier.size, self._frontier.pack()

    def _leaf_hashes(self, start: int, stop: int) -> bytes:
        return b"".join(entry.leaf_hash for entry in self._entries[start:stop])
