"""A team that reviews on a desk in memory, in a project that looks at how they judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from hitl_mlops.decisions.record import Decision
from hitl_mlops.project import Project
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.review.ticket import Ticket, TicketState
from hitl_mlops.settings import read_settings
from hitl_mlops.training.registry_in_memory import InMemoryRegistry
from tests.freeze_room import TwinParts, some_cases
from tests.loop_room import begin

OVERSEEN = """\
version: 1
routes:
  auto: {confidence: ">= 0.999999"}
  standard: {confidence: "< 0.999999", signatures: 1}
spot_checks: {auto: 0.05}
review:
  seeds: {share: 0.3}
  calibration: {per_week: 2}
  agreement: {at_least: 0.6, cases: 20}
"""
ROSTER = """\
people:
  - {id: r1, account: ann@x.org, name: Ann}
  - {id: r2, account: bob@x.org, name: Bob}
"""
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
DRAWS = bytes(range(32))
"""The project's key: by it seeds and exercises are drawn, each time the same."""
PEOPLE = {"r1": "ann@x.org", "r2": "bob@x.org"}


class OverseenParts(TwinParts):
    """Both servers are twins."""

    @cached_property
    def desk(self) -> InMemoryDesk:
        return InMemoryDesk(clock=self.clock)


@dataclass
class Room:
    """A project with a champion, a clock that is set forward, and people who check or stamp.

    Attributes:
        project: the project.
        forward: sets its clock forward.
        arrived: cases that came so far.
    """

    project: Project
    now: Callable[[], datetime]
    forward: Callable[[timedelta], None]
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))
    arrived: int = 1_000_000

    def decide(self, count: int) -> tuple[Decision, ...]:
        """So many new cases are decided."""
        rows = some_cases(self.arrived, count)
        self.arrived += count
        return self.project.decide(rows).decisions

    def truth(self, decision_id: str) -> str:
        """What is true of the case."""
        log = self.project.parts.log
        amount = log.case(log.get(decision_id).case_id).inputs["amount"]
        return "yes" if float(amount) > 50 else "no"

    def tell_outcomes(self, decisions: tuple[Decision, ...]) -> None:
        """The application reports what really happened."""
        for one in decisions:
            self.project.recourse.tell_outcome(
                one.decision_id, self.truth(one.decision_id), source="books", at=self.now(), by="desk"
            )

    def open_tickets(self) -> list[Ticket]:
        """The tickets that stand on the desk, earliest deadline first."""
        on_desk = self.project.parts.desk.task_ids().values()
        found = self.project.parts.tickets.by_ids([one for one in on_desk if one])
        return [one for one in found if one.state is TicketState.OPEN]

    def answer(self, ticket: Ticket, person: str, label: str, seconds: float = 5.0) -> None:
        """That person's answer stands on the desk."""
        agreed = label == ticket.suggestion and not ticket.blind
        self.project.parts.desk.session(PEOPLE[person]).answer(
            ticket.task_id or "", label, f"it reads as {label}", "agree" if agreed else "wrong_class", seconds
        )

    def work(self, stamps: tuple[str, ...] = ()) -> None:
        """All that is open was answered in turn: by the truth, or as suggested by those who stamp."""
        for place, ticket in enumerate(self.open_tickets()):
            person = ticket.meant_for or ("r1", "r2")[place % 2]
            stamped = person in stamps and not ticket.blind
            label = ticket.suggestion if stamped else self.truth(ticket.decision_id)
            self.answer(ticket, person, label)

    def round(self, count: int = 40, stamps: tuple[str, ...] = ()) -> None:
        """New cases are decided, pushed, answered and collected; a day passes."""
        self.decide(count)
        self.project.push()
        self.work(stamps)
        self.project.collect()
        self.forward(timedelta(days=1))


def a_room(folder: Path, policy: str = OVERSEEN) -> Room:
    """A project whose model gives every case of 50 and more to people, and cases whose outcome is known."""
    table = some_cases(10_000_000, 200)
    table["label"] = np.where(table["amount"] > 50, "yes", "no")
    loop = begin(folder, table, "--kind", "table")
    (loop.folder / "policy.yaml").write_text(policy)
    (loop.folder / "reviewers.yaml").write_text(ROSTER)
    settings = read_settings(loop.folder)
    keys = settings.state / "keys"
    keys.mkdir(parents=True)
    (keys / "policy.key").write_bytes(DRAWS)
    moment = [MONDAY]

    def now() -> datetime:
        moment[0] += timedelta(milliseconds=1)
        return moment[0]

    def forward(span: timedelta) -> None:
        moment[0] += span

    parts = OverseenParts(settings, clock=now)
    parts.given = InMemoryRegistry(settings.model.name)
    project = Project(settings, parts, actor="test")
    project.train()
    return Room(project, now, forward)
