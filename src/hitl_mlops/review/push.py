"""Tickets that wait are put on the desk, each once, whatever is killed when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import intents
from hitl_mlops.ids import instant
from hitl_mlops.review.desk import Desk
from hitl_mlops.review.ticket import Ticket
from hitl_mlops.review.tickets import TicketBook

AT_ONCE = 500
"""Tickets put on the desk before they are marked; what a crash has to find again."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did.

    Attributes:
        pushed: sheets that waited and are on the desk now; a ticket has one for each person asked.
        pages: addresses at which people answer.
    """

    pushed: int
    pages: tuple[str, ...]


def push_tickets(  # who keeps what was done
    book: TicketBook, desk: Desk, trail: Trail, database: Database, *, now: datetime, actor: str
) -> Pushed:
    """No ticket waits any more. Each piece of 500: intent, look up and import, then mark and entry together.

    Killed after the desk took a piece and before it was marked, the next push finds those tasks by their
    ticket ids.

    Raises:
        ServiceDownError: the desk stopped answering; what was marked stays, the rest waits.
        CredentialsError: the desk refuses the token; the tickets wait.
    """
    count = 0
    while waiting := book.waiting(AT_ONCE):
        key = f"push:{desk.name}"
        _intend(database, key, [ticket.sheet_id for ticket in waiting], now)
        tasks = desk.push(waiting)
        with database.transaction() as connection:
            count += book.mark_pushed(tasks)
            trail.append([_pushed(desk.name, waiting, tasks, now, actor)])
            connection.execute(sa.update(intents).where(intents.c.key == key).values(closed_at=instant(now)))
    return Pushed(count, desk.pages)


def _intend(database: Database, key: str, ticket_ids: list[str], now: datetime) -> None:
    """The intent is open before the desk is touched; one row a desk, an unfinished one is taken over."""
    row = {"kind": "push", "facts": {"tickets": ticket_ids}, "opened_at": instant(now), "closed_at": None}
    with database.transaction() as connection:
        if not connection.execute(sa.update(intents).where(intents.c.key == key).values(**row)).rowcount:
            connection.execute(sa.insert(intents).values(key=key, **row))


def _pushed(
    desk: str, pushed: Sequence[Ticket], tasks: Mapping[str, str], now: datetime, actor: str
) -> Event:
    ids = dict.fromkeys(ticket.ticket_id for ticket in pushed if ticket.sheet_id in tasks)
    return Event(
        kind=Kind.TICKETS_PUSHED,
        actor=actor,
        at=now,
        refs={"ticket": list(ids)},
        facts={"desk": desk, "tickets": len(tasks)},
    )
