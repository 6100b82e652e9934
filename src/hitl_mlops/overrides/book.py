"""The book of answers and resolutions, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hitl_mlops.callbacks.book_sql import SqlCallbackBook
from hitl_mlops.database.connect import Database
from hitl_mlops.database.pieces import pieces_of
from hitl_mlops.database.tables import answers, resolutions, tickets, watermarks
from hitl_mlops.errors import NotFoundError
from hitl_mlops.ids import content_id, instant, parse_instant
from hitl_mlops.overrides.consensus import Asked
from hitl_mlops.overrides.decide import ON_THE_DESK, Background, Step
from hitl_mlops.overrides.flags import Flag
from hitl_mlops.overrides.record import AnswerState, KeptAnswer, Method, Resolution
from hitl_mlops.overrides.rows import answer_row, kept_answer, kept_resolution, resolution_row
from hitl_mlops.overrides.scale_book import ScaleBook
from hitl_mlops.review.budget import TimedAnswer
from hitl_mlops.review.claims import Claim, ClaimBook
from hitl_mlops.review.desk import Cursor
from hitl_mlops.review.moves import Move, MoveBook
from hitl_mlops.review.ticket import EXERCISES, LAST_WORD, SAMPLED, Sheet, TicketKind
from hitl_mlops.review.tickets import IN_EARNEST, TicketBook


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a desk was read.

    Attributes:
        cursor: the place up to which every change is kept; None before the first page.
        swept_at: when deletions were last looked for; None if never.
        generation: moves with every change of the desk's answers. Who read the desk at one generation may
            write only at the same: so no reading is ever laid over a newer one.
    """

    cursor: Cursor | None = None
    swept_at: datetime | None = None
    generation: int = 0


class AnswerBook:
    """Every revision of every answer ever seen, the resolutions, and how far each desk was read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tickets = TicketBook(database)
        self._callbacks = SqlCallbackBook(database)
        self._scales = ScaleBook(database)

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """One transaction for rows, trail entries and watermark; joins an open one."""
        return self._database.transaction()

    def watermark(self, desk: str) -> Watermark:
        """How far the desk was read."""
        with self._database.reading() as connection:
            row = (
                connection.execute(sa.select(watermarks).where(watermarks.c.desk == desk)).mappings().first()
            )
        if row is None:
            return Watermark()
        return Watermark(
            cursor=Cursor(row["changed_at"], row["task_id"]) if row["changed_at"] else None,
            swept_at=parse_instant(row["swept_at"]) if row["swept_at"] else None,
            generation=row["generation"],
        )

    def move(self, desk: str, reached: Watermark) -> bool:
        """The watermark is at `reached`, one generation on; False, and nothing happened, if it was not there.

        The first statement of a transaction: on PostgreSQL its row lock makes other writers of the desk wait.
        """
        row = {
            "changed_at": reached.cursor.changed_at if reached.cursor else None,
            "task_id": reached.cursor.task_id if reached.cursor else None,
            "swept_at": instant(reached.swept_at) if reached.swept_at else None,
            "generation": reached.generation + 1,
        }
        with self.transaction() as connection:
            if reached.generation == 0:
                insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
                first = insert(watermarks).values(desk=desk, generation=0).on_conflict_do_nothing()
                connection.execute(first)
            here = (watermarks.c.desk == desk) & (watermarks.c.generation == reached.generation)
            return connection.execute(sa.update(watermarks).where(here).values(**row)).rowcount == 1

    def write(self, step: Step, now: datetime) -> None:
        """The step's answers and resolutions are kept; part of a transaction that `move` opened.

        Tickets that came to a resolution are marked so; those whose resolution was taken back open again.
        Applications that want to know of the decisions are told.

        Raises:
            sqlalchemy.exc.IntegrityError: a key is there already, which `move` rules out.
        """
        with self.transaction() as connection:
            if step.new:
                connection.execute(sa.insert(answers), [answer_row(one) for one in step.new])
            if step.changed:
                connection.execute(_update_answers(), [_changed(one) for one in step.changed])
            for ids in pieces_of({one.resolution_id for one in step.settled.withdrawn}):
                taken = sa.update(resolutions).where(resolutions.c.resolution_id.in_(ids))
                connection.execute(taken.values(withdrawn_at=instant(now)))
            if step.settled.made:
                rows = [resolution_row(one) for one in step.settled.made]
                connection.execute(sa.insert(resolutions), rows)
            settled = step.settled
            self._tickets.reopen({one.ticket_id for one in settled.withdrawn})
            self._tickets.reopen({*settled.waiting, *settled.disagreements})
            self._tickets.mark_tied(settled.ties)
            self._tickets.mark_resolved({one.ticket_id for one in settled.made})
            self._tickets.add_sheets(settled.sheets)
            gone = {one.decision_id: content_id("gone", one.resolution_id) for one in step.settled.withdrawn}
            made = {one.decision_id: one.resolution_id for one in step.settled.made}
            if changed := gone | made:
                self._callbacks.announce(changed, now)

    def answers_of(self, desk: str, task_ids: Collection[str]) -> dict[str, KeptAnswer]:
        """Key → every revision ever kept of these tasks."""
        found = self._answers(answers.c.task_id, task_ids, answers.c.desk == desk)
        return {one.key: one for one in found}

    def accepted_for(self, ticket_ids: Collection[str]) -> list[KeptAnswer]:
        """The accepted answers to these tickets, on whatever task and desk they were given."""
        return self._answers(answers.c.ticket_id, ticket_ids, answers.c.state == AnswerState.ACCEPTED.value)

    def task_ids(self, desk: str) -> set[str]:
        """Tasks of the desk that had answers when they were last read."""
        states = [state.value for state in ON_THE_DESK]
        query = sa.select(answers.c.task_id).where(answers.c.desk == desk, answers.c.state.in_(states))
        with self._database.reading() as connection:
            return set(connection.execute(query.distinct()).scalars())

    def answer(self, key: str) -> KeptAnswer:
        """The revision; raises NotFoundError."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(answers).where(answers.c.key == key)).mappings().first()
        if row is None:
            raise NotFoundError(
                f"No answer {key} was ever collected.", remedy="List them with `hitl review status`.", key=key
            )
        return kept_answer(row)

    def quarantined(self) -> list[KeptAnswer]:
        """The answers that wait for a person's ruling, oldest first."""
        query = sa.select(answers).where(answers.c.state == AnswerState.QUARANTINED.value)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(answers.c.collected_at, answers.c.key)).mappings().all()
        return [kept_answer(row) for row in rows]

    def answers_since(self, since: datetime) -> list[KeptAnswer]:
        """Every revision collected at or after `since`, by that time, then key; none to exercises."""
        exercises = sa.select(tickets.c.ticket_id).where(~IN_EARNEST)
        in_earnest = answers.c.ticket_id.is_(None) | answers.c.ticket_id.not_in(exercises)
        query = sa.select(answers).where(answers.c.collected_at >= instant(since), in_earnest)
        with self.transaction() as connection:
            rows = connection.execute(query.order_by(answers.c.collected_at, answers.c.key)).mappings().all()
        return [kept_answer(row) for row in rows]

    def timed(self, since: datetime | None = None) -> list[TimedAnswer]:
        """When accepted answers were given, at or after `since`, the time and tags of each; by time."""
        query = sa.select(answers.c.answered_at, answers.c.seconds, answers.c.error_tags)
        query = query.where(answers.c.state == AnswerState.ACCEPTED.value).order_by(answers.c.answered_at)
        if since is not None:
            query = query.where(answers.c.answered_at >= instant(since))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [TimedAnswer(parse_instant(at), seconds, tuple(tags)) for at, seconds, tags in rows]

    def background(self, ticket_ids: Collection[str], here: Mapping[str, KeptAnswer]) -> Background:
        """What is known of the tickets, beside the answers in `here`."""
        standing: dict[str, Resolution] = {}
        earlier: dict[str, int] = {}
        for row in self._rows(sa.select(resolutions), resolutions.c.ticket_id, ticket_ids):
            earlier[row["ticket_id"]] = earlier.get(row["ticket_id"], 0) + 1
            if row["withdrawn_at"] is None:
                standing[row["ticket_id"]] = kept_resolution(row)
        elsewhere = [one for one in self.accepted_for(ticket_ids) if one.key not in here]
        asked = self.asked(ticket_ids)
        bound = self.answered_by(asked.values())
        scales = self._scales.of(asked)
        return Background(asked, elsewhere, standing, earlier, bound, scales)

    def asked(self, ticket_ids: Collection[str]) -> dict[str, Asked]:
        """Ticket id → what was asked, for those that were opened."""
        query = sa.select(
            tickets.c.ticket_id,
            tickets.c.decision_id,
            tickets.c.kind,
            tickets.c.signatures,
            tickets.c.suggestion,
            tickets.c.skill,
            tickets.c.meant_for,
            tickets.c.stages,
            tickets.c.blind,
            tickets.c.decides,
        )
        further: dict[str, list[Sheet]] = defaultdict(list)
        for sheet in self._tickets.sheets(ticket_ids):
            further[sheet.ticket_id].append(sheet)
        dropped = sa.select(answers.c.ticket_id).where(answers.c.state == AnswerState.DROPPED.value)
        spent = Counter(row["ticket_id"] for row in self._rows(dropped, answers.c.ticket_id, ticket_ids))
        return {
            row["ticket_id"]: Asked(
                row["ticket_id"],
                row["decision_id"],
                TicketKind(row["kind"]),
                row["signatures"],
                row["suggestion"],
                row["skill"],
                row["meant_for"],
                stages=tuple(row["stages"]),
                sheets=1 + len(further[row["ticket_id"]]),
                spent=spent[row["ticket_id"]],
                blind=row["blind"],
                decides=TicketKind(row["decides"]) if row["decides"] else None,
                skills={
                    one.task_id: one.skill for one in further[row["ticket_id"]] if one.task_id and one.skill
                },
            )
            for row in self._rows(query, tickets.c.ticket_id, ticket_ids)
        }

    def answered_by(self, asked: Collection[Asked]) -> frozenset[tuple[str, str]]:
        """(ticket id, account in lower case) of who answered another ticket about the decision, accepted.

        Only for tickets with which people have the last word on what others answered.
        """
        last = {one.decision_id: one.ticket_id for one in asked if one.kind in LAST_WORD}
        if not last:
            return frozenset()
        query = (
            sa.select(tickets.c.decision_id, tickets.c.ticket_id, answers.c.reviewer)
            .join(answers, answers.c.ticket_id == tickets.c.ticket_id)
            .where(
                answers.c.state == AnswerState.ACCEPTED.value,
                tickets.c.kind.not_in([kind.value for kind in EXERCISES]),
            )
        )
        rows = self._rows(query, tickets.c.decision_id, last)
        found = ((last[row["decision_id"]], row["ticket_id"], row["reviewer"].lower()) for row in rows)
        return frozenset((ticket, account) for ticket, other, account in found if other != ticket)

    def claims_of(self, ticket_ids: Collection[str]) -> dict[str, list[Claim]]:
        """Task id → every claim on it, of these tickets."""
        return ClaimBook(self._database).of(ticket_ids)

    def moves_of(self, ticket_ids: Collection[str]) -> dict[str, list[Move]]:
        """Ticket id → its steps on the escalation ladder, for those that took any."""
        return MoveBook(self._database).of(ticket_ids)

    def resolutions(
        self, kinds: Collection[str] | None = None, since: datetime | None = None
    ) -> list[Resolution]:
        """Those that stand, made at or after `since`, of tickets of these kinds; by time, then id."""
        query = sa.select(resolutions).where(resolutions.c.withdrawn_at.is_(None))
        if kinds is not None:
            query = query.where(resolutions.c.ticket_kind.in_([str(kind) for kind in kinds]))
        if since is not None:
            query = query.where(resolutions.c.resolved_at >= instant(since))
        with self._database.reading() as connection:
            ordered = query.order_by(resolutions.c.resolved_at, resolutions.c.resolution_id)
            return [kept_resolution(row) for row in connection.execute(ordered).mappings()]

    def latest_resolutions(self, count: int) -> list[Resolution]:
        """The last so many that stand, of tickets that were drawn with the stored π; by time, then id."""
        query = sa.select(resolutions).where(
            resolutions.c.withdrawn_at.is_(None),
            resolutions.c.ticket_kind.in_([kind.value for kind in SAMPLED]),
        )
        newest = query.order_by(resolutions.c.resolved_at.desc(), resolutions.c.resolution_id.desc())
        with self._database.reading() as connection:
            rows = connection.execute(newest.limit(count)).mappings().all()
        return [kept_resolution(row) for row in reversed(rows)]

    def flagged(self, tag: str) -> list[Flag]:
        """Every decision that somebody flagged with that reason code in an answer that counts.

        What an exercise showed was not always what the model said, so that flags on it are none.
        """
        columns = (tickets.c.decision_id, tickets.c.ticket_id, answers.c.person)
        query = (
            sa.select(*columns)
            .join(answers, answers.c.ticket_id == tickets.c.ticket_id)
            .where(
                answers.c.reason_code == tag,
                answers.c.state == AnswerState.ACCEPTED.value,
                answers.c.person.is_not(None),
                IN_EARNEST,
            )
        )
        with self._database.reading() as connection:
            return [Flag(*row) for row in connection.execute(query.distinct().order_by(*columns))]

    def resolution_of(self, decision_id: str) -> Resolution | None:
        """What people say of the decision: a supervisor's word, else the latest; None if nobody said any."""
        return self.resolutions_of([decision_id]).get(decision_id)

    def resolutions_of(self, decision_ids: Collection[str]) -> dict[str, Resolution]:
        """Decision id → what people say of it, for those of which they said something."""
        standing = sa.select(resolutions).where(resolutions.c.withdrawn_at.is_(None))
        rows = self._rows(standing, resolutions.c.decision_id, decision_ids)
        found = sorted(map(kept_resolution, rows), key=_weight)
        return {one.decision_id: one for one in found}

    def withdrawn(self, since: datetime | None = None) -> list[tuple[Resolution, datetime]]:
        """Resolutions taken back at or after `since`, and when; by that time, then id."""
        query = sa.select(resolutions).where(resolutions.c.withdrawn_at.is_not(None))
        if since is not None:
            query = query.where(resolutions.c.withdrawn_at >= instant(since))
        with self._database.reading() as connection:
            ordered = query.order_by(resolutions.c.withdrawn_at, resolutions.c.resolution_id)
            rows = connection.execute(ordered).mappings().all()
        return [(kept_resolution(row), parse_instant(row["withdrawn_at"])) for row in rows]

    def _answers(
        self, column: sa.Column[Any], ids: Collection[str], condition: sa.ColumnElement[bool]
    ) -> list[KeptAnswer]:
        return [kept_answer(row) for row in self._rows(sa.select(answers).where(condition), column, ids)]

    def _rows(
        self, query: sa.Select[Any], column: sa.Column[Any], ids: Collection[str]
    ) -> list[sa.RowMapping]:
        with self._database.reading() as connection:
            return [
                row
                for piece in pieces_of(ids)
                for row in connection.execute(query.where(column.in_(piece))).mappings()
            ]


def _weight(resolution: Resolution) -> tuple[bool, datetime, str]:
    by_a_supervisor = (
        resolution.method is Method.ADJUDICATED or TicketKind(resolution.ticket_kind) in LAST_WORD
    )
    return by_a_supervisor, resolution.resolved_at, resolution.resolution_id


_MAY_CHANGE = ("state", "reasons", "person", "ruled_by", "ruling")


def _update_answers() -> sa.Update:
    values = {name: sa.bindparam(f"new_{name}", type_=answers.c[name].type) for name in _MAY_CHANGE}
    return sa.update(answers).where(answers.c.key == sa.bindparam("of_key")).values(values)


def _changed(one: KeptAnswer) -> dict[str, Any]:
    row = answer_row(one)
    return {"of_key": one.key, **{f"new_{name}": row[name] for name in _MAY_CHANGE}}
