"""The book of claims: who has which sheet of the desk, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.pieces import pieces_of
from hitl_mlops.database.tables import answers, claims
from hitl_mlops.ids import content_id, instant, parse_instant

TURN = 0x636C6169  # "clai"


class Ending(StrEnum):
    """Why a claim is over."""

    EXPIRED = "expired"
    """Its time ended without an answer."""
    GIVEN_BACK = "given_back"
    MOVED = "moved"
    """The ticket climbed to others."""
    DONE = "done"
    """It was answered, or is asked no more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One person has one sheet for a while.

    Attributes:
        ticket_id: the ticket.
        task_id: the desk's task of the sheet.
        person: roster id.
        at: since when.
        until: until when, unless it ends before.
        ended_at: when it ended; None: not yet.
        ending: why; None: it has not.
    """

    ticket_id: str
    task_id: str
    person: str
    at: datetime
    until: datetime
    ended_at: datetime | None = None
    ending: Ending | None = None

    @property
    def claim_id(self) -> str:
        """The id by which records name it."""
        return content_id("cl", [self.task_id, self.person, instant(self.at)])

    def holds(self, moment: datetime) -> bool:
        """The sheet is that person's at that moment."""
        end = self.until if self.ended_at is None else min(self.until, self.ended_at)
        return self.at <= moment < end


class ClaimBook:
    """Every claim ever made. Joins an open transaction of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def turn(self) -> None:
        """Whoever else hands out waits until this transaction ends; the first statement of one.

        SQLite lets one write at a time anyway; on PostgreSQL an advisory lock is taken.
        """
        with self._database.transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TURN)))

    def make(self, made: Sequence[Claim]) -> None:
        """These claims hold; the desk does not show them yet."""
        if made:
            with self._database.transaction() as connection:
                connection.execute(sa.insert(claims), [_as_row(one) for one in made])

    def end(self, ended: Iterable[Claim], ending: Ending, at: datetime) -> None:
        """These claims are over; the desk does not show that yet."""
        values = {"ended_at": instant(at), "ending": ending.value, "shown": False}
        with self._database.transaction() as connection:
            for piece in pieces_of([one.claim_id for one in ended]):
                which = claims.c.claim_id.in_(piece) & claims.c.ended_at.is_(None)
                connection.execute(sa.update(claims).where(which).values(**values))

    def standing(self) -> list[Claim]:
        """Claims that nobody ended, by time, then task; some may have outlived their time."""
        query = sa.select(claims).where(claims.c.ended_at.is_(None))
        return self._read(query.order_by(claims.c.at, claims.c.task_id))

    def of(self, ticket_ids: Collection[str]) -> dict[str, list[Claim]]:
        """Task id → every claim on it ever, of these tickets."""
        found: dict[str, list[Claim]] = {}
        for piece in pieces_of(ticket_ids):
            for one in self._read(sa.select(claims).where(claims.c.ticket_id.in_(piece))):
                found.setdefault(one.task_id, []).append(one)
        return found

    def not_shown(self) -> list[Claim]:
        """Claims whose beginning or end the desk does not show yet."""
        return self._read(sa.select(claims).where(~claims.c.shown).order_by(claims.c.at, claims.c.task_id))

    def mark_shown(self, shown: Iterable[Claim]) -> None:
        """The desk shows these as they are here; one that ended meanwhile is left."""
        with self._database.transaction() as connection:
            for one in shown:
                ended = None if one.ended_at is None else instant(one.ended_at)
                here = claims.c.ended_at.is_(None) if ended is None else claims.c.ended_at == ended
                which = (claims.c.claim_id == one.claim_id) & here
                connection.execute(sa.update(claims).where(which).values(shown=True))

    def given(self, ticket_ids: Collection[str]) -> dict[str, list[tuple[str, str | None]]]:
        """Ticket id → (task, roster id) of every answer that the desk shows; None: it was never accepted."""
        found: dict[str, list[tuple[str, str | None]]] = {}
        columns = (answers.c.ticket_id, answers.c.task_id, answers.c.person)
        with self._database.reading() as connection:
            for piece in pieces_of(ticket_ids):
                query = sa.select(*columns).where(
                    answers.c.ticket_id.in_(piece), answers.c.state != "superseded", ~answers.c.skipped
                )
                for ticket_id, task_id, person in connection.execute(query):
                    found.setdefault(ticket_id, []).append((task_id, person))
        return found

    def met(self, since: datetime) -> Counter[frozenset[str]]:
        """How often each two people answered one ticket, both at or after `since`."""
        query = sa.select(answers.c.ticket_id, answers.c.person).where(
            answers.c.state == "accepted",
            answers.c.person.is_not(None),
            answers.c.answered_at >= instant(since),
        )
        of_ticket: dict[str, set[str]] = {}
        with self._database.reading() as connection:
            for ticket_id, person in connection.execute(query):
                of_ticket.setdefault(ticket_id, set()).add(person)
        return Counter(
            frozenset(pair) for people in of_ticket.values() for pair in combinations(sorted(people), 2)
        )

    def _read(self, query: sa.Select[Any]) -> list[Claim]:
        with self._database.reading() as connection:
            return [_as_claim(dict(row)) for row in connection.execute(query).mappings()]


def _as_row(one: Claim) -> dict[str, Any]:
    return {
        "claim_id": one.claim_id,
        "ticket_id": one.ticket_id,
        "task_id": one.task_id,
        "person": one.person,
        "at": instant(one.at),
        "until": instant(one.until),
        "ended_at": None if one.ended_at is None else instant(one.ended_at),
        "ending": one.ending,
        "shown": False,
    }


def _as_claim(row: Mapping[str, Any]) -> Claim:
    return Claim(
        ticket_id=row["ticket_id"],
        task_id=row["task_id"],
        person=row["person"],
        at=parse_instant(row["at"]),
        until=parse_instant(row["until"]),
        ended_at=None if row["ended_at"] is None else parse_instant(row["ended_at"]),
        ending=None if row["ending"] is None else Ending(row["ending"]),
    )
