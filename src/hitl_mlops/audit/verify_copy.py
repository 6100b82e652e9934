"""The verb of an auditor: a copied database held against copied checkpoints and a public key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hitl_mlops.audit.checkpoint_file import FileCheckpoints
from hitl_mlops.audit.keys import read_verifier
from hitl_mlops.audit.trail_stored import StoredTrail
from hitl_mlops.audit.verify import Verification, verify
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import NotFoundError

CHECKPOINTS_FILE = "checkpoints.txt"


def verify_copy(
    database_url: str,
    checkpoints: Path,
    public_key: Path,
    *,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Everything was checked with nothing but these three; no project, no signing key, no server.

    Args:
        database_url: `sqlite:///copy.db`, or a PostgreSQL address whose user need only read.
        checkpoints: the folder of the checkpoints, or the file in it.
        public_key: the `.pub` file, from a place that whoever writes the database cannot write.
        progress: called with the number of entries read so far.

    Raises:
        NotFoundError: one of the three is not there.
        IntegrityError: the public key is malformed, or the database damaged.
        ConfigurationError: the database holds no trail.
    """
    notes = checkpoints / CHECKPOINTS_FILE if checkpoints.is_dir() else checkpoints
    for path, what in ((notes, "checkpoint file"), (_file_of(database_url), "database")):
        if path is not None and not path.is_file():
            raise NotFoundError(f"There is no {what} at {path}.", remedy="Copy it again, or mend the path.")
    verifier = read_verifier(public_key)
    database = Database(database_url)
    try:
        return verify(StoredTrail(database), FileCheckpoints(notes), verifier, progress=progress)
    finally:
        database.close()


def _file_of(url: str) -> Path | None:
    """The file of an SQLite address, which SQLite would make anew where it is missing; else None."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None  # `Database` says what is wrong with it
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    return Path(str(parsed.database)) if is_file else None
