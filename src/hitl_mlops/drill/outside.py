"""What a drill needs of the world outside: a desk, a registry, people, and a way to take servers down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from hitl_mlops.decisions.task import Task
from hitl_mlops.drill.twins import StoppableDesk, StoppableRegistry
from hitl_mlops.review.desk import Desk
from hitl_mlops.review.session import ReviewerSession
from hitl_mlops.training.artifact import Trust
from hitl_mlops.training.registry import ModelRegistry

PEOPLE = tuple(f"{name}@drill.example" for name in ("ann", "bob", "cid", "dan", "eve"))
"""Accounts of the simulated reviewers: so many signatures a ticket can have in a drill."""


class Outside(Protocol):
    """Label Studio and MLflow, or what stands for them, for one rehearsal at a time."""

    @property
    def told(self) -> str:
        """What they are, in words."""
        ...

    @property
    def real(self) -> bool:
        """They are real servers."""
        ...

    def desk(self, task: Task, owner: str, clock: Callable[[], datetime]) -> Desk:
        """A desk of that owner's own, that answers."""
        ...

    def registry(self, name: str, cache: Path, trust: Trust) -> ModelRegistry:
        """A registered model of that name, that answers."""
        ...

    def people(self) -> Sequence[ReviewerSession]:
        """The simulated reviewers, at the desk that was asked for last."""
        ...

    def stop_desk(self) -> None:
        """The desk does not answer any more."""
        ...

    def stop_desk_midway(self, tickets: int) -> bool:
        """The desk will stop in the middle of the next push, with so many of its tickets; whether it can."""
        ...

    def start_desk(self) -> None:
        """The desk answers again, with what it had."""
        ...

    def stop_registry(self) -> None:
        """The registry does not answer any more."""
        ...

    def start_registry(self) -> None:
        """The registry answers again, with what it had."""
        ...


class Twins:
    """See `Outside`: in memory."""

    told = "stood in for by twins in memory that stop answering on command"
    real = False

    def __init__(self) -> None:
        self._desk = StoppableDesk()
        self._registry = StoppableRegistry()

    def desk(self, task: Task, owner: str, clock: Callable[[], datetime]) -> Desk:
        """See `Outside`."""
        del task
        self._desk = StoppableDesk(f"drill:{owner}", clock)
        return self._desk

    def registry(self, name: str, cache: Path, trust: Trust) -> ModelRegistry:
        """See `Outside`."""
        del cache
        self._registry = StoppableRegistry(name, trust=trust)
        return self._registry

    def people(self) -> Sequence[ReviewerSession]:
        """See `Outside`."""
        return [self._desk.session(account) for account in PEOPLE]

    def stop_desk(self) -> None:
        """See `Outside`."""
        self._desk.up = False

    def stop_desk_midway(self, tickets: int) -> bool:
        """See `Outside`."""
        self._desk.takes_at_most = tickets
        return True

    def start_desk(self) -> None:
        """See `Outside`."""
        self._desk.up, self._desk.takes_at_most = True, None

    def stop_registry(self) -> None:
        """See `Outside`."""
        self._registry.up = False

    def start_registry(self) -> None:
        """See `Outside`."""
        self._registry.up = True
