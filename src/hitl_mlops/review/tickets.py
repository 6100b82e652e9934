"""The book of tickets: what was asked, and how far each question has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import answers, ticket_sheets, tickets
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.review.interface import without_the_model
from hitl_mlops.review.ticket import EXERCISES, Sheet, Ticket, TicketKind, TicketState, first_sheets

MANY = 500
"""Rows per statement: within every database's limit of parameters."""
UNANSWERED = (TicketState.WAITING, TicketState.OPEN)
_OF_A_SHEET = ("copy", "blind", "skill", "said_html")
Item = TypeVar("Item")
IN_EARNEST = tickets.c.kind.not_in([kind.value for kind in EXERCISES])
"""Tickets that ask what is not known yet."""


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
class HeldStatus:
    """What one person has.

    Attributes:
        person: roster id.
        held: sheets that are theirs now.
        late: of these, those past their ticket's deadline.
        until: when the first of their claims ends.
    """

    person: str
    held: int
    late: int
    until: datetime


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """How the queue stands.

    Attributes:
        lanes: those with unanswered tickets, by name.
        quarantined: answers that the screen holds back.
        people: those who have something, by id; empty where tickets are not handed out.
        expired: tickets that nobody answered until their last timer ended.
        reminded: unanswered tickets of which people were reminded last.
    """

    lanes: tuple[LaneStatus, ...]
    quarantined: int = 0
    people: tuple[HeldStatus, ...] = ()
    expired: int = 0
    reminded: int = 0


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
            self.add_sheets(sheet for ticket in new for sheet in first_sheets(ticket))
        return [ticket.ticket_id for ticket in new]

    def add_sheets(self, sheets: Iterable[Sheet]) -> None:
        """One more person is asked on each of these sheets; those that are there stay as they are."""
        rows = [asdict(sheet) for sheet in sheets]
        with self._database.transaction() as connection:
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            for piece in _chunks(rows):
                connection.execute(insert(ticket_sheets).values(piece).on_conflict_do_nothing())

    def waiting(self, at_most: int | None = None) -> list[Ticket]:
        """What is not yet on the desk, the earliest deadline first: tickets, then further sheets of them.

        Each as its sheet shows it: without what the model said where the sheet is blind.
        """
        query = sa.select(tickets).where(tickets.c.state == TicketState.WAITING.value)
        found = self._read(query.order_by(tickets.c.due_at, tickets.c.ticket_id).limit(at_most))
        first = [_as_sheet(ticket, ticket.blind or ticket.blind_first) for ticket in found]
        return first or self._waiting_sheets(at_most)

    def unexplained(self, at_most: int) -> list[Ticket]:
        """Those not yet on the desk that lack what helps to judge them, the earliest due first."""
        query = sa.select(tickets).where(
            tickets.c.state == TicketState.WAITING.value, tickets.c.explained.is_(False)
        )
        return self._read(query.order_by(tickets.c.due_at, tickets.c.ticket_id).limit(at_most))

    def keep_explained(self, shown: Mapping[str, Mapping[str, Any]]) -> None:
        """These tickets (ticket id → what is shown) lack nothing; those on the desk stay as they are."""
        with self._database.transaction() as connection:
            for ticket_id, values in shown.items():
                here = (tickets.c.ticket_id == ticket_id) & (tickets.c.state == TicketState.WAITING.value)
                changed = sa.update(tickets).where(here).values(shown=dict(values), explained=True)
                connection.execute(changed)

    def _waiting_sheets(self, at_most: int | None) -> list[Ticket]:
        query = (
            sa.select(tickets, *(ticket_sheets.c[name].label(f"sheet_{name}") for name in _OF_A_SHEET))
            .join(ticket_sheets, ticket_sheets.c.ticket_id == tickets.c.ticket_id)
            .where(ticket_sheets.c.task_id.is_(None), tickets.c.state == TicketState.OPEN.value)
            .order_by(tickets.c.due_at, tickets.c.ticket_id, ticket_sheets.c.copy)
            .limit(at_most)
        )
        with self._database.reading() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        sheets = [{name: row.pop(f"sheet_{name}") for name in _OF_A_SHEET} for row in rows]
        return [_further(as_ticket(row), sheet) for row, sheet in zip(rows, sheets, strict=True)]

    def sheets(self, ticket_ids: Iterable[str]) -> list[Sheet]:
        """Every further sheet of these tickets, by ticket, then number."""
        found: list[Sheet] = []
        with self._database.reading() as connection:
            for chunk in _chunks(ticket_ids):
                query = sa.select(ticket_sheets).where(ticket_sheets.c.ticket_id.in_(chunk))
                found += [Sheet(**row) for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda sheet: (sheet.ticket_id, sheet.copy))

    def more_wait_than(self, many: int) -> bool:
        """Whether more tickets than that are not yet on the desk."""
        query = sa.select(tickets.c.state).where(tickets.c.state == TicketState.WAITING.value)
        with self._database.reading() as connection:
            return connection.execute(query.limit(1).offset(many)).first() is not None

    def needless_sheets(self) -> list[Sheet]:
        """Further sheets on the desk that nobody answered, and nobody needs to: their ticket is done with."""
        done = (TicketState.RESOLVED, TicketState.EXPIRED, TicketState.WITHDRAWN)
        answered = sa.exists().where(answers.c.task_id == ticket_sheets.c.task_id)
        query = (
            sa.select(ticket_sheets)
            .join(tickets, tickets.c.ticket_id == ticket_sheets.c.ticket_id)
            .where(
                tickets.c.state.in_([state.value for state in done]),
                ticket_sheets.c.task_id.is_not(None),
                ~ticket_sheets.c.closed,
                ~answered,
            )
        )
        with self._database.reading() as connection:
            return [Sheet(**row) for row in connection.execute(query).mappings()]

    def mark_closed(self, sheets: Iterable[Sheet]) -> None:
        """The desk offers these sheets to nobody any more."""
        with self._database.transaction() as connection:
            for one in sheets:
                this = (ticket_sheets.c.ticket_id == one.ticket_id) & (ticket_sheets.c.copy == one.copy)
                connection.execute(sa.update(ticket_sheets).where(this).values(closed=True))

    def tasks(self, ticket_ids: Sequence[str]) -> dict[str, list[str]]:
        """Ticket id → the desk's tasks on which it is answered, sheet by sheet; none for one not there."""
        found: dict[str, list[str]] = {one: [] for one in ticket_ids}
        first = [(one.ticket_id, one.task_id) for one in self.by_ids(ticket_ids)]
        further = [(one.ticket_id, one.task_id) for one in self.sheets(ticket_ids)]
        for ticket_id, task_id in (*first, *further):
            if task_id is not None:
                found[ticket_id].append(task_id)
        return found

    def mark_pushed(self, tasks: Mapping[str, str]) -> int:
        """Sheets (sheet id → task id) are on the desk; how many were waiting. Others keep their state."""
        with self._database.transaction() as connection:
            return sum(
                connection.execute(_put_on_the_desk(sheet_id, task_id)).rowcount
                for sheet_id, task_id in tasks.items()
            )

    def mark_resolved(self, ticket_ids: Iterable[str]) -> None:
        """These have a resolution."""
        self._set(ticket_ids, TicketState.RESOLVED, [TicketState.TIED, TicketState.EXPIRED, *UNANSWERED])

    def mark_tied(self, ticket_ids: Iterable[str]) -> None:
        """Of these an adjudicator must be asked."""
        self._set(ticket_ids, TicketState.TIED, [TicketState.RESOLVED, *UNANSWERED])

    def reopen(self, ticket_ids: Iterable[str]) -> None:
        """These had a resolution that was taken back, or are tied no more: people are asked again."""
        self._set(ticket_ids, TicketState.OPEN, [TicketState.RESOLVED, TicketState.TIED])

    def tied(self) -> list[Ticket]:
        """Tickets on which people differ or which somebody handed up, by id, without what they show."""
        columns = [column for column in tickets.c if column.name != "shown"]
        query = sa.select(*columns).where(tickets.c.state == TicketState.TIED.value)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(tickets.c.ticket_id)).mappings().all()
        return [as_ticket({**row, "shown": {}}) for row in rows]

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
        """Those of the decisions that some ticket asks about in earnest."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for chunk in _chunks(decision_ids):
                query = sa.select(tickets.c.decision_id).where(tickets.c.decision_id.in_(chunk), IN_EARNEST)
                found.update(connection.execute(query).scalars())
        return frozenset(found)

    def ids_about(self, decision_ids: Iterable[str]) -> list[str]:
        """Ids of every ticket about these decisions, sorted."""
        found: list[str] = []
        with self._database.reading() as connection:
            for chunk in _chunks(decision_ids):
                query = sa.select(tickets.c.ticket_id).where(tickets.c.decision_id.in_(chunk))
                found += connection.execute(query).scalars()
        return sorted(found)

    def asked_since(self, since: datetime) -> frozenset[str]:
        """The decisions that some ticket opened at or after `since` asks about in earnest."""
        query = sa.select(tickets.c.decision_id).where(tickets.c.opened_at >= instant(since), IN_EARNEST)
        with self._database.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def answers_awaited(self) -> int:
        """Answers that the unanswered tickets ask for, one for each signature."""
        unanswered = tickets.c.state.in_([state.value for state in UNANSWERED])
        with self._database.reading() as connection:
            query = sa.select(sa.func.sum(tickets.c.signatures)).where(unanswered)
            return int(connection.execute(query).scalar() or 0)

    def overdue(self, now: datetime) -> list[Ticket]:
        """Unanswered tickets past their deadline, the latest deadline last; exercises are not waited for."""
        unanswered = tickets.c.state.in_([state.value for state in UNANSWERED])
        query = sa.select(tickets).where(unanswered, tickets.c.due_at < instant(now), IN_EARNEST)
        return self._read(query.order_by(tickets.c.due_at, tickets.c.ticket_id))

    def late_since(self, since: datetime, now: datetime) -> tuple[int, int]:
        """Of the tickets opened at or after `since`: those unanswered past their deadline, and all.

        Those that expired are late too. Exercises are neither.
        """
        states = (*UNANSWERED, TicketState.EXPIRED)
        unanswered = tickets.c.state.in_([state.value for state in states])
        is_late = unanswered & (tickets.c.due_at < instant(now))
        query = sa.select(sa.func.sum(sa.case((is_late, 1), else_=0)), sa.func.count())
        with self._database.reading() as connection:
            opened_since = query.where(tickets.c.opened_at >= instant(since), IN_EARNEST)
            late, opened = connection.execute(opened_since).one()
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
            return [as_ticket(dict(row)) for row in connection.execute(query).mappings()]


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
        "blind_first": ticket.blind_first,
        "stages": list(ticket.stages),
        "decides": ticket.decides.value if ticket.decides else None,
        "explained": ticket.explained,
    }


def as_ticket(row: Mapping[str, Any]) -> Ticket:
    """The ticket that a row holds."""
    return Ticket(
        **{
            **row,
            "kind": TicketKind(row["kind"]),
            "state": TicketState(row["state"]),
            "stages": tuple(row["stages"]),
            "decides": TicketKind(row["decides"]) if row["decides"] else None,
            "opened_at": parse_instant(row["opened_at"]),
            "due_at": parse_instant(row["due_at"]),
        }
    )


def _as_sheet(ticket: Ticket, blind: bool) -> Ticket:
    shown = without_the_model(ticket.shown) if blind else ticket.shown
    return replace(ticket, blind=blind, shown=shown)


def _further(ticket: Ticket, sheet: Mapping[str, Any]) -> Ticket:
    shown = {**ticket.shown, "said_html": sheet["said_html"] or ticket.shown.get("said_html", "")}
    whole = replace(ticket, copy=sheet["copy"], skill=sheet["skill"] or ticket.skill, shown=shown)
    return _as_sheet(whole, sheet["blind"])


def _put_on_the_desk(sheet_id: str, task_id: str) -> sa.Update:
    ticket_id, _, copy = sheet_id.partition("/")
    if not copy:
        here = (tickets.c.ticket_id == ticket_id) & (tickets.c.state == TicketState.WAITING.value)
        return sa.update(tickets).where(here).values(state=TicketState.OPEN.value, task_id=task_id)
    this = (ticket_sheets.c.ticket_id == ticket_id) & (ticket_sheets.c.copy == int(copy))
    here = this & ticket_sheets.c.task_id.is_(None)
    return sa.update(ticket_sheets).where(here).values(task_id=task_id)


def _chunks(ids: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(ids)
    while chunk := list(islice(rest, MANY)):
        yield chunk
