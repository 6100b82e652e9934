"""The copy of a project that a drill is held on: the user's files are read, and none of them is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from hitl_mlops.decisions.task import Task
from hitl_mlops.drill.models import FULL_NAME
from hitl_mlops.drill.outside import Outside
from hitl_mlops.drill.stream import CASE_ID
from hitl_mlops.ids import sha256_hex
from hitl_mlops.own_files import utc_now
from hitl_mlops.review.desk import Desk
from hitl_mlops.settings import ServiceSettings, Settings
from hitl_mlops.training.artifact import Trust
from hitl_mlops.training.registry import ModelRegistry
from hitl_mlops.wiring import Parts


class DrillSettings(Settings):
    """The user's hitl.yaml, but that all that is made is kept elsewhere."""

    kept_in: Path = Field(exclude=True)

    @property
    def state(self) -> Path:
        """Where the copy keeps what it makes."""
        return self.kept_in


class DrillClock:
    """The machine's clock, which a rehearsal may put forward: hours pass at once."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """The time it is in the rehearsal."""
        return utc_now() + self._ahead

    def forward(self, span: timedelta) -> None:
        """So much time has passed."""
        self._ahead += span


class DrillParts(Parts):
    """The parts of a copy: real ones, but for the desk and the registry, which come from outside.

    Args:
        settings: of the copy.
        base: what the copy's first dataset version is made of.
        outside: gives desk and registry.
        clock: of the rehearsal.
    """

    def __init__(
        self, settings: DrillSettings, base: pd.DataFrame, outside: Outside, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(settings, clock=clock)
        self._pool = base
        self._outside = outside

    @cached_property
    def base(self) -> pd.DataFrame:
        """The rows that the stream is drawn from."""
        return self._pool

    @cached_property
    def trust(self) -> Trust:
        """The user's, and the erring models of the drill."""
        model = self.settings.model
        types = (*model.trust_types, FULL_NAME)
        return Trust(types, pickle=model.trust_pickle, folder=self.settings.folder)

    @cached_property
    def desk(self) -> Desk:
        """From outside."""
        return self._outside.desk(self.task, self.settings.state.name, self.clock)

    @cached_property
    def registry(self) -> ModelRegistry:
        """From outside."""
        name = f"{self.settings.model.name}-{self.settings.state.name}"
        return self._outside.registry(name, self.settings.state / "models", self.trust)


def settings_of_copy(own: Settings, task: Task, folder: Path) -> DrillSettings:
    """The same settings for a copy that keeps all it makes in the folder: database, datasets, keys, trail."""
    fields: dict[str, Any] = {name: getattr(own, name) for name in Settings.model_fields}
    named = {"id": CASE_ID, "subject": None, "inputs": list(task.inputs), "classes": list(task.classes)}
    fields |= {
        "task": own.task.model_copy(update=named),
        "reviewers": None,
        "services": ServiceSettings(
            database=f"sqlite:///{folder / 'drill.db'}",
            datasets=str(folder / "datasets"),
            checkpoints=str(folder / "checkpoints"),
        ),
    }
    return DrillSettings.model_construct(kept_in=folder, **fields)


def keep_key(folder: Path, seed: int) -> None:
    """The copy draws the same in every drill of that seed: spot checks, shares, ids."""
    key = folder / "keys" / "policy.key"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.touch(mode=0o600)
    key.write_bytes(bytes.fromhex(sha256_hex(f"hitl drill {seed}".encode())))
