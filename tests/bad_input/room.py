"""A service whose cases have a column of every kind, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.project import Project
from tests.fail_closed.room import kept
from tests.freeze_room import open_again
from tests.gateway_room import Application, served
from tests.loop_room import begin

POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.5"}
  standard: {confidence: "< 0.5"}
  senior: {confidence: "< 0.3", skill: senior}
rules:
  - name: large amounts are asked about
    when: {amount: ">= 80"}
    route: senior
spot_checks: {auto: 0.01}
"""
ANSWERS_WITHIN_S = 5.0
"""Of any refusal, however large what was sent."""


def good_case(number: int, **changes: Any) -> dict[str, Any]:
    """A case that would be decided, unless it is changed; the same number gives the same case."""
    case = {
        "case_id": f"c{number}",
        "person": f"p{number}",
        "at": f"2026-03-{1 + number % 28:02}T12:00:00+01:00",
        "amount": round(np.random.default_rng(number).uniform(0.0, 100.0), 3),
        "member": number % 2 == 0,
        "branch": ("north", "south")[number % 3 == 0],
        "note": f"note {number}",
    }
    return case | changes


def history(count: int = 200) -> pd.DataFrame:
    """Rows to learn from."""
    table = pd.DataFrame([good_case(10_000_000 + number) for number in range(count)])
    return table.assign(label=np.where(table["amount"] > 50, "yes", "no"))


def a_rich_project(folder: Path) -> Project:
    """A project with a champion, whose cases bring a time, a person, a number, a flag, a word and a text."""
    loop = begin(folder, history(), "--kind", "table")
    loop.edit("hitl.yaml", "show: []", "show: [note]")
    (loop.folder / "policy.yaml").write_text(POLICY)
    project = open_again(loop.folder)
    project.train()
    return project


@contextmanager
def door(folder: Path) -> Iterator[Application]:
    """The service of such a project answers."""
    with served(a_rich_project(folder)) as application:
        yield application


def body(*rows: str) -> bytes:
    """A request of these cases, each spelled in JSON already."""
    return f'{{"cases": [{", ".join(rows)}]}}'.encode("utf-8", "surrogatepass")


def spelled(case: dict[str, Any], **raw: str) -> str:
    """The case in JSON, with some values spelled as given."""
    fields = {name: json.dumps(value) for name, value in case.items()} | raw
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in fields.items()) + "}"


def state(project: Project) -> dict[str, int]:
    """Decisions, refused rows, tickets and entries of the trail."""
    return kept(project)
