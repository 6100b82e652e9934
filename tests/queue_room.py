"""A queue on a database in memory: tickets, a desk that is a twin, a ladder, and a clock one sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.callbacks.book_sql import SqlCallbackBook
from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import metadata
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.collect import Collector
from hitl_mlops.overrides.screen_plain import PlainScreen
from hitl_mlops.queueing.escalate import Escalator
from hitl_mlops.queueing.hand_out import ClaimPolicy
from hitl_mlops.queueing.handing import Handed, HandOut
from hitl_mlops.queueing.ladder import Ladder, ladder_of
from hitl_mlops.review.claims import ClaimBook
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.review.moves import Move, MoveBook
from hitl_mlops.review.push import push_tickets
from hitl_mlops.review.roster import Person, Roster, Tier
from hitl_mlops.review.ticket import Ticket, TicketKind
from hitl_mlops.review.tickets import TicketBook
from hitl_mlops.routing.policy_file import parse_policy
from tests.builders import NOW

ROUTES = (
    "routes: {auto: {confidence: '>= 0.9'}, standard: {within: 24h}, senior: {skill: senior, within: 4h}}\n"
)
STEPS = """[
  {after: 50%, remind: true}, {after: 100%, to: senior}, {after: 24h, to: supervisor},
  {after: 72h, then: reject}]"""
PEOPLE = (
    Person("r1", "ann@x.org"),
    Person("r2", "bob@x.org"),
    Person("s1", "cleo@x.org", skills=("senior",)),
    Person("t1", "dan@x.org", tier=Tier.SUPERVISOR),
)
ROSTER = Roster(PEOPLE)
HOUR = timedelta(hours=1)


def a_ladder(steps: str = STEPS) -> Ladder:
    return ladder_of(parse_policy(f"{ROUTES}escalation: {steps}\n"))


def a_ticket(**changes: Any) -> Ticket:
    name = changes.pop("name", "1")
    plain: dict[str, Any] = {
        "ticket_id": f"t_{name}",
        "decision_id": f"d_{name}",
        "kind": TicketKind.REVIEW,
        "suggestion": "yes",
        "lane": "standard",
        "signatures": 1,
        "blind": False,
        "opened_at": NOW,
        "due_at": NOW + 24 * HOUR,
        "shown": {"model_label": "yes"},
    }
    return Ticket(**(plain | changes))


@dataclass
class QueueRoom:
    """A queue and all that it stands on."""

    now: datetime = NOW
    ladder: Ladder = field(default_factory=a_ladder)
    trail: InMemoryTrail = field(default_factory=InMemoryTrail)
    roster: Roster = ROSTER
    url: str = "sqlite://"

    def __post_init__(self) -> None:
        self.database = Database(self.url)
        self.database.create()
        with self.database.transaction() as connection:  # one in memory is shared by a process
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.tickets, self.moves = TicketBook(self.database), MoveBook(self.database)
        self.answers = AnswerBook(self.database)
        self.desk = InMemoryDesk(clock=lambda: self.now)

    @property
    def escalator(self) -> Escalator:
        return Escalator(
            ladder=self.ladder,
            tickets=self.tickets,
            moves=self.moves,
            answers=self.answers,
            desk=lambda: self.desk,
            trail=self.trail,
            callbacks=SqlCallbackBook(self.database),
            database=self.database,
            actor="test",
        )

    def ask(self, *, push: bool = True, **changes: Any) -> Ticket:
        """A ticket that is open now, on the desk unless told otherwise."""
        ticket = a_ticket(**changes)
        self.tickets.open([ticket])
        if push:
            self.push()
        return self.tickets.by_ids([ticket.ticket_id])[0]

    def push(self) -> None:
        push_tickets(self.tickets, self.desk, self.trail, self.database, now=self.now, actor="test")

    def answer(self, ticket: Ticket, account: str, label: str | None, code: str | None = None) -> None:
        assert ticket.task_id is not None
        self.desk.session(account).answer(ticket.task_id, label, "I looked at it twice", code, 8.0)

    def collect(self) -> None:
        Collector(
            desk=self.desk,
            book=self.answers,
            screen=PlainScreen(),
            trail=self.trail,
            classes=frozenset({"yes", "no"}),
            roster=self.roster,
            clock=lambda: self.now,
        ).collect()

    def wait(self, hours: float) -> None:
        self.now += hours * HOUR

    def look(self, hours: float = 0.0) -> list[Move]:
        """The ladder is looked at so many hours later."""
        self.now += hours * HOUR
        moves = self.escalator.climb(self.now)
        self.escalator.show()
        return moves

    def ticket(self, name: str = "1") -> Ticket:
        return self.tickets.by_ids([f"t_{name}"])[0]

    def kinds(self) -> list[str]:
        return [entry.read()["kind"] for entry in self.trail.entries()]


@dataclass
class HandingRoom(QueueRoom):
    """A queue that is handed out."""

    @property
    def claims(self) -> ClaimBook:
        return ClaimBook(self.database)

    @property
    def hands(self) -> HandOut:
        return HandOut(
            policy=ClaimPolicy(timedelta(hours=2), 20),
            roster=self.roster,
            risk={"auto": 0, "standard": 1, "senior": 2},
            languages=lambda _ids: {},
            tickets=self.tickets,
            moves=self.moves,
            claims=self.claims,
            answers=self.answers,
            desk=lambda: self.desk,
            trail=self.trail,
            database=self.database,
            key=b"key",
            actor="test",
        )

    def hand_out(self, **asked: Any) -> Handed:
        return self.hands.run(self.now, **asked)

    def holder(self, name: str = "1") -> str:
        return next((one.person for one in self.claims.standing() if one.ticket_id == f"t_{name}"), "")

    def on_the_desk(self, name: str = "1") -> str:
        return self.desk.data_of(self.ticket(name).task_id).get("for", "")
