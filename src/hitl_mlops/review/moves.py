"""The book of steps: how each ticket climbed the escalation ladder, and which ones nobody answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.pieces import pieces_of
from hitl_mlops.database.tables import ticket_moves, tickets
from hitl_mlops.ids import content_id, instant, parse_instant
from hitl_mlops.review.ticket import Ticket, TicketKind, TicketState
from hitl_mlops.review.tickets import as_ticket

REJECTING = frozenset({TicketKind.REVIEW, TicketKind.ADJUDICATION})
"""Kinds whose decision waits for the answer: nobody answers, nobody acts."""
_WAITED_FOR = (TicketState.WAITING.value, TicketState.OPEN.value)


class What(StrEnum):
    """What a step does with a ticket."""

    REMINDED = "reminded"
    """It stays where it is, and those who have it are reminded."""
    HANDED_UP = "handed_up"
    """Others are asked."""
    LEFT_WAITING = "left_waiting"
    """The last timer ended, and it waits on."""
    EXPIRED = "expired"
    """The last timer ended, and nobody is asked any more."""


@dataclass(frozen=True, slots=True)
class Move:
    """One step of one ticket.

    Attributes:
        ticket_id: the ticket.
        decision_id: the decision it asks about.
        step: how many steps of the ladder it has climbed with this one.
        what: what became of it.
        lane: where it lies from now on.
        skill: what it asks for from now on; None: nothing.
        skill_before: what it asked for until then.
        due_at: when the step was due.
        happened_at: when it was taken: later where nobody looked in between.
        until: when the next step is due; None: there is none.
        ladder: id of the ladder, of its steps' content.
    """

    ticket_id: str
    decision_id: str
    step: int
    what: What
    lane: str
    skill: str | None
    skill_before: str | None
    due_at: datetime
    happened_at: datetime
    until: datetime | None
    ladder: str

    @property
    def move_id(self) -> str:
        """The id by which records name it."""
        return content_id("mv", [self.ticket_id, self.step, self.what.value, instant(self.happened_at)])


@dataclass(frozen=True, slots=True)
class Ended:
    """Nobody answered in time, so that the decision is rejected.

    Attributes:
        move_id: the step that ended it.
        at: when that was.
    """

    move_id: str
    at: datetime


class MoveBook:
    """Every step that tickets took. Joins an open transaction of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, moves: Sequence[Move], *, before: int) -> bool:
        """The ticket stands where its moves lead; False, and nothing happened, if it moved or was answered.

        Args:
            moves: of one ticket, in order; at least one.
            before: how many steps it had climbed when they were decided.
        """
        last = moves[-1]
        here = (tickets.c.ticket_id == last.ticket_id) & (tickets.c.step == before)
        values: dict[str, Any] = {"step": last.step, "lane": last.lane, "skill": last.skill}
        if last.what is What.EXPIRED:
            values["state"] = TicketState.EXPIRED.value
        with self._database.transaction() as connection:
            update = sa.update(tickets).where(here, tickets.c.state.in_(_WAITED_FOR)).values(**values)
            if connection.execute(update).rowcount != 1:
                return False
            connection.execute(sa.insert(ticket_moves), [_as_row(move) for move in moves])
        return True

    def of(self, ticket_ids: Collection[str]) -> dict[str, list[Move]]:
        """Ticket id → its steps as they were taken, for those that took any."""
        found: dict[str, list[Move]] = {}
        order = (ticket_moves.c.happened_at, ticket_moves.c.step)
        for piece in pieces_of(ticket_ids):
            query = sa.select(ticket_moves).where(ticket_moves.c.ticket_id.in_(piece)).order_by(*order)
            for move in self._read(query):
                found.setdefault(move.ticket_id, []).append(move)
        return found

    def unanswered(self, kinds: Collection[TicketKind]) -> list[Ticket]:
        """Tickets of these kinds that wait for people, by id, without what they show."""
        columns = [column for column in tickets.c if column.name != "shown"]
        query = sa.select(*columns).where(
            tickets.c.kind.in_([kind.value for kind in kinds]), tickets.c.state.in_(_WAITED_FOR)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(tickets.c.ticket_id)).mappings().all()
        return [as_ticket({**row, "shown": {}}) for row in rows]

    def reminded(self) -> int:
        """Unanswered tickets whose last step was a reminder."""
        last = (tickets.c.ticket_id == ticket_moves.c.ticket_id) & (tickets.c.step == ticket_moves.c.step)
        query = (
            sa.select(sa.func.count())
            .select_from(ticket_moves.join(tickets, last))
            .where(ticket_moves.c.what == What.REMINDED.value, tickets.c.state.in_(_WAITED_FOR))
        )
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def not_shown(self) -> list[Move]:
        """The last step of each ticket that the desk does not show yet, as it happened."""
        order = (ticket_moves.c.happened_at, ticket_moves.c.ticket_id, ticket_moves.c.step)
        query = sa.select(ticket_moves).where(~ticket_moves.c.shown).order_by(*order)
        return list({move.ticket_id: move for move in self._read(query)}.values())

    def mark_shown(self, ticket_ids: Iterable[str], until: datetime) -> None:
        """The desk shows all that happened to these tickets up to then."""
        with self._database.transaction() as connection:
            for piece in pieces_of(set(ticket_ids)):
                which = ticket_moves.c.ticket_id.in_(piece) & (ticket_moves.c.happened_at <= instant(until))
                connection.execute(sa.update(ticket_moves).where(which).values(shown=True))

    def ended(self, decision_ids: Collection[str]) -> dict[str, Ended]:
        """Decision id → how it ended, for those that nobody answered and about which nobody is asked now."""
        asked: set[str] = set()
        last: dict[str, Move] = {}
        kinds = [kind.value for kind in REJECTING]
        for piece in pieces_of(decision_ids):
            about = tickets.c.decision_id.in_(piece) & tickets.c.kind.in_(kinds)
            waiting = sa.select(tickets.c.decision_id).where(about, tickets.c.state.in_(_WAITED_FOR))
            over = (
                sa.select(ticket_moves)
                .join(tickets, tickets.c.ticket_id == ticket_moves.c.ticket_id)
                .where(about, tickets.c.state == TicketState.EXPIRED.value)
                .where(ticket_moves.c.what == What.EXPIRED.value)
                .order_by(ticket_moves.c.happened_at, ticket_moves.c.ticket_id)
            )
            with self._database.reading() as connection:
                asked.update(connection.execute(waiting).scalars())
            last |= {move.decision_id: move for move in self._read(over)}
        return {name: Ended(one.move_id, one.happened_at) for name, one in last.items() if name not in asked}

    def _read(self, query: sa.Select[Any]) -> list[Move]:
        with self._database.reading() as connection:
            return [_as_move(dict(row)) for row in connection.execute(query).mappings()]


def skill_asked(moves: Sequence[Move], now: str | None, at: datetime) -> str | None:
    """What the ticket asked for at that moment.

    Args:
        moves: its steps, as they were taken.
        now: what it asks for now.
        at: the moment.
    """
    later = (move for move in moves if move.happened_at > at)
    first = next(later, None)
    return now if first is None else first.skill_before


def _as_row(move: Move) -> dict[str, Any]:
    return {
        "move_id": move.move_id,
        "ticket_id": move.ticket_id,
        "decision_id": move.decision_id,
        "step": move.step,
        "what": move.what.value,
        "lane": move.lane,
        "skill": move.skill,
        "skill_before": move.skill_before,
        "due_at": instant(move.due_at),
        "happened_at": instant(move.happened_at),
        "until": None if move.until is None else instant(move.until),
        "ladder": move.ladder,
        "shown": False,
    }


_PLAIN = ("ticket_id", "decision_id", "step", "lane", "skill", "skill_before", "ladder")


def _as_move(row: Mapping[str, Any]) -> Move:
    return Move(
        **{name: row[name] for name in _PLAIN},
        what=What(row["what"]),
        due_at=parse_instant(row["due_at"]),
        happened_at=parse_instant(row["happened_at"]),
        until=None if row["until"] is None else parse_instant(row["until"]),
    )
