"""Manifests as files, each written once and whole."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hitl_mlops.errors import IntegrityError


class ManifestFolder:
    """A folder of numbered manifests, `000001.json` and on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def numbers(self, after: int = 0) -> list[int]:
        """Those that are there beyond `after`, ascending.

        Raises:
            IntegrityError: one between them is gone.
        """
        if after and not self._path(after + 1).exists():
            return []  # the usual answer, for which no folder is read
        found = sorted(int(path.stem) for path in self._folder.glob("[0-9]*.json"))
        if found != list(range(1, len(found) + 1)):
            gone = min(set(range(1, found[-1])) - set(found))
            raise IntegrityError(
                f"The manifest {gone:06d}.json is gone.",
                remedy="Restore it from your backup.",
                manifest=f"{gone:06d}.json",
            )
        return found[after:]

    def get(self, number: int) -> bytes:
        """The bytes of a manifest that is there."""
        return self._path(number).read_bytes()

    def put(self, number: int, raw: bytes) -> bool:
        """Keep the manifest if there is none of that number; tells whether it was kept.

        After it answers, the file survives a power cut; a kill in the middle leaves no manifest.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        return write_once(self._path(number), raw)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.json"


def write_once(path: Path, raw: bytes, *, lasting: bool = True) -> bool:
    """Put the bytes at a path where nothing is, whole or not at all; tells whether it did.

    What is not `lasting` is not flushed to the disk: a power cut may lose it.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as file:
            file.write(raw)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        os.link(draft, path)  # fails where the path exists: the one step that decides between two writers
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    if lasting:
        sync(path.parent)
    return True


def sync(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
