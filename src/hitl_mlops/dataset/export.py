"""A version as one Parquet file."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pyarrow.parquet as pq

from hitl_mlops.dataset.manifest import DatasetVersion
from hitl_mlops.dataset.store import DatasetStore
from hitl_mlops.errors import InputError


def export(store: DatasetStore, version: DatasetVersion, path: Path) -> Path:
    """The labelled examples of the version stand at the path, whole; a file that was there is replaced.

    The same version gives the same bytes with one version of pyarrow. The file's metadata name the digest.

    Raises:
        InputError: the path cannot be written.
    """
    table = store.read(version).combine_chunks()  # chunks would move page boundaries
    table = table.replace_schema_metadata({"hitl.dataset": version.digest})
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as file:
            pq.write_table(table, file, row_group_size=131_072, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as exc:
        raise InputError(
            f"The file {path.name} cannot be written: {exc.strerror}.",
            remedy="Name a folder that exists and has room.",
            path=str(path),
        ) from exc
    finally:
        draft.unlink(missing_ok=True)
    return path
