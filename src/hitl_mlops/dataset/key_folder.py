"""Key tables as memory-mapped files beside the logs."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from hitl_mlops.dataset.keys import KeyTable
from hitl_mlops.dataset.manifest_folder import write_once


class KeyFolder:
    """See `KeyShelf`. Named by the head of the log, a table can end with no other rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mapped: dict[Path, KeyTable] = {}

    def put(self, log: str, head: str, table: KeyTable) -> None:
        """See `KeyShelf.put`."""
        path = self._path(log, head)
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = io.BytesIO()
        np.save(raw, table)
        write_once(path, raw.getvalue(), lasting=False)

    def get(self, log: str, head: str) -> KeyTable | None:
        """See `KeyShelf.get`. A file that is no key table counts as lost and is removed."""
        path = self._path(log, head)
        if path not in self._mapped:
            try:
                self._mapped[path] = np.asarray(np.load(path, mmap_mode="r"))
            except FileNotFoundError:
                return None
            except (ValueError, EOFError):
                path.unlink(missing_ok=True)
                return None
        return self._mapped[path]

    def drop(self, log: str, head: str) -> None:
        """See `KeyShelf.drop`. Whoever has it mapped keeps what it reads."""
        path = self._path(log, head)
        self._mapped.pop(path, None)
        path.unlink(missing_ok=True)

    def _path(self, log: str, head: str) -> Path:
        return self._folder / log / f"{head[:32]}.npy"
