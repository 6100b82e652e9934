"""A project whose desk is a twin, and people at it; the rest is real but for the registry."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from hitl_mlops.decisions.record import Decision
from hitl_mlops.overrides.record import Collected
from hitl_mlops.project import Project
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.review.ticket import Ticket
from hitl_mlops.settings import read_settings
from tests.freeze_room import TwinParts, a_project, some_cases

ROSTER = """\
people:
  - {id: r1, account: ann@x.org, skills: [senior, operations]}
  - {id: r2, account: bob@x.org, skills: [senior, compliance]}
  - {id: r3, account: cid@x.org, skills: [senior, operations, compliance]}
  - {id: r4, account: dan@x.org, skills: [senior, supervisor]}
  - {id: r5, account: eve@x.org, skills: [senior, supervisor, governance]}
"""


class DeskParts(TwinParts):
    """The parts of a project with a desk in memory, and a clock that people set."""

    @cached_property
    def desk(self) -> InMemoryDesk:
        return InMemoryDesk(clock=self.clock)


class ReviewRoom:
    """A project and its desk.

    Attributes:
        project: the project.
        now: what its clock says.
    """

    def __init__(self, folder: Path, policy: str, *, roster: str = ROSTER) -> None:
        with a_project(folder, policy=policy) as begun:
            (begun.settings.folder / "reviewers.yaml").write_text(roster)
            registry, self.now = begun.parts.registry, begun.parts.clock()
            place = begun.settings.folder
        parts = DeskParts(read_settings(place), clock=lambda: self.now)
        parts.given = registry
        self.project = Project(parts.settings, parts, actor="test")
        self._next = 0

    @property
    def desk(self) -> InMemoryDesk:
        return self.project.parts.desk

    def close(self) -> None:
        self.project.close()

    def wait(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def ask(self, cases: int = 1) -> list[Decision]:
        """So many new cases were decided, and whoever is asked finds it on the desk; their decisions."""
        self._next += cases
        made = self.project.decide(some_cases(self._next - cases, cases)).decisions
        self.project.push()
        return list(made)

    def tickets(self, decision: Decision) -> list[Ticket]:
        """The tickets about the decision, the first one first."""
        book = self.project.parts.tickets
        found = book.by_ids(book.ids_about([decision.decision_id]))
        return sorted(found, key=lambda one: (one.opened_at, one.ticket_id))

    def sheets(self, ticket: Ticket) -> list[str]:
        """Ids of the desk's tasks on which the ticket is answered, the first sheet first."""
        there = self.desk.task_ids()
        return sorted((task for task, name in there.items() if name == ticket.ticket_id), key=int)

    def say(self, task: str, name: str, label: str | None, **said: object) -> str:
        """That person answers on that sheet; the id of the answer."""
        given = {"rationale": "it is plain to see", "reason_code": "wrong_class", "seconds": 5.0, **said}
        return self.desk.session(f"{name}@x.org").answer(task, label, **given)  # type: ignore[arg-type]

    def collect(self) -> Collected:
        """What people said counts, and whoever is asked next finds it on the desk."""
        self.wait(minutes=1)
        found = self.project.collect()
        self.project.push()
        return found

    def kinds(self) -> list[str]:
        return [entry.read()["kind"] for entry in self.project.parts.trail.entries()]
