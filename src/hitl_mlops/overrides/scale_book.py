"""Every scale that answers were ever weighed with, and what the policy wants."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.database.pieces import pieces_of
from hitl_mlops.database.tables import answers, scales, tickets
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.overrides.record import AnswerState
from hitl_mlops.overrides.scale import Scale, Weighing, make_scale
from hitl_mlops.review.ticket import EXERCISES
from hitl_mlops.routing.policy import Policy

CERTAINTY = 0.8
RENEWED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `review.consensus` of the policy says."""

    method: Weighing = Weighing.MAJORITY
    certainty: float = CERTAINTY


def wanted_scale(policy: Policy) -> Wanted:
    """What the policy says; the majority where it says nothing."""
    said = policy.section("review").get("consensus", {})
    return Wanted(Weighing(said.get("method", Weighing.MAJORITY)), float(said.get("certainty", CERTAINTY)))


class ScaleBook:
    """Scales, on SQLite or PostgreSQL; none is ever changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self) -> Scale | None:
        """The one that holds for tickets opened now; None: the majority decides."""
        with self._database.reading() as connection:
            row = (
                connection.execute(sa.select(scales).order_by(scales.c.since.desc()).limit(1))
                .mappings()
                .first()
            )
        return None if row is None else _scale(row)

    def of(self, ticket_ids: Collection[str]) -> dict[str, Scale]:
        """Ticket id → the scale in force when it was opened; tickets of the majority are missing."""
        with self._database.reading() as connection:
            starts = list(connection.execute(sa.select(scales.c.since).order_by(scales.c.since)).scalars())
            if not starts:
                return {}
            opened = sa.select(tickets.c.ticket_id, tickets.c.opened_at)
            begun: dict[str, str] = {}
            for piece in pieces_of(ticket_ids):
                rows = connection.execute(opened.where(tickets.c.ticket_id.in_(piece)))
                placed = ((ticket_id, bisect_right(starts, at)) for ticket_id, at in rows)
                begun |= {ticket_id: starts[place - 1] for ticket_id, place in placed if place}
            query = sa.select(scales).where(scales.c.since.in_(sorted(set(begun.values()))))
            found = {row["since"]: _scale(row) for row in connection.execute(query).mappings()}
        return {ticket_id: found[start] for ticket_id, start in begun.items()}

    def renew(self, wanted: Wanted, trail: Trail, *, now: datetime, actor: str) -> Scale | None:
        """The scale is what the policy wants and not older than a day; the new one, with its entry.

        None where it stands as it is: also where too few cases were answered by several people.
        """
        if not _is_due(self.latest(), wanted, now):
            return None
        with self._database.transaction():
            if not _is_due(self.latest(), wanted, now):
                return None
            made = self._made(wanted, now)
            if made is not None:
                self._keep(made)
                facts = {"scale": made.scale_id, "method": made.method.value, "certainty": made.certainty}
                people = sorted(made.people or ())
                refs = {"person": people} if people else {}
                trail.append([Event(Kind.SCALE_MADE, actor, now, refs=refs, facts=facts)])
        return made

    def _made(self, wanted: Wanted, now: datetime) -> Scale | None:
        if wanted.method is Weighing.MAJORITY:
            return Scale(now, wanted.method, wanted.certainty)
        return make_scale(self._said(), wanted.method, wanted.certainty, now=now)

    def _said(self) -> list[tuple[str, str, str]]:
        """(decision, person, class) of every answer that counts; of several of one person the earliest."""
        query = (
            sa.select(tickets.c.decision_id, answers.c.person, answers.c.label)
            .join(answers, answers.c.ticket_id == tickets.c.ticket_id)
            .where(
                answers.c.state == AnswerState.ACCEPTED.value,
                answers.c.person.is_not(None),
                answers.c.label.is_not(None),
                answers.c.skipped.is_(False),
                tickets.c.kind.not_in([kind.value for kind in EXERCISES]),
            )
            .order_by(answers.c.answered_at, answers.c.key)
        )
        first: dict[tuple[str, str], str] = {}
        with self._database.reading() as connection:
            for decision, person, label in connection.execute(query):
                first.setdefault((decision, person), label)
        return [(decision, person, label) for (decision, person), label in first.items()]

    def _keep(self, scale: Scale) -> None:
        row = {**asdict(scale), "since": instant(scale.since), "method": scale.method.value}
        with self._database.transaction() as connection:
            connection.execute(sa.insert(scales).values(scale_id=scale.scale_id, **row))


def _is_due(latest: Scale | None, wanted: Wanted, now: datetime) -> bool:
    """The policy wants another scale than the latest, or people are to be looked at anew."""
    method = Weighing.MAJORITY if latest is None else latest.method
    if wanted.method is Weighing.MAJORITY or latest is None:
        return wanted.method is not method
    same = (method, latest.certainty) == (wanted.method, wanted.certainty)
    return not same or now - latest.since >= RENEWED_AFTER


def _scale(row: sa.RowMapping) -> Scale:
    return Scale(
        since=parse_instant(row["since"]),
        method=Weighing(row["method"]),
        certainty=row["certainty"],
        classes=tuple(row["classes"]),
        shares=tuple(row["shares"]),
        people={name: _matrix(rows) for name, rows in (row["people"] or {}).items()},
        anybody=_matrix(row["anybody"]),
    )


def _matrix(rows: list[list[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in rows)
