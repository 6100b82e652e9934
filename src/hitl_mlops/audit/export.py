"""The verb: a folder that proves the trail to someone who has neither the database nor this program."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hitl_mlops.audit.checkpoint import CheckpointStore
from hitl_mlops.audit.keys import Verifier
from hitl_mlops.audit.trail import Trail
from hitl_mlops.errors import ConfigurationError, InputError

PROVER = Path(__file__).with_name("verify_trail.py")
"""The program that goes with every export; it stands alone and is never imported here."""

COPY_ENTRIES = 100_000


@dataclass(frozen=True, slots=True)
class Export:
    """What was written.

    Attributes:
        folder: where.
        entries: how many entries, all of them under a signed checkpoint.
        checkpoints: how many notes.
        command: what whoever gets the folder types.
    """

    folder: Path
    entries: int
    checkpoints: int
    command: str


def export_trail(
    trail: Trail,
    store: CheckpointStore,
    verifier: Verifier,
    folder: Path,
    *,
    progress: Callable[[int], None] | None = None,
) -> Export:
    """Entries, checkpoints, leaf hashes, public key and a program that proves them are in a new folder.

    The trail is sealed first; what is appended meanwhile is left out. Killed half-way there is no folder.

    Args:
        trail: what is exported.
        store: where its checkpoints are kept.
        verifier: its public key.
        folder: a path where nothing is yet.
        progress: called with the number of entries written so far.

    Raises:
        InputError: something is at that path.
        ConfigurationError: it cannot be written.
    """
    if folder.exists():
        raise InputError(f"{folder} is there already.", remedy="Name a folder that does not exist yet.")
    sealed = trail.seal()
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True)
        notes = store.notes()
        (draft / "checkpoints.txt").write_text("".join(note + "\n" for note in notes), encoding="utf-8")
        _write_leaves(store, sealed.size, draft / "checkpoints.txt.leaves")
        _write_entries(trail, sealed.size, draft / "entries.ndjson", progress)
        (draft / "trail.pub").write_text(verifier.text() + "\n", encoding="utf-8")
        shutil.copyfile(PROVER, draft / PROVER.name)
        draft.rename(folder)
    except OSError as error:
        raise ConfigurationError(
            f"The export {folder} cannot be written: {error.strerror}.",
            remedy="Name a folder on a disk with room, where this user may write.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Export(
        folder, sealed.size, len(notes), f"python3 {folder / PROVER.name} --key YOUR-COPY-OF-trail.pub"
    )


def _write_leaves(store: CheckpointStore, size: int, path: Path) -> None:
    with path.open("wb") as file:
        for start in range(0, size, COPY_ENTRIES):
            file.write(store.leaf_hashes(start, min(size, start + COPY_ENTRIES)))


def _write_entries(trail: Trail, size: int, path: Path, progress: Callable[[int], None] | None) -> None:
    with path.open("w", encoding="ascii") as file:
        for entry in trail.entries(0, size):
            line = {"sequence": entry.sequence, "body": base64.b64encode(entry.body).decode()}
            file.write(json.dumps(line) + "\n")
            if progress is not None and entry.sequence % COPY_ENTRIES == 0:
                progress(entry.sequence)
