"""The demo's folder: a project as `hitl init` writes one, made anew each time, and only over a demo's own."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hitl_mlops
from hitl_mlops.demo import fresh
from hitl_mlops.demo.people import MLFLOW_PEOPLE, TEAM
from hitl_mlops.errors import BusyError, ConfigurationError, RefusedError
from hitl_mlops.new_project.starter import starter_files
from hitl_mlops.servers.mlflow_people import PEOPLE_FILE, people_text
from hitl_mlops.servers.stack import Stack
from hitl_mlops.settings import STATE_FOLDER

if TYPE_CHECKING:
    from hitl_mlops.demo.cheques import Cheques

NAME = "demo-project"
MARK = "demo.lock"
KEY = b"the demo draws the same every time"[:32]
"""In place of a secret: spot checks, splits and ids come out the same in every run."""
SUPERVISORS = 2
"""So many of the team decide what others leave open; one alone could not where they had answered."""


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """The folder is empty but for our mark and what `fresh` keeps, and no other demo uses it until the block ends.

    Raises:
        BusyError: another demo runs in it.
        RefusedError: something stands there that no demo made; it is left alone.
    """  # noqa: E501
    mark = folder / STATE_FOLDER / MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise RefusedError(
            f"{folder} is not a folder that a demo made; nothing in it was touched.",
            remedy="Run the demo in another directory, or move that folder away.",
            folder=str(folder),
        )
    mark.parent.mkdir(parents=True, exist_ok=True)
    with mark.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise BusyError(
                f"Another demo is running in {folder}.",
                remedy="Wait until it ends, or end it with Ctrl-C where it runs.",
                folder=str(folder),
            ) from exc
        Stack(folder).down()
        _empty(folder, mark)
        yield folder


def _empty(folder: Path, mark: Path) -> None:
    for old in (*folder.iterdir(), *mark.parent.iterdir()):
        if old in (mark, mark.parent, mark.parent / fresh.FOLDER):
            continue
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()


def write_people(folder: Path) -> None:
    """The project says who may do what in MLflow, which therefore starts behind the app."""
    (folder / PEOPLE_FILE).write_text(people_text(MLFLOW_PEOPLE))


def write_project(folder: Path, data: Cheques) -> None:
    """The cheque reader stands in the folder: settings, policy, flows, people, and what is known so far."""
    for path, content in {**starter_files(), **_settings()}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (folder / "data").mkdir(exist_ok=True)
    data.base.to_parquet(folder / "data" / "base.parquet")
    (folder / "reviewers.yaml").write_text(_roster())
    key = folder / STATE_FOLDER / "keys" / "policy.key"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.touch(mode=0o600)
    key.write_bytes(KEY)


def _roster() -> str:
    row = "  - {{id: {}, account: {}, name: {}, skills: [{}]}}\n"
    people = (
        row.format(
            one.person_id, one.account, one.name, "senior, supervisor" if place < SUPERVISORS else "senior"
        )
        for place, one in enumerate(TEAM)
    )
    return "# Simulated, for the demo: src/hitl_mlops/demo/people.py.\npeople:\n" + "".join(people)


def _settings() -> dict[str, bytes]:
    package = Path(hitl_mlops.__file__).resolve().parent
    for folder in (package / "starter" / "configs" / "digits", package.parents[1] / "configs" / "digits"):
        if folder.is_dir():
            return {file.name: file.read_bytes() for file in folder.glob("*.yaml")}
    raise ConfigurationError(
        "The demo's settings are not in the installed package.",
        remedy="Install hitl-mlops again: pip install --force-reinstall hitl-mlops",
    )
