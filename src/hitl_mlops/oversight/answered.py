"""What people answered, with what they were asked: the rows that every figure of oversight rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import answers, tickets
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.overrides.record import AnswerState
from hitl_mlops.review.answer import HANDED_UP, Verdict
from hitl_mlops.review.ticket import EXERCISES, TicketKind
from hitl_mlops.review.tickets import IN_EARNEST


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer that counts, with what was asked.

    Attributes:
        key: names the answer's revision.
        person: roster id of who gave it.
        account: the desk's account of who gave it, in lower case.
        ticket_id: the ticket.
        decision_id: what it asked about.
        kind: why it was asked.
        shown: the class that the page suggested, where one was given; None where it suggested none.
        label: the class given; None where the question was passed on.
        escalated: it was passed on, or the case rejected.
        seconds: how long it took; None where the desk measured none.
        answered_at: when it was given.
        collected_at: when we saw it: the order in which evidence is weighed.
    """

    key: str
    person: str
    account: str
    ticket_id: str
    decision_id: str
    kind: TicketKind
    shown: str | None
    label: str | None
    escalated: bool
    seconds: float | None
    answered_at: datetime
    collected_at: datetime

    @property
    def in_earnest(self) -> bool:
        """It was asked to know what is right."""
        return self.kind not in EXERCISES


class AnsweredQuestions:
    """Answers with their questions, as the database has them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def in_earnest(self, since: datetime, at_most: int | None = None) -> list[Answered]:
        """Those that count and were no exercise, seen at or after `since`, in the order they were seen.

        With `at_most` the last ones. Who passed on a task has not answered it.
        """
        return self._read(IN_EARNEST & (answers.c.collected_at >= instant(since)), at_most)

    def to_exercises(self) -> list[Answered]:
        """Every one to an exercise that counts, in the order they were seen: evidence is never left out."""
        return self._read(~IN_EARNEST)

    def _read(self, which: sa.ColumnElement[bool], at_most: int | None = None) -> list[Answered]:
        query = (
            sa.select(*_ANSWER, *_TICKET)
            .join(tickets, answers.c.ticket_id == tickets.c.ticket_id)
            .where(
                answers.c.state == AnswerState.ACCEPTED.value,
                answers.c.skipped.is_(False),
                answers.c.person.is_not(None),
                which,
            )
        )
        newest = query.order_by(
            answers.c.collected_at.desc(), answers.c.answered_at.desc(), answers.c.key.desc()
        )
        with self._database.reading() as connection:
            rows = connection.execute(newest.limit(at_most)).mappings().all()
        return [_answered(row) for row in reversed(rows)]

    def refused(self, since: datetime) -> Mapping[str, int]:
        """Account, in lower case → answers that the screen refused and nobody released, seen since then."""
        states = (AnswerState.QUARANTINED.value, AnswerState.DROPPED.value)
        query = sa.select(sa.func.lower(answers.c.reviewer)).where(
            answers.c.state.in_(states), answers.c.collected_at >= instant(since)
        )
        with self._database.reading() as connection:
            return Counter(connection.execute(query).scalars())


def by_person(rows: Sequence[Answered]) -> dict[str, list[Answered]]:
    """Person → their answers, in the rows' order; people by id."""
    found: dict[str, list[Answered]] = {person: [] for person in sorted({one.person for one in rows})}
    for one in rows:
        found[one.person].append(one)
    return found


_ANSWER = (
    answers.c.key,
    answers.c.person,
    sa.func.lower(answers.c.reviewer).label("account"),
    answers.c.label,
    answers.c.verdict,
    answers.c.seconds,
    answers.c.answered_at,
    answers.c.collected_at,
)
_TICKET = (
    tickets.c.ticket_id,
    tickets.c.decision_id,
    tickets.c.kind,
    tickets.c.suggestion,
    tickets.c.blind,
)


def _answered(row: sa.RowMapping) -> Answered:
    """Who was not shown the model's answer has no verdict of it, also on a ticket that others see it on."""
    verdict = Verdict(row["verdict"]) if row["verdict"] else None
    was_shown = not row["blind"] and verdict in (Verdict.ACCEPT, Verdict.EDIT)
    return Answered(
        key=row["key"],
        person=row["person"],
        account=row["account"],
        ticket_id=row["ticket_id"],
        decision_id=row["decision_id"],
        kind=TicketKind(row["kind"]),
        shown=row["suggestion"] or None if was_shown else None,
        label=row["label"],
        escalated=verdict in HANDED_UP,
        seconds=row["seconds"],
        answered_at=parse_instant(row["answered_at"]),
        collected_at=parse_instant(row["collected_at"]),
    )
