"""A project to hold drills on, and rooms of it with an outside of the test's choice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from hitl_mlops.drill.outside import Outside, Twins
from hitl_mlops.drill.room import Room
from hitl_mlops.drill.world import World, make_world
from hitl_mlops.project import Project
from tests.loop_room import Loop, begin

BREAKER = """\
guards:
  breaker: {override_rate: "> 0.25", window: 100, at_least: 20, opens_for: 30m, trial: 5}
"""


def some_rows(count: int = 400) -> pd.DataFrame:
    """Labelled cases, each of which two columns of numbers and one of words tell apart."""
    rng = np.random.default_rng(3)
    amount, age = rng.uniform(0, 100, count), rng.normal(40, 10, count).round()
    return pd.DataFrame(
        {
            "case_id": [f"c{number}" for number in range(count)],
            "amount": amount,
            "age": age,
            "branch": rng.choice(["north", "south", "east"], count),
            "label": np.where(amount + rng.normal(0, 15, count) > 50, "yes", "no"),
        }
    )


def a_loop(folder: Path, *, guards: str = BREAKER) -> Loop:
    """A project by `hitl init`, whose policy has these guards; no server is named and none runs."""
    loop = begin(folder, some_rows(), "--kind", "table", "--id", "case_id", name="drilled")
    loop.apart = False
    policy = loop.folder / "policy.yaml"
    policy.write_text(policy.read_text() + guards)
    return loop


def a_world(project: Project, seed: int = 0) -> World:
    parts = project.parts
    return make_world(parts.base, parts.task, parts.recipe, seed)


Opener = Callable[..., Room]


def opener(project: Project, world: World, folder: Path) -> Opener:
    """A room, each time it is asked for, with twins or another outside."""
    made = 0

    def open_room(outside: Outside | None = None) -> Room:
        nonlocal made
        made += 1
        return Room.open(project.parts, world, outside or Twins(), folder / f"room-{made}")

    return open_room
