"""The folder of a new project is written: all of it or nothing, and never over anything of the user's."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hitl_mlops.decisions.task import InputKind
from hitl_mlops.errors import InputError, RefusedError
from hitl_mlops.ids import sha256_hex
from hitl_mlops.new_project.proposal import Proposal
from hitl_mlops.new_project.render import GITIGNORE, REVIEWERS, project_file, skeleton_file
from hitl_mlops.new_project.starter import starter_files
from hitl_mlops.project import Project
from hitl_mlops.routing.policy_default import default_policy
from hitl_mlops.routing.policy_schema import policy_schema
from hitl_mlops.settings import PROJECT_FILE, STATE_FOLDER

IGNORED = f"{STATE_FOLDER}/.gitignore"
SCHEMA_FILE = "policy.schema.json"
"""Beside policy.yaml, not in the state folder: it is committed, and editors find it in every clone."""
WRITTEN = f"{STATE_FOLDER}/written-by-init.json"
"""Path → SHA-256 of what was written, so that `--force` knows what is still ours."""


@dataclass(frozen=True, slots=True)
class Started:
    """What stands in the folder now.

    Attributes:
        folder: the project's folder.
        project: its name.
        files: paths inside the folder that were written.
    """

    folder: Path
    project: str
    files: tuple[str, ...]


def write_project(
    folder: Path, proposal: Proposal, data: Path, *, name: str = "", force: bool = False
) -> Started:
    """The folder holds a project that opens, with the data copied to `data/base.*`.

    Args:
        folder: made where it is missing; other files in it are left alone.
        proposal: what was found in the data.
        data: the user's file.
        name: of the project; empty: the folder's.
        force: write again what `hitl init` wrote and nobody changed since.

    Raises:
        RefusedError: a file of that name is there (with `force`: and was changed or is not ours).
        InputError: the folder cannot be written to, or the data are not those of the proposal.
    """
    name = name or project_name(folder)
    base = f"data/base{data.suffix.lower()}"
    files = {**_common(name), PROJECT_FILE: project_file(name, base, proposal).encode()}
    return _write(folder, name, files, {base: data}, force=force)


def write_skeleton(folder: Path, kind: InputKind, *, name: str = "", force: bool = False) -> Started:
    """The folder holds a project without data: settings and policy load, columns are to be corrected.

    Raises as `write_project` does.
    """
    name = name or project_name(folder)
    files = {**_common(name), PROJECT_FILE: skeleton_file(name, kind).encode()}
    return _write(folder, name, files, {}, force=force)


def project_name(folder: Path) -> str:
    """A name for a project in that folder.

    >>> project_name(Path("/srv/Loans (2026)"))
    'Loans 2026'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", " ", folder.resolve().name).strip(" _-") or "project"


def _common(name: str) -> dict[str, bytes]:
    schema = json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"
    policy = f"# yaml-language-server: $schema=./{SCHEMA_FILE}\n{default_policy(name)}"
    own = {SCHEMA_FILE: schema, "policy.yaml": policy, "reviewers.yaml": REVIEWERS, IGNORED: GITIGNORE}
    return {**starter_files(project=name), **{path: text.encode() for path, text in own.items()}}


def _write(
    folder: Path, name: str, files: Mapping[str, bytes], copies: Mapping[str, Path], *, force: bool
) -> Started:
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copies = {path: source for path, source in copies.items() if not _is_same(folder / path, source)}
        paths = sorted([*files, *copies])
        _refuse_others(folder, paths, force=force)
        with _draft(folder) as draft:
            for path, content in files.items():
                _place(draft / path).write_bytes(content)
            for path, source in copies.items():
                shutil.copyfile(source, _place(draft / path))
            _demand_it_opens(draft, folder)
            ours = {**_written(folder), **{path: sha256_hex((draft / path).read_bytes()) for path in paths}}
            _place(draft / WRITTEN).write_text(json.dumps(ours, indent=2))
            _move(draft, folder, [*paths, WRITTEN], force=force)
    except BaseException as error:
        _remove(made)
        if not isinstance(error, OSError):
            raise
        raise InputError(
            f"{error.filename or folder} cannot be written: {error.strerror}. Nothing was changed.",
            remedy="Choose a folder that this user may write to: hitl init … FOLDER",
        ) from error
    return Started(folder, name, tuple(paths))


def _is_same(target: Path, source: Path) -> bool:
    """The user's file already lies where it would be copied to."""
    return target.exists() and target.samefile(source)


def _refuse_others(folder: Path, paths: list[str], *, force: bool) -> None:
    there = [path for path in paths if (folder / path).exists() or (folder / path).is_symlink()]
    if not there:
        return
    if not force:
        raise RefusedError(
            f"{folder} has {', '.join(there)} already; nothing was written.",
            remedy="Choose another folder, or write again what nobody changed: hitl init --force …",
            files=there,
        )
    ours = _written(folder)
    foreign = [path for path in there if ours.get(path) != _digest(folder / path)]
    if foreign:
        first = folder / foreign[0]
        raise RefusedError(
            f"{', '.join(foreign)} in {folder} is not as hitl init wrote it; nothing was written.",
            remedy=f"Move it away first: mv {shlex.quote(str(first))} {shlex.quote(f'{first}.mine')}",
            files=foreign,
        )


def _digest(path: Path) -> str:
    return sha256_hex(path.read_bytes()) if path.is_file() and not path.is_symlink() else ""


def _written(folder: Path) -> dict[str, str]:
    try:
        told = json.loads((folder / WRITTEN).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(path): str(digest) for path, digest in told.items()} if isinstance(told, dict) else {}


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder beside the files to come, on the same disk; gone afterwards."""
    draft = Path(tempfile.mkdtemp(dir=folder, prefix=".hitl-init-"))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _demand_it_opens(draft: Path, folder: Path) -> None:
    """What was drafted is read back as every command will read it."""
    project = Project.open(draft)
    _ = project.parts.policy, project.parts.roster
    base = project.settings.model.base
    if not (draft / base).exists() and (folder / base).exists():
        _place(draft / base).symlink_to((folder / base).resolve())
    if (draft / base).exists():
        _ = project.parts.task, project.parts.schema


def _move(draft: Path, folder: Path, paths: list[str], *, force: bool) -> None:
    """Each file stands in its place, or none: what was placed before a failure is taken back."""
    placed: list[Path] = []
    made: list[Path] = []
    kept = draft / "before"
    try:
        for path in paths:
            target = folder / path
            made += _missing_parents(target)
            _place(target)
            if target.exists() and (force or path == WRITTEN):
                target.replace(_place(kept / path))
            os.link(draft / path, target)  # unlike a rename, fails where somebody else was first
            placed.append(target)
    except BaseException:
        for target in placed:
            target.unlink(missing_ok=True)
        for path in paths:
            if (kept / path).exists():
                (kept / path).replace(folder / path)
        _remove(reversed(made))
        raise


def _remove(folders: Iterable[Path]) -> None:
    """The folders are gone where they are empty, inner ones first."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _missing_parents(target: Path) -> list[Path]:
    return [parent for parent in reversed(target.parents) if not parent.exists()]
