"""The book of exercises: what they are made of, kept apart from the tickets, and what came of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.pieces import pieces_of
from hitl_mlops.database.tables import answers, exercises, outcomes, resolutions, tickets
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.overrides.record import AnswerState, Method, Resolution
from hitl_mlops.overrides.rows import kept_resolution
from hitl_mlops.oversight.exercise import Exercise, Source
from hitl_mlops.review.ticket import SAMPLED, TicketKind, TicketState
from hitl_mlops.review.tickets import IN_EARNEST, UNANSWERED

LATEST = 1_000
"""So many of the latest trusted resolutions, and of the latest outcomes, are looked at for exercises."""


class ExerciseBook:
    """Every exercise ever opened. Joins an open transaction of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, opened: Iterable[Exercise]) -> None:
        """These are in the book; their tickets are new."""
        rows = [_as_row(one) for one in opened]
        if rows:
            with self._database.transaction() as connection:
                connection.execute(sa.insert(exercises), rows)

    def all(self, since: datetime | None = None) -> list[Exercise]:
        """Those opened at or after `since`, oldest first, then by id."""
        query = sa.select(exercises)
        if since is not None:
            query = query.where(exercises.c.opened_at >= instant(since))
        with self._database.reading() as connection:
            ordered = query.order_by(exercises.c.opened_at, exercises.c.ticket_id)
            return [_as_exercise(row) for row in connection.execute(ordered).mappings()]

    def of(self, ticket_ids: Collection[str]) -> dict[str, Exercise]:
        """Ticket id → exercise, for those of the tickets that are one."""
        rows = self._rows(sa.select(exercises), exercises.c.ticket_id, ticket_ids)
        return {row["ticket_id"]: _as_exercise(row) for row in rows}

    def trusted(self, at_most: int = LATEST) -> list[Resolution]:
        """The latest resolutions by an adjudicator or by all who were asked, newest first."""
        methods = (Method.ADJUDICATED.value, Method.UNANIMOUS.value)
        query = sa.select(resolutions).where(
            resolutions.c.withdrawn_at.is_(None), resolutions.c.method.in_(methods)
        )
        newest = query.order_by(resolutions.c.resolved_at.desc(), resolutions.c.resolution_id)
        with self._database.reading() as connection:
            return [kept_resolution(row) for row in connection.execute(newest.limit(at_most)).mappings()]

    def outcomes(self, at_most: int = LATEST) -> dict[str, str]:
        """Decision id → what really happened, of the latest that were told: the highest revision holds."""
        columns = (outcomes.c.decision_id, outcomes.c.label)
        newest = sa.select(outcomes.c.decision_id).order_by(outcomes.c.told_at.desc()).limit(at_most)
        with self._database.reading() as connection:
            ids = list(connection.execute(newest).scalars())
        rows = self._rows(sa.select(*columns).order_by(outcomes.c.revision), outcomes.c.decision_id, ids)
        return {row["decision_id"]: row["label"] for row in rows}

    def beside_which(self) -> list[str]:
        """Ids of the tickets that wait for the desk and ask anybody an ordinary question; reads no page."""
        query = sa.select(tickets.c.ticket_id).where(
            tickets.c.state == TicketState.WAITING.value,
            tickets.c.kind.in_([kind.value for kind in SAMPLED]),
            tickets.c.signatures == 1,
            tickets.c.blind.is_(False),
            tickets.c.meant_for.is_(None),
        )
        with self._database.reading() as connection:
            return sorted(connection.execute(query).scalars())

    def seen(self, decision_ids: Collection[str]) -> dict[str, set[str]]:
        """Decision id → roster ids of those who answered any ticket about it."""
        query = (
            sa.select(tickets.c.decision_id, answers.c.person)
            .join(answers, answers.c.ticket_id == tickets.c.ticket_id)
            .where(answers.c.person.is_not(None))
        )
        found: dict[str, set[str]] = defaultdict(set)
        for row in self._rows(query.distinct(), tickets.c.decision_id, decision_ids):
            found[row["decision_id"]].add(row["person"])
        return dict(found)

    def still_asked(self, decision_ids: Collection[str]) -> set[str]:
        """Those of the decisions about which an unanswered ticket asks in earnest."""
        states = [state.value for state in UNANSWERED]
        query = sa.select(tickets.c.decision_id).where(tickets.c.state.in_(states), IN_EARNEST)
        return {row["decision_id"] for row in self._rows(query, tickets.c.decision_id, decision_ids)}

    def answered(self) -> list[str]:
        """Tickets of exercises that are not closed, and have an answer that counts."""
        query = (
            sa.select(tickets.c.ticket_id)
            .join(answers, answers.c.ticket_id == tickets.c.ticket_id)
            .where(
                tickets.c.state.in_([state.value for state in UNANSWERED]),
                ~IN_EARNEST,
                answers.c.state == AnswerState.ACCEPTED.value,
                answers.c.skipped.is_(False),
            )
        )
        with self._database.reading() as connection:
            return sorted(set(connection.execute(query).scalars()))

    def stale(self, before: datetime) -> dict[str, str]:
        """Ticket id → the desk's task, of exercises that were due before then and are not answered."""
        columns = (tickets.c.ticket_id, tickets.c.task_id)
        query = sa.select(*columns).where(
            tickets.c.state == TicketState.OPEN.value, ~IN_EARNEST, tickets.c.due_at < instant(before)
        )
        with self._database.reading() as connection:
            return {name: str(task) for name, task in connection.execute(query) if task is not None}

    def _rows(
        self, query: sa.Select[Any], column: sa.Column[Any], ids: Collection[str]
    ) -> Iterator[sa.RowMapping]:
        for piece in pieces_of(ids):
            with self._database.reading() as connection:
                rows = connection.execute(query.where(column.in_(piece))).mappings().all()
            yield from rows


def _as_row(one: Exercise) -> dict[str, Any]:
    return {
        **asdict(one),
        "kind": one.kind.value,
        "source": one.source.value,
        "opened_at": instant(one.opened_at),
    }


def _as_exercise(row: sa.RowMapping) -> Exercise:
    return Exercise(
        **{
            **row,
            "kind": TicketKind(row["kind"]),
            "source": Source(row["source"]),
            "opened_at": parse_instant(row["opened_at"]),
        }
    )
