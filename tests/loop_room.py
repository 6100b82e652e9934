"""A project made by `hitl init` from files alone, run run as users run it, and people who know the truth."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.cli.main import run
from hitl_mlops.review.accounts import LabelStudioSession, enter
from hitl_mlops.review.label_studio_http import LabelStudioHttp

PASSWORD = "Simulated!1"
COMMAND = (sys.executable, "-c", "from hitl_mlops.cli.main import main; main()")


class Desk(Protocol):
    """What is needed of Label Studio."""

    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...


def shared_data(name: str) -> Path:
    """A file of the shared data sets; without them the test is told apart as skipped."""
    folder = Path(os.environ.get("HITL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / name).exists():
        pytest.skip(f"The data set {name} is not here: set HITL_TEST_DATA.")
    return folder / name


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass
class Loop:
    """A project in a folder.

    Attributes:
        folder: the project's.
        truth: what simulated reviewers know, by case id.
        apart: each command of `hitl` is a process of its own, as at a shell.
    """

    folder: Path
    truth: dict[str, str] = field(default_factory=dict)
    apart: bool = True

    def hitl(self, *words: str | Path, code: int = 0) -> dict[str, Any]:
        """The answer of a command with `--json`, which ends with that code."""
        return _answer(self.say(*words), words, code)

    def say(self, *words: str | Path) -> Said:
        """What a command answers with `--json`, whatever the code."""
        return self.start(*words) if self.apart else self.call(*words)

    def start(self, *words: str | Path) -> Said:
        """What a command answers as a process of its own, whatever the code."""
        done = subprocess.run(
            [*COMMAND, *map(str, words), "-p", str(self.folder), "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            cwd=self.folder,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def call(self, *words: str | Path, as_json: bool = True) -> Said:
        """The same command line in this process, which has loaded what is slow to load."""
        words = (*words, "-p", self.folder, *(["--json"] if as_json else []))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([str(word) for word in words])
        return Said(code, out.getvalue(), err.getvalue())

    def done(self, *words: str | Path, code: int = 0) -> dict[str, Any]:
        """The answer of `call`, which ends with that code."""
        return _answer(self.call(*words), words, code)

    def edit(self, file: str, old: str, new: str) -> None:
        """The file says `new` where it said `old`, as with an editor."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} does not say {old!r}:\n{text}"
        path.write_text(text.replace(old, new, 1))

    def remember(self, decided: Mapping[str, Any], labels: Sequence[Any]) -> None:
        """The reviewers know the truth of these decisions, given in the order of the table."""
        assert len(decided["decisions"]) == len(labels)
        for decision, label in zip(decided["decisions"], labels, strict=True):
            self.truth[decision["case_id"]] = str(label)

    def state(self) -> dict[str, int]:
        """How much is stored: what a refused command must not change."""
        from hitl_mlops.project import Project

        project = Project.open(self.folder)
        parts = project.parts
        counts = {
            "decisions": len(list(parts.log.decisions())),
            "entries": parts.trail.size(),
            "tickets": sum(lane.waiting + lane.open for lane in project.review_status().lanes),
            "resolutions": len(parts.answers.resolutions()),
            "versions": len(parts.store.versions()),
        }
        parts.database.close()
        return counts


def _answer(said: Said, words: Sequence[str | Path], code: int) -> dict[str, Any]:
    assert said.code == code, f"hitl {' '.join(map(str, words))}: {said.code}\n{said.out}\n{said.err}"
    assert "Traceback" not in said.err, said.err
    return said.value


@dataclass
class Team:
    """Simulated reviewers with accounts on the desk, who answer open tickets from the truth."""

    sessions: tuple[LabelStudioSession, ...]
    error_rate: float = 0.03
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    answered: set[str] = field(default_factory=set)

    def answer(self, loop: Loop, *, classes: Sequence[str], at_most: int = 10_000) -> int:
        """Every open ticket nobody answered has an answer; how many were given."""
        from hitl_mlops.project import Project

        parts = Project.open(loop.folder).parts
        of_task = parts.desk.task_ids()
        known = {one.ticket_id: one for one in parts.tickets.by_ids([one for one in of_task.values() if one])}
        decided = {one.decision_id: one for one in parts.log.decisions()}
        todo = [
            (task, known[ticket])
            for task, ticket in of_task.items()
            if ticket in known and known[ticket].state == "open" and ticket not in self.answered
        ][:at_most]
        for place, (task, ticket) in enumerate(todo):
            decision = decided[ticket.decision_id]
            label = loop.truth[decision.case_id]
            if self.rng.random() < self.error_rate:
                label = str(self.rng.choice([one for one in classes if one != label]))
            agreed = not ticket.blind and label == decision.label
            self.sessions[place % len(self.sessions)].answer(
                task,
                label=label,
                rationale=f"the case reads as {label}",
                reason_code="agree" if agreed else "wrong_class",
                seconds=4.0,
                unique_id=ticket.ticket_id,
            )
            self.answered.add(ticket.ticket_id)
        parts.database.close()
        return len(todo)


@contextlib.contextmanager
def team(desk: Desk, *names: str) -> Iterator[Team]:
    """People with these names have accounts on the desk."""
    admin = LabelStudioHttp(desk.url, desk.token)
    sessions = tuple(enter(admin, f"{name}@loop.example", PASSWORD) for name in names)
    try:
        yield Team(sessions)
    finally:
        for session in sessions:
            session.close()
        admin.close()


def begin(
    folder: Path,
    data: pd.DataFrame,
    *words: str,
    name: str = "loop",
    desk: Desk | None = None,
    mlflow: str = "",
    database: str = "",
) -> Loop:
    """`hitl init` made a project of the table, named apart from others, whose services stand in hitl.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "history.csv"
    data.to_csv(file, index=False)
    loop = Loop(folder / "project")
    named = ("--name", f"{name}-{secrets.token_hex(4)}")  # two of one name would share a desk and a model
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run(["init", *words, *named, "--data", str(file), str(loop.folder), "--json"])
    assert code == 0, out.getvalue()
    connect(loop, desk=desk, mlflow=mlflow, database=database)
    return loop


def connect(
    loop: Loop, *, desk: Desk | None = None, mlflow: str = "", database: str = "", token: str = ""
) -> None:
    """The section services of hitl.yaml names these servers, and nothing else."""
    services: dict[str, Any] = {}
    if desk is not None:
        services["label_studio"] = {"url": desk.url, "token": token or desk.token}
    if mlflow:
        services["mlflow"] = {"uri": mlflow}
    if database:
        services["database"] = database
    path = loop.folder / "hitl.yaml"
    written = path.read_text().split("\nservices:")[0]
    path.write_text(f"{written}\nservices: {json.dumps(services)}\n" if services else written)
