"""The book of tickets: what was asked, and how far each question has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import tickets
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.review.ticket import Ticket, TicketKind, TicketState

MANY = 500
"""Rows per statement: within every database's limit of parameters."""
UNANSWERED = (TicketState.WAITING, TicketState.OPEN)


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """How one lane's queue stands.

    Attributes:
        lane: the lane.
        waiting: tickets not yet on the desk.
        open: tickets on the desk without a resolution.
        late: of both, those past their deadline.
        oldest: when the oldest of both was opened; None where there is none.
    """

    lane: str
    waiting: int
    open: int
    late: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """How the queue stands.

    Attributes:
        lanes: those with unanswered tickets, by name.
        quarantined: answers that the screen holds back.
    """

    lanes: tuple[LaneStatus, ...]
    quarantined: int = 0


class TicketBook:
    """Every ticket ever opened, with its state. Joins an open transaction of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, opened: Iterable[Ticket]) -> list[str]:
        """The tickets are in the book; ids of those that were new. One that is there stays as it is."""
        unique = {ticket.ticket_id: ticket for ticket in opened}
        with self._database.transaction() as connection:
            there = {ticket.ticket_id for ticket in self.by_ids(unique)}
            new = [ticket for ticket_id, ticket in unique.items() if ticket_id not in there]
            if new:
                connection.execute(sa.insert(tickets), [_as_row(ticket) for ticket in new])
        return [ticket.ticket_id for ticket in new]

    def waiting(self, at_most: int | None = None) -> list[Ticket]:
        """Tickets not yet on the desk, the earliest deadline first."""
        query = sa.select(tickets).where(tickets.c.state == TicketState.WAITING.value)
        return self._read(query.order_by(tickets.c.due_at, tickets.c.ticket_id).limit(at_most))

    def more_wait_than(self, many: int) -> bool:
        """Whether more tickets than that are not yet on the desk."""
        query = sa.select(tickets.c.state).where(tickets.c.state == TicketState.WAITING.value)
        with self._database.reading() as connection:
            return connection.execute(query.limit(1).offset(many)).first() is not None

    def mark_pushed(self, tasks: Mapping[str, str]) -> int:
        """Tickets (ticket id → task id) are on the desk; how many were waiting. Others keep their state."""
        with self._database.transaction() as connection:
            return sum(
                connection.execute(
                    sa.update(tickets)
                    .where(tickets.c.ticket_id == ticket_id, tickets.c.state == TicketState.WAITING.value)
                    .values(state=TicketState.OPEN.value, task_id=task_id)
                ).rowcount
                for ticket_id, task_id in tasks.items()
            )

    def mark_resolved(self, ticket_ids: Iterable[str]) -> None:
        """These have a resolution."""
        self._set(ticket_ids, TicketState.RESOLVED, [TicketState.WAITING, TicketState.OPEN])

    def reopen(self, ticket_ids: Iterable[str]) -> None:
        """These had a resolution that was taken back: people are asked again."""
        self._set(ticket_ids, TicketState.OPEN, [TicketState.RESOLVED])

    def mark_withdrawn(self, ticket_ids: Iterable[str]) -> None:
        """These are not asked any more; what is resolved stays."""
        self._set(ticket_ids, TicketState.WITHDRAWN, [TicketState.WAITING, TicketState.OPEN])

    def by_ids(self, ticket_ids: Iterable[str]) -> list[Ticket]:
        """Those of the tickets that are known, by id."""
        found: list[Ticket] = []
        for chunk in _chunks(ticket_ids):
            found += self._read(sa.select(tickets).where(tickets.c.ticket_id.in_(chunk)))
        return sorted(found, key=lambda ticket: ticket.ticket_id)

    def asked_about(self, decision_ids: Iterable[str]) -> frozenset[str]:
        """Those of the decisions that some ticket asks about."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for chunk in _chunks(decision_ids):
                query = sa.select(tickets.c.decision_id).where(tickets.c.decision_id.in_(chunk))
                found.update(connection.execute(query).scalars())
        return frozenset(found)

    def overdue(self, now: datetime) -> list[Ticket]:
        """Unanswered tickets past their deadline, the latest deadline last."""
        query = sa.select(tickets).where(
            tickets.c.state.in_([state.value for state in UNANSWERED]), tickets.c.due_at < instant(now)
        )
        return self._read(query.order_by(tickets.c.due_at, tickets.c.ticket_id))

    def late_since(self, since: datetime, now: datetime) -> tuple[int, int]:
        """Of the tickets opened at or after `since`: those unanswered past their deadline, and all."""
        unanswered = tickets.c.state.in_([state.value for state in UNANSWERED])
        is_late = unanswered & (tickets.c.due_at < instant(now))
        query = sa.select(sa.func.sum(sa.case((is_late, 1), else_=0)), sa.func.count())
        with self._database.reading() as connection:
            late, opened = connection.execute(query.where(tickets.c.opened_at >= instant(since))).one()
        return late or 0, opened

    def counts(self) -> Counter[tuple[str, TicketKind, TicketState]]:
        """How many there are by lane, kind and state."""
        columns = (tickets.c.lane, tickets.c.kind, tickets.c.state)
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(*columns, sa.func.count()).group_by(*columns)).all()
        return Counter({(lane, TicketKind(kind), TicketState(state)): n for lane, kind, state, n in rows})

    def status(self, now: datetime, *, quarantined: int = 0) -> QueueStatus:
        """The queue by lane; `quarantined` is passed through, as it is the overrides' to know."""
        is_waiting = tickets.c.state == TicketState.WAITING.value
        columns = (
            tickets.c.lane,
            sa.func.sum(sa.case((is_waiting, 1), else_=0)),
            sa.func.sum(sa.case((is_waiting, 0), else_=1)),
            sa.func.sum(sa.case((tickets.c.due_at < instant(now), 1), else_=0)),
            sa.func.min(tickets.c.opened_at),
        )
        query = sa.select(*columns).where(tickets.c.state.in_([state.value for state in UNANSWERED]))
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(tickets.c.lane).order_by(tickets.c.lane)).all()
        lanes = (LaneStatus(row[0], row[1], row[2], row[3], parse_instant(row[4])) for row in rows)
        return QueueStatus(tuple(lanes), quarantined)

    def _set(self, ticket_ids: Iterable[str], state: TicketState, of: Sequence[TicketState]) -> None:
        with self._database.transaction() as connection:
            for chunk in _chunks(ticket_ids):
                connection.execute(
                    sa.update(tickets)
                    .where(tickets.c.ticket_id.in_(chunk), tickets.c.state.in_([one.value for one in of]))
                    .values(state=state.value)
                )

    def _read(self, query: sa.Select[Any]) -> list[Ticket]:
        with self._database.reading() as connection:
            return [_as_ticket(dict(row)) for row in connection.execute(query).mappings()]


def _as_row(ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket_id": ticket.ticket_id,
        "decision_id": ticket.decision_id,
        "kind": ticket.kind.value,
        "suggestion": ticket.suggestion,
        "lane": ticket.lane,
        "signatures": ticket.signatures,
        "blind": ticket.blind,
        "opened_at": instant(ticket.opened_at),
        "due_at": instant(ticket.due_at),
        "shown": dict(ticket.shown),
        "state": ticket.state.value,
        "task_id": ticket.task_id,
        "skill": ticket.skill,
        "meant_for": ticket.meant_for,
        "step": ticket.step,
    }


def _as_ticket(row: Mapping[str, Any]) -> Ticket:
    return Ticket(
        **{
            **row,
            "kind": TicketKind(row["kind"]),
            "state": TicketState(row["state"]),
            "opened_at": parse_instant(row["opened_at"]),
            "due_at": parse_instant(row["due_at"]),
        }
    )


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while chunk := list(islice(rest, MANY)):
        yield chunk
