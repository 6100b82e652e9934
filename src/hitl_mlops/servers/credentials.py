"""A project's own passwords and keys: made once, kept in a file that only its owner can read, never shown."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from hitl_mlops.errors import ConfigurationError

_FILE = "credentials.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the servers of one project ask for.

    Attributes:
        admin_email: log-in of the project's own Label Studio account.
        admin_password: its password.
        label_studio_token: 40 hex digits for Label Studio's API.
        label_studio_secret_key: signs Label Studio's sessions.
    """

    admin_email: str = "admin@hitl.local"
    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    label_studio_token: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    label_studio_secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


def read_or_make(folder: Path) -> Credentials:
    """The credentials in `folder/credentials.json` (mode 0600): made on the first call, the same ever after.

    Two processes that make them at once end up with the same ones.

    Raises:
        ConfigurationError: the file is there and cannot be read as credentials.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _FILE
    if not path.exists():
        _write_once(path, Credentials())
    return _read(path)


def _write_once(path: Path, made: Credentials) -> None:
    """The file is there, whole; where another process was first, its file stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".credentials-")  # mode 0600 from the first byte
    draft = Path(name)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(made), file, indent=2)
        draft.chmod(0o600)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _read(path: Path) -> Credentials:
    known = {one.name for one in fields(Credentials)}
    try:
        values = json.loads(path.read_text())
        return Credentials(**{name: str(values[name]) for name in known})
    except (ValueError, KeyError, TypeError, OSError) as exc:
        raise ConfigurationError(
            f"{path} does not hold this project's credentials any more.",
            remedy="Restore it from a backup, or remove its folder and begin anew (its data is lost).",
            path=str(path),
        ) from exc
