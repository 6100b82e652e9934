"""Label Studio's own virtual environment is found, or made from the locked list of its parts.

It needs other versions of what this package stands on, so the two never share one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hitl_mlops.errors import ConfigurationError, ServiceDownError
from hitl_mlops.ids import sha256_hex

VARIABLE = "HITL_LABEL_STUDIO_ENV"
_LOCK = "requirements-label-studio.lock"
_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parents[2]
_READY = "hitl-ready"


def find_or_make(*, tell: Callable[[str], None] = lambda _: None) -> Path:
    """The folder of an environment that holds Label Studio; made on the first call (some 20 s).

    Looked for in `$HITL_LABEL_STUDIO_ENV`, then beside the sources (`.venv-label-studio`), then in the user's
    cache.

    Args:
        tell: receives one line when there is something to wait for.

    Raises:
        ConfigurationError: the variable names a folder without Label Studio.
        ServiceDownError: the parts could not be fetched or installed.
    """
    found = find()
    if found is not None:
        return found
    folder = _cached()
    tell(f"Installing Label Studio into {folder} (once)")
    with _alone(folder.with_suffix(".lock")):
        if not _is_ready(folder):
            _make(folder)
    return folder


def find() -> Path | None:
    """The environment where there is one already, else None.

    Raises:
        ConfigurationError: the variable names a folder without Label Studio.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if _program(Path(named)).exists():
            return Path(named).resolve()
        raise ConfigurationError(
            f"{VARIABLE} names {named}, which holds no bin/label-studio.",
            remedy=f"Install Label Studio there, or unset {VARIABLE} and let hitl up make an environment.",
            folder=named,
        )
    beside = _CHECKOUT / ".venv-label-studio"
    if (_CHECKOUT / _LOCK).exists() and _program(beside).exists():
        return beside
    return _cached() if _is_ready(_cached()) else None


def lock_file() -> Path:
    """The locked list of Label Studio's parts: inside an installed package, or at the root of the sources."""
    packaged = _HERE / _LOCK
    return packaged if packaged.exists() else _CHECKOUT / _LOCK


def _program(environment: Path) -> Path:
    return environment / "bin" / "label-studio"


def _cached() -> Path:
    """One folder per lock, so that two versions of this package do not spoil each other's."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "hitl" / f"label-studio-{sha256_hex(lock_file().read_bytes())[:12]}"


def _is_ready(environment: Path) -> bool:
    return (environment / _READY).exists() and _program(environment).exists()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the kernel lets go of the lock however the holder ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)  # half made by a process that was ended
    for command in _commands(folder):
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
        if done.returncode:
            raise ServiceDownError(
                f"Label Studio could not be installed: {_last_words(done.stderr or done.stdout)}",
                remedy="Connect to a Python package index (or tell pip or uv your mirror), then: hitl up. "
                f"Or install Label Studio elsewhere and name its environment in {VARIABLE}.",
                command=" ".join(command),
            )
    (folder / _READY).touch()


def _commands(folder: Path) -> list[list[str]]:
    """With uv where it is at hand (8 s), else venv and pip (about a minute)."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(_CHECKOUT / ".tools" / "bin"))
    python = str(folder / "bin" / "python")
    locked = ["--require-hashes", "-r", str(lock_file())]
    if uv:
        return [
            [uv, "venv", "-q", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "-q", "--python", python, *locked],
        ]
    return [
        [sys.executable, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *locked],
    ]


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " · ".join(lines[-3:]) or "the installer said nothing."
