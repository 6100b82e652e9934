"""The desk and the registry in memory that stop answering on command, as servers do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from hitl_mlops.decisions.model import Model
from hitl_mlops.errors import ServiceDownError
from hitl_mlops.review.desk import Cursor, DeskTask
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.review.ticket import Ticket
from hitl_mlops.training.record import FittedModel, ModelVersion, ReleaseNotes
from hitl_mlops.training.registry_in_memory import InMemoryRegistry


class StoppableDesk(InMemoryDesk):
    """See `Desk`. While it is not `up`, whatever it is asked raises ServiceDownError.

    Attributes:
        up: it answers.
        takes_at_most: tickets that a push leaves on it before it stops answering; None: all.
    """

    def __init__(self, name: str = "drill:1", clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(name, clock)
        self.up = True
        self.takes_at_most: int | None = None

    def push(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        """See `Desk.push`; what was taken before it stopped stays on it."""
        self._answer()
        if self.takes_at_most is not None and self.takes_at_most < len(tickets):
            super().push(tickets[: self.takes_at_most])
            self.up = False
            self._answer()
        return super().push(tickets)

    def changes(self, since: Cursor | None = None) -> Iterator[list[DeskTask]]:
        """See `Desk.changes`."""
        self._answer()
        return super().changes(since)

    def task_ids(self) -> Mapping[str, str | None]:
        """See `Desk.task_ids`."""
        self._answer()
        return super().task_ids()

    def hand(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """See `Desk.hand`."""
        self._answer()
        super().hand(changes)

    def tabs(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """See `Desk.tabs`."""
        self._answer()
        return super().tabs(names)

    def close(self, task_ids: Sequence[str]) -> None:
        """See `Desk.close`."""
        self._answer()
        super().close(task_ids)

    def people(self) -> dict[str, str]:
        """See `Desk.people`."""
        self._answer()
        return super().people()

    def _answer(self) -> None:
        if not self.up:
            raise ServiceDownError("The desk of the drill does not answer.", remedy="Let it come back.")


class StoppableRegistry(InMemoryRegistry):
    """See `ModelRegistry`. While it is not `up`, only models loaded before by their digest are there.

    Attributes:
        up: it answers.
    """

    up = True

    def register(self, fitted: FittedModel, notes: ReleaseNotes, *, run_key: str) -> ModelVersion:
        """See `ModelRegistry`."""
        self._answer()
        return super().register(fitted, notes, run_key=run_key)

    def get(self, version: str) -> ModelVersion:
        """See `ModelRegistry`."""
        self._answer()
        return super().get(version)

    def versions(self) -> list[ModelVersion]:
        """See `ModelRegistry`."""
        self._answer()
        return super().versions()

    def alias(self, alias: str) -> ModelVersion | None:
        """See `ModelRegistry`."""
        self._answer()
        return super().alias(alias)

    def set_alias(self, alias: str, version: str) -> None:
        """See `ModelRegistry`."""
        self._answer()
        super().set_alias(alias, version)

    def drop_alias(self, alias: str) -> None:
        """See `ModelRegistry`."""
        self._answer()
        super().drop_alias(alias)

    def load(self, version: str, *, digest: str | None = None) -> Model:
        """See `ModelRegistry`: the copy at hand is the one that was loaded by its digest."""
        if (version, digest or "") not in self._loaded:
            self._answer()
        return super().load(version, digest=digest)

    def set_tag(self, version: str, key: str, value: str) -> None:
        """See `ModelRegistry`."""
        self._answer()
        super().set_tag(version, key, value)

    def describe(self, version: str, markdown: str) -> None:
        """See `ModelRegistry`."""
        self._answer()
        super().describe(version, markdown)

    def attach(self, version: str, files: Mapping[str, bytes]) -> None:
        """See `ModelRegistry`."""
        self._answer()
        super().attach(version, files)

    def attached(self, version: str, name: str) -> bytes:
        """See `ModelRegistry`."""
        self._answer()
        return super().attached(version, name)

    def _answer(self) -> None:
        if not self.up:
            raise ServiceDownError("The registry of the drill does not answer.", remedy="Let it come back.")
