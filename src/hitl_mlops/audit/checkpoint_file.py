"""Checkpoints in an append-only file; the real adapter of the checkpoint store."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from hitl_mlops.audit.checkpoint import EM_DASH, Checkpoint, LeafHashes
from hitl_mlops.audit.checkpoint_in_memory import greatest
from hitl_mlops.audit.merkle import HASH_BYTES
from hitl_mlops.errors import ServiceDownError

NOTE_END = "\n\n"
TAIL_BYTES = 4096  # holds the last note several times over
COPY_ENTRIES = 100_000


class FileCheckpoints:
    """Notes one after another in `path`, each followed by an empty line; leaf hashes in `path` + `.leaves`.

    Every write is one `write` at the end under a lock, followed by `fsync`; half a note that a crash left at
    the end is no note, and the next write takes its place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.leaves_path = path.with_name(path.name + ".leaves")

    def write(self, checkpoint: Checkpoint, leaf_hashes: LeafHashes) -> None:
        """The checkpoint and the leaf hashes up to its size are on the disk.

        Raises:
            ServiceDownError: the file cannot be written (rights, full disk).
        """
        note = (checkpoint.note() + "\n").encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked(self.path) as descriptor:
                self._keep_leaves(checkpoint.size, leaf_hashes)
                end = self._whole_bytes(descriptor)
                if os.pread(descriptor, len(note), max(0, end - len(note))) != note:
                    _write_at(descriptor, note, end)
        except OSError as error:
            raise ServiceDownError(
                f"The checkpoint file {self.path} cannot be written: {error.strerror}.",
                remedy="Make room or give rights there; the entries are kept, but not yet signed.",
            ) from error

    def notes(self) -> list[str]:
        """Every note in the order written; half a note at the end is left out."""
        try:
            text = self.path.read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        found, draft = [], ""
        for part in text.split(NOTE_END)[:-1]:
            draft = f"{draft}{NOTE_END}{part}" if draft else part
            if part.startswith(f"{EM_DASH} "):
                found.append(draft + "\n")
                draft = ""
        return found

    def latest(self) -> Checkpoint | None:
        """The readable checkpoint of the greatest size, or None."""
        return greatest(self.notes())

    def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Kept leaf hashes of entries start … stop - 1, joined; shorter where fewer are kept."""
        try:
            with self.leaves_path.open("rb") as file:
                file.seek(start * HASH_BYTES)
                kept = file.read((stop - start) * HASH_BYTES)
        except FileNotFoundError:
            return b""
        return kept[: len(kept) // HASH_BYTES * HASH_BYTES]

    def _keep_leaves(self, size: int, leaf_hashes: LeafHashes) -> None:
        with self._locked(self.leaves_path) as descriptor:
            have = os.fstat(descriptor).st_size // HASH_BYTES
            for start in range(have, size, COPY_ENTRIES):
                piece = leaf_hashes(start, min(size, start + COPY_ENTRIES))
                _write_at(descriptor, piece, start * HASH_BYTES)

    def _whole_bytes(self, descriptor: int) -> int:
        """Where the last whole note ends, so that what a crash left behind it is overwritten."""
        size = os.fstat(descriptor).st_size
        start = max(0, size - TAIL_BYTES)
        tail = os.pread(descriptor, TAIL_BYTES, start)
        at = tail.rfind(b"\n\n")
        while at > 0 and not _ends_a_note(tail, at):
            at = tail.rfind(b"\n\n", 0, at)
        if at > 0:
            return start + at + len(NOTE_END)
        return size if start else 0  # a long stretch that is no note is not ours to cut

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[int]:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def _ends_a_note(tail: bytes, at: int) -> bool:
    """Whether the line before this empty line is a signature: it opens with the em dash."""
    return tail[tail.rfind(b"\n", 0, at) + 1 : at].startswith(EM_DASH.encode())


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    os.ftruncate(descriptor, offset)
    os.pwrite(descriptor, data, offset)
    os.fsync(descriptor)
