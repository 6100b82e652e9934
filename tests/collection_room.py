"""A desk, a book and a collector around one database, for tests of collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import tickets
from hitl_mlops.ids import instant
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.collect import Collector, CollectPolicy
from hitl_mlops.overrides.quarantine import Quarantine
from hitl_mlops.overrides.screen_plain import PlainScreen
from hitl_mlops.review.roster import Person, Roster
from hitl_mlops.review.ticket import TicketKind
from tests.fake_desk import START, FakeDesk

CLASSES = frozenset({"1", "2", "3"})
ROSTER = Roster(
    tuple(Person(f"r{n}", f"{name}@x.org") for n, name in enumerate(("ann", "bob", "cid", "dan")))
)


@dataclass
class Room:
    """A desk, a book and a collector around one database."""

    database: Database
    desk: FakeDesk = field(default_factory=FakeDesk)
    trail: InMemoryTrail = field(default_factory=InMemoryTrail)
    roster: Roster = ROSTER

    @property
    def book(self) -> AnswerBook:
        return AnswerBook(self.database)

    @property
    def collector(self) -> Collector:
        return Collector(
            desk=self.desk,
            book=self.book,
            screen=PlainScreen(),
            trail=self.trail,
            classes=CLASSES,
            roster=self.roster,
            policy=CollectPolicy(),
            clock=lambda: self.desk.now,
        )

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.book, PlainScreen(), self.trail, CLASSES, self.collector.reviewers())

    def ask(
        self,
        name: str = "1",
        signatures: int = 1,
        kind: TicketKind = TicketKind.REVIEW,
        opened_at: datetime = START,
    ) -> int:
        """A decision with label 1, its ticket, and the ticket's task on the desk; the task."""
        open_ticket(self.database, f"t_{name}", f"d_{name}", signatures, kind, opened_at)
        return self.desk.add_task(f"t_{name}")

    def labels(self) -> dict[str, str]:
        """Decision → label of the resolutions that stand."""
        return {one.decision_id: one.label for one in self.book.resolutions()}

    def wait(self, **span: float) -> None:
        self.desk.now += timedelta(**span)

    def kinds(self) -> list[str]:
        return [entry.read()["kind"] for entry in self.trail.entries()]


def open_ticket(
    database: Database,
    ticket: str,
    decision: str,
    signatures: int,
    kind: TicketKind,
    opened_at: datetime = START,
) -> None:
    with database.transaction() as connection:
        connection.execute(
            sa.insert(tickets).values(
                ticket_id=ticket, decision_id=decision, kind=kind.value, suggestion="1", lane="x",
                signatures=signatures,
                blind=False, opened_at=instant(opened_at), due_at=instant(START), shown={}, state="open",
            )
        )  # fmt: skip
