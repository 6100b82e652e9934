"""The book of recourse in a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import complaints, outcomes, requests, taken_back
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.recourse.book import no_complaint, said_otherwise
from hitl_mlops.recourse.record import Complaint, How, Outcome, Request, TakenBack, Word

IDS_PER_QUERY = 500
TURN = 0x7265636F  # "reco"


class SqlRecourseBook:
    """Records in tables; see `RecourseBook`.

    A turn is SQLite's writer lock; on PostgreSQL it is an advisory lock for each name.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def turn(self, *names: str) -> None:
        """Others who want a turn with one of these names wait until the open transaction ends."""
        with self._database.transaction() as connection:
            if connection.dialect.name == "postgresql":
                for name in sorted(set(names)):
                    lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, TURN))
                    connection.execute(sa.select(lock))

    def remembered(self, request: Request) -> str | None:
        """Id of the record that this request made before."""
        with self._database.reading() as connection:
            query = sa.select(requests).where(requests.c.key == request.key)
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        if row["body_digest"] != request.body:
            raise said_otherwise()
        return str(row["record_id"])

    def remember(self, request: Request, record_id: str, at: datetime) -> None:
        """The request made that record."""
        row = {"key": request.key, "body_digest": request.body, "record_id": record_id, "at": instant(at)}
        self._keep(requests, row)

    def take_back(self, taken: TakenBack) -> None:
        """The decision is kept as taken back."""
        row = {"decision_id": taken.decision_id, "how": taken.how.value, **_word_row(taken.word)}
        self._keep(taken_back, row)

    def taken_back(self, decision_ids: Iterable[str]) -> dict[str, TakenBack]:
        """Those that were taken back."""
        rows = self._rows(sa.select(taken_back), taken_back.c.decision_id, decision_ids)
        return {
            row["decision_id"]: TakenBack(row["decision_id"], How(row["how"]), _word(row)) for row in rows
        }

    def tell(self, outcome: Outcome) -> None:
        """The revision is kept."""
        row = {
            "decision_id": outcome.decision_id,
            "revision": outcome.revision,
            "label": outcome.label,
            "at": instant(outcome.at),
            "source": outcome.source,
            "by": outcome.by,
            "told_at": instant(outcome.told_at),
            "through": outcome.through,
        }
        self._keep(outcomes, row)

    def revisions(self, decision_id: str) -> list[Outcome]:
        """All that was told, oldest first."""
        query = sa.select(outcomes).order_by(outcomes.c.revision)
        return [_outcome(row) for row in self._rows(query, outcomes.c.decision_id, [decision_id])]

    def outcomes(self, decision_ids: Iterable[str]) -> dict[str, Outcome]:
        """The latest revision of each."""
        query = sa.select(outcomes).order_by(outcomes.c.revision)
        rows = self._rows(query, outcomes.c.decision_id, decision_ids)
        return {row["decision_id"]: _outcome(row) for row in rows}

    def complain(self, complaint: Complaint) -> bool:
        """The complaint is kept; whether it is new."""
        row = {
            "complaint_id": complaint.complaint_id,
            "decision_id": complaint.decision_id,
            "ticket_id": complaint.ticket_id,
            **_word_row(complaint.word),
        }
        return self._keep(complaints, row)

    def complaint(self, complaint_id: str) -> Complaint:
        """The complaint."""
        for row in self._rows(sa.select(complaints), complaints.c.complaint_id, [complaint_id]):
            return _complaint(row)
        raise no_complaint(complaint_id)

    def complaints(self, decision_id: str) -> list[Complaint]:
        """Every complaint about the decision, by time, then id."""
        query = sa.select(complaints).order_by(complaints.c.at, complaints.c.complaint_id)
        return [_complaint(row) for row in self._rows(query, complaints.c.decision_id, [decision_id])]

    def _keep(self, table: sa.Table, row: Mapping[str, Any]) -> bool:
        """The row is there; whether it is new."""
        with self._database.transaction() as connection:
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            kept = insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
            return connection.execute(kept).first() is not None

    def _rows(
        self, query: sa.Select[Any], column: sa.Column[Any], ids: Iterable[str]
    ) -> Iterator[sa.RowMapping]:
        rest = iter(dict.fromkeys(ids))
        while piece := list(islice(rest, IDS_PER_QUERY)):
            with self._database.reading() as connection:
                rows = connection.execute(query.where(column.in_(piece))).mappings().all()
            yield from rows


def _word_row(word: Word) -> dict[str, str]:
    return {"by": word.by, "reason": word.reason, "at": instant(word.at), "through": word.through}


def _word(row: sa.RowMapping) -> Word:
    return Word(row["by"], row["reason"], parse_instant(row["at"]), row["through"])


def _outcome(row: sa.RowMapping) -> Outcome:
    times = {"at": parse_instant(row["at"]), "told_at": parse_instant(row["told_at"])}
    return Outcome(**{**row, **times})


def _complaint(row: sa.RowMapping) -> Complaint:
    return Complaint(row["complaint_id"], row["decision_id"], _word(row), row["ticket_id"])
