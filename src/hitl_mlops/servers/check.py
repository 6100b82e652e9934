"""What `hitl doctor` looks at: each check says what it found and, where it failed, what to do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from hitl_mlops.errors import HitlError
from hitl_mlops.servers import environment, label_studio
from hitl_mlops.servers.credentials import read_or_make
from hitl_mlops.servers.stack import STATE_FOLDER, Condition, Stack, Status

_PARTS = ("prefect", "mlflow", "scikit-learn", "great-expectations", "evidently", "deltalake")
SERVER = " server"
"""What a server's check ends in: `mlflow` is the installed part, `mlflow server` what answers."""
_LEAST_DISK_GB = 2.0
_CLOCK_TOLERANCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at.

    Attributes:
        name: what was looked at.
        is_ok: whether the project can work with what was found.
        found: one line.
        remedy: what to do; empty where nothing is to be done.
    """

    name: str
    is_ok: bool
    found: str
    remedy: str = ""


def check_all(folder: Path, *, database: Callable[[], object], now: datetime) -> tuple[Check, ...]:
    """Every check of the project in the folder, the failed ones too; raises nothing.

    Args:
        folder: the project's folder.
        database: opens the project's database and reads something from it, or raises a HitlError.
        now: the machine's time.
    """
    stack = Stack(folder)
    return (
        check_python(),
        check_disk(folder),
        check_clock(folder / STATE_FOLDER, now=now),
        *check_parts(),
        _guarded("Label Studio's environment", _look_for_environment),
        _guarded("database", lambda: _read(database)),
        *check_servers(stack, folder / STATE_FOLDER),
    )


def check_python() -> Check:
    """Whether this Python is one that the whole suite was run on."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    is_ok = sys.version_info[:2] == (3, 11)
    return Check(
        name="python",
        is_ok=is_ok,
        found=f"{version} ({sys.executable})",
        remedy="" if is_ok else "Install hitl-mlops with Python 3.11.",
    )


def check_disk(folder: Path) -> Check:
    """Whether the folder's disk has 2 GB left."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    is_ok = free_gb >= _LEAST_DISK_GB
    return Check(
        name="disk",
        is_ok=is_ok,
        found=f"{free_gb:.1f} GB free",
        remedy="" if is_ok else f"Free at least {_LEAST_DISK_GB:g} GB on the disk of {folder}.",
    )


def check_clock(state: Path, *, now: datetime) -> Check:
    """Whether the clock is not behind a file that this project has already written."""
    newest = max((path.stat().st_mtime for path in state.glob("*")), default=0.0)
    behind_s = newest - now.timestamp()
    is_ok = behind_s <= _CLOCK_TOLERANCE_S
    return Check(
        name="clock",
        is_ok=is_ok,
        found=now.astimezone(UTC).isoformat(timespec="seconds")
        + ("" if is_ok else f", {behind_s:.0f} s behind the newest file in {state}"),
        remedy="" if is_ok else "Set the machine's clock (timedatectl set-ntp true), then: hitl doctor",
    )


def check_parts() -> tuple[Check, ...]:
    """The versions of the parts this package stands on; a missing one fails."""
    return tuple(_part(name) for name in _PARTS)


def _part(name: str) -> Check:
    try:
        return Check(name=name, is_ok=True, found=metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(name=name, is_ok=False, found="not installed", remedy="Install hitl-mlops again.")


def check_servers(stack: Stack, state: Path) -> tuple[Check, ...]:
    """Whether each server answers, and whether Label Studio takes the project's token."""
    try:
        found: Sequence[Status] = stack.status()
    except HitlError as exc:
        return (Check(name="servers", is_ok=False, found=exc.fact, remedy=exc.remedy),)
    return tuple(_server(one, state) for one in found)


def _server(status: Status, state: Path) -> Check:
    log = state / "logs" / f"{status.name}.log"
    name = status.name + SERVER
    if status.condition is not Condition.UP or status.url is None:
        remedy = {
            Condition.SILENT: f"Wait, or read {log}; to start it anew: hitl down && hitl up",
            Condition.CRASHED: f"Read {log}, then: hitl up",
        }.get(status.condition, "hitl up")
        return Check(name=name, is_ok=False, found=status.condition.value, remedy=remedy)
    if status.name == label_studio.NAME:
        return _guarded(name, lambda: _label_studio(str(status.url), state))
    return Check(name=name, is_ok=True, found=f"up, {status.url}")


def _label_studio(url: str, state: Path) -> Check:
    is_ok = label_studio.accepts(url, read_or_make(state).label_studio_token)
    return Check(
        name=label_studio.NAME + SERVER,
        is_ok=is_ok,
        found=f"up, {url}" if is_ok else f"up, {url}, and refuses the project's token",
        remedy="" if is_ok else "Somebody changed the token in Label Studio: put the new one in hitl.yaml.",
    )


def _look_for_environment() -> Check:
    found = environment.find()
    return Check(
        name="Label Studio's environment",
        is_ok=found is not None,
        found=str(found) if found else "not made yet",
        remedy="" if found else "hitl up makes it (needs the package index).",
    )


def _read(database: Callable[[], object]) -> Check:
    database()
    return Check(name="database", is_ok=True, found="answers")


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """The check, or a failed one that carries the error's own fact and remedy."""
    try:
        return look()
    except HitlError as exc:
        return Check(name=name, is_ok=False, found=exc.fact, remedy=exc.remedy)
