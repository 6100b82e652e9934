"""Whether a trail is what was written, and if not, which entry is the first that is not.

Two kinds of evidence: the entries themselves (hash, place, spelling, index, head) and the signed checkpoints
that lie outside the database. Whoever can write the database can mend the first kind; only the second shows
that. What came after the last checkpoint rests on the first kind alone, and `Verification.unsealed` tells how
much that is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from hitl_mlops.audit.checkpoint import Checkpoint, CheckpointStore, parse_checkpoint
from hitl_mlops.audit.faults import leaves_before_fault, sound_leaves
from hitl_mlops.audit.keys import Verifier
from hitl_mlops.audit.merkle import HASH_BYTES, Frontier, split_hashes
from hitl_mlops.errors import IntegrityError

PIECE_ENTRIES = 200  # larger pieces are slower: what is parsed should die young
FIRST_ROW, LAST_ROW = -(2**63), 2**63 - 1


class TrailSource(Protocol):
    """A trail as it lies there, unconverted; both trails are one."""

    def snapshot(self) -> AbstractContextManager[None]:
        """What is read inside is one state."""
        ...

    def raw_entries(self, start: int, limit: int) -> list[tuple[Any, Any, Any]]:
        """Rows (sequence, body, leaf hash) from `start` on, in order."""
        ...

    def raw_refs(self, first: int, last: int) -> list[tuple[Any, Any]]:
        """Rows (sequence, ref) of the index, of entries first … last, in any order."""
        ...

    def raw_head(self) -> tuple[Any, Any] | None:
        """Size and packed frontier, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it was written.

    Attributes:
        place: the first entry it concerns; None where it concerns no entry.
        what: what is wrong, in plain words.
    """

    place: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found.

    Attributes:
        size: how many entries were read; all of them, unless a problem ended the reading.
        sealed: how many of them the last matching checkpoint covers.
        checkpoints: how many checkpoints matched.
        problems: what is wrong, the first bad entry first; empty if all is well.
    """

    size: int
    sealed: int
    checkpoints: int
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def unsealed(self) -> int:
        """How many entries at the end no checkpoint covers yet."""
        return self.size - self.sealed

    @property
    def first_bad(self) -> int | None:
        """The first entry that is not as it was written; None if there is none, or no entry is concerned."""
        return min((one.place for one in self.problems if one.place is not None), default=None)


def verify(
    source: TrailSource,
    store: CheckpointStore,
    verifier: Verifier,
    *,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Everything was checked, in one pass and bounded memory; reading ends at the first piece with a problem.

    Args:
        source: the trail.
        store: where its checkpoints are kept.
        verifier: the public key, from a place that whoever writes the database cannot write.
        progress: called with the number of entries read so far.
    """
    signed, bad_notes = _judged(store.notes(), verifier)  # before the trail, which may grow meanwhile
    reading = _Reading(source, store, signed)
    with source.snapshot():
        while reading.read_piece():
            if progress is not None:
                progress(reading.place)
        reading.check_end()
    reading.check_notes(bad_notes)
    reading.name_first_bad()
    problems = sorted(reading.problems, key=lambda one: LAST_ROW if one.place is None else one.place)
    return Verification(reading.place, reading.sealed, reading.matched, tuple(problems))


def _judged(notes: list[str], verifier: Verifier) -> tuple[list[Checkpoint], list[str]]:
    """Checkpoints that the key signed, by size, and what is wrong with the other notes."""
    signed: list[Checkpoint] = []
    wrong: list[str] = []
    for number, note in enumerate(notes, start=1):
        try:
            checkpoint = parse_checkpoint(note)
        except IntegrityError:
            wrong.append(f"Checkpoint {number} cannot be read.")
            continue
        if verifier.accepts(checkpoint):
            signed.append(checkpoint)
        else:
            size, key_id = checkpoint.size, checkpoint.key_id.hex()
            wrong.append(
                f"Checkpoint {number} (of {size} entries) is not signed by our key, but by {key_id}."
            )
    return sorted(signed, key=lambda one: one.size), wrong


class _Reading:
    """One pass over a trail: how far it came and what it found."""

    def __init__(self, source: TrailSource, store: CheckpointStore, signed: list[Checkpoint]) -> None:
        self.source, self.store, self.signed = source, store, signed
        self.problems: list[Problem] = []
        self.place = self.sealed = self.matched = 0
        self._next_row = FIRST_ROW
        self._frontier = Frontier()
        self._differs_at: int | None = None  # the first leaf that is not the kept one
        self._go_on([])

    def read_piece(self) -> bool:
        """Whether there is more to read; the next piece was checked and its checkpoints compared."""
        rows = self.source.raw_entries(self._next_row, PIECE_ENTRIES)
        more = len(rows) == PIECE_ENTRIES
        last_row = int(rows[-1][0]) if more else LAST_ROW
        refs = self.source.raw_refs(self._next_row, last_row)
        leaves = sound_leaves(self.place, rows, refs)
        if leaves is None:
            leaves, fault = leaves_before_fault(self.place, rows, refs)
            self.problems.append(Problem(*fault))
        self._go_on(leaves)
        self._next_row = last_row + more
        return more and not self.problems

    def check_end(self) -> None:
        """Head and checkpoints agree on where the trail ends."""
        if self.problems:
            return
        there = f"There are {self.place} entries, but"
        if self.signed and self.signed[-1].size > self.place:
            what = (
                f"{there} {self.signed[-1].size} were signed: the end was cut off, or an old backup restored."
            )
            self.problems.append(Problem(self.place, what))
        elif self.place and not self.signed:
            self.problems.append(Problem(0, f"{there} no checkpoint of ours vouches for them."))
        head = self.source.raw_head() or (0, b"")
        if head[0] != self.place:
            known = head[0] if isinstance(head[0], int) else 0
            # What is sealed is there, whatever the head says.
            place = max(self.sealed, min(known, self.place))
            self.problems.append(Problem(place, f"{there} the head of the trail says {head[0]}."))
        elif head[1] != self._frontier.pack():
            self.problems.append(Problem(None, "The head of the trail does not belong to its entries."))

    def check_notes(self, bad_notes: list[str]) -> None:
        """Notes that are not ours are problems; entries that only they cover are vouched for by no one."""
        place = self.sealed if self.sealed < self.place else None
        self.problems += [Problem(place, what) for what in bad_notes]

    def name_first_bad(self) -> None:
        """If something is wrong, the first entry that is not as signed is among the problems."""
        place = self._differs_at
        if self.problems and place is not None and all(one.place != place for one in self.problems):
            bearing = (one for one in self.signed if one.size > place)
            if any(self._kept_root(one.size) == one.root for one in bearing):
                self.problems.append(Problem(place, f"Entry {place} is not the one that was signed."))

    def _go_on(self, leaves: list[bytes]) -> None:
        """The leaves are part of the tree, and every checkpoint up to them was compared."""
        self._compare_kept(leaves)
        start, begun = self.place, 0
        self.place += len(leaves)
        for checkpoint in self.signed[self.matched :]:
            if checkpoint.size > self.place:
                break
            self._frontier.extend(leaves[begun : checkpoint.size - start])
            begun = checkpoint.size - start
            if self._frontier.root() != checkpoint.root:
                self.problems.append(self._another_root(checkpoint))
                return
            self.sealed, self.matched = checkpoint.size, self.matched + 1
        self._frontier.extend(leaves[begun:])

    def _another_root(self, checkpoint: Checkpoint) -> Problem:
        place, size = self._differs_at, checkpoint.size
        signed = f"the checkpoint of {size} entries has another root."
        if place is not None and place < size and self._kept_root(size) == checkpoint.root:
            return Problem(place, f"Entry {place} is not the one that was signed: {signed}")
        return Problem(
            self.sealed, f"One of the entries {self.sealed} to {size - 1} is not what was signed: {signed}"
        )

    def _compare_kept(self, leaves: list[bytes]) -> None:
        if self._differs_at is not None:
            return
        kept = self.store.leaf_hashes(self.place, self.place + len(leaves))
        if b"".join(leaves[: len(kept) // HASH_BYTES]) != kept:
            pairs = zip(leaves, split_hashes(kept), strict=False)
            self._differs_at = self.place + next(
                at for at, (ours, theirs) in enumerate(pairs) if ours != theirs
            )

    def _kept_root(self, size: int) -> bytes | None:
        """The root of the kept leaf hashes, which are to be believed if it is the signed one."""
        frontier = Frontier()
        for start in range(0, size, PIECE_ENTRIES):
            frontier.extend(split_hashes(self.store.leaf_hashes(start, min(size, start + PIECE_ENTRIES))))
        return frontier.root() if frontier.size == size else None
