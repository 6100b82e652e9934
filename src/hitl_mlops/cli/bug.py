"""An error that nobody foresaw: one plain line for people, the traceback in a file for us."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import hitl_mlops

STATE_FOLDER = ".hitl"


@dataclass(frozen=True, slots=True)
class Told:
    """What a person reads of a bug."""

    fact: str
    remedy: str


def keep_traceback(error: Exception, arguments: Sequence[str]) -> Told:
    """The traceback is in a file for this user only: in the project's `.hitl/logs`, else a temporary one.

    It may hold values of the user's data, so it is sent nowhere.
    """
    lines = [
        f"hitl {hitl_mlops.__version__}, Python {platform.python_version()}, {platform.platform()}\n",
        f"hitl {' '.join(arguments)}\n\n",
        *traceback.format_exception(error),
    ]
    path = _write("".join(lines), _folder(arguments))
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return Told(
        f"{type(error).__name__}: {first}" if first else type(error).__name__,
        f"This is a bug, the traceback is in {path}. It may quote your data: read it before you send it.",
    )


def _write(text: str, folder: Path) -> Path:
    name = f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    for place in (folder, Path(tempfile.gettempdir())):
        try:
            place.mkdir(exist_ok=True)
            path = place / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return path.resolve()
    return Path(os.devnull)


def _folder(arguments: Sequence[str]) -> Path:
    """`.hitl/logs` of the project that the command was about, where it has a `.hitl`."""
    project = Path()
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option in ("-p", "--project"):
            project = Path(value)
        elif option.startswith("--project="):
            project = Path(option.partition("=")[2])
    folder = (project.parent if project.is_file() else project) / STATE_FOLDER
    return folder / "logs" if folder.is_dir() else Path(tempfile.gettempdir())
