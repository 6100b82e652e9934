"""A project with a champion and no server: the registry is a twin, all else is real."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from hitl_mlops.project import Project
from hitl_mlops.settings import read_settings
from hitl_mlops.training.registry_in_memory import InMemoryRegistry
from hitl_mlops.wiring import Parts
from tests.loop_room import begin

POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.5"}
  senior: {confidence: "< 0.5", skill: senior}
spot_checks: {auto: 0.01}
"""


class TwinParts(Parts):
    """The parts of a project whose models another gave."""

    given: InMemoryRegistry | None = None

    @cached_property
    def registry(self) -> InMemoryRegistry:
        return self.given or InMemoryRegistry(self.settings.model.name)


def some_cases(first: int, count: int) -> pd.DataFrame:
    """Cases without their truth, each with an id of its own and a branch."""
    number = np.arange(first, first + count)
    amounts = np.random.default_rng(first).uniform(0.0, 100.0, count)
    branches = np.where(number % 2 == 0, "north", "south")
    return pd.DataFrame({"case_id": [f"c{one}" for one in number], "amount": amounts, "branch": branches})


def a_project(folder: Path, *, policy: str = POLICY, database: str = "") -> Project:
    """A project with a first champion; one of two classes reaches 0.5, so every case is automatic."""
    table = some_cases(10_000_000, 200)
    table["label"] = np.where(table["amount"] > 50, "yes", "no")
    loop = begin(folder, table, "--kind", "table", database=database)
    (loop.folder / "policy.yaml").write_text(policy)
    loop.edit("hitl.yaml", "inputs:", "slices: [branch]\n  inputs:")
    project = open_again(loop.folder)
    project.train()
    return project


def open_again(folder: Path, registry: InMemoryRegistry | None = None) -> Project:
    """The project of the folder, as another process opens it; with that registry's models."""
    settings = read_settings(folder)
    parts = TwinParts(settings)
    parts.given = registry
    return Project(settings, parts, actor="test")
