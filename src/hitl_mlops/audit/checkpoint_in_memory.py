"""The twin of the checkpoint store, for tests and dry runs."""

from __future__ import annotations

from hitl_mlops.audit.checkpoint import Checkpoint, LeafHashes, parse_checkpoint
from hitl_mlops.audit.merkle import HASH_BYTES
from hitl_mlops.errors import IntegrityError


class InMemoryCheckpoints:
    """Keeps notes and leaf hashes in lists; see `CheckpointStore`."""

    def __init__(self) -> None:
        self.kept_notes: list[str] = []
        self.kept_hashes = b""

    def write(self, checkpoint: Checkpoint, leaf_hashes: LeafHashes) -> None:
        """The checkpoint is the last note."""
        have = len(self.kept_hashes) // HASH_BYTES
        if have < checkpoint.size:
            self.kept_hashes += leaf_hashes(have, checkpoint.size)
        if self.kept_notes[-1:] != [checkpoint.note()]:
            self.kept_notes.append(checkpoint.note())

    def notes(self) -> list[str]:
        """Every note in the order written."""
        return list(self.kept_notes)

    def latest(self) -> Checkpoint | None:
        """The readable checkpoint of the greatest size, or None."""
        return greatest(self.kept_notes)

    def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Kept leaf hashes of entries start … stop - 1."""
        return self.kept_hashes[start * HASH_BYTES : stop * HASH_BYTES]


def greatest(notes: list[str]) -> Checkpoint | None:
    """The readable checkpoint of the greatest size among the notes; the later one on a tie."""
    found: Checkpoint | None = None
    for note in notes:
        try:
            checkpoint = parse_checkpoint(note)
        except IntegrityError:
            continue  # `verify` is the place that tells of it
        if found is None or checkpoint.size >= found.size:
            found = checkpoint
    return found
