"""Local copies of models, named by the hash of their files: what serves while the registry is down."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hitl_mlops.training.artifact import tree_digest


class ModelCache:
    """Folders `<hash>/…` under one folder. Each is whole or not there, however the writer ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, files: Mapping[str, bytes]) -> None:
        """The files are there under their hash; a sound copy that is there already is left as it is."""
        digest = tree_digest(files)
        place = self._place(digest)
        if self.read(digest) is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as scratch:
            fresh = Path(scratch) / "model"
            write_tree(fresh, files)
            shutil.rmtree(place, ignore_errors=True)
            try:
                fresh.rename(place)
            except OSError:  # another process kept the same files first
                if self.read(digest) is None:
                    raise

    def read(self, digest: str) -> dict[str, bytes] | None:
        """The files with that hash; None where there is no copy, or a damaged one."""
        place = self._place(digest)
        files = read_tree(place) if place.is_dir() else {}
        return files if files and tree_digest(files) == digest else None

    def _place(self, digest: str) -> Path:
        return self.folder / digest.removeprefix("sha256:")


def read_tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder: path with slashes → bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """The files stand below the folder."""
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
