"""The book of suspicions and guideline issues, each until a person has closed it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import guideline_issues, suspicions
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.oversight.notices import Closing, GuidelineIssue, Suspicion


class NoticeBook:
    """Every notice there ever was. Joins an open transaction of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suspicions(self) -> list[Suspicion]:
        """All, oldest first."""
        return [_suspicion(row) for row in self._rows(suspicions, suspicions.c.at)]

    def issues(self) -> list[GuidelineIssue]:
        """All, oldest first, then by class."""
        return [_issue(row) for row in self._rows(guideline_issues, guideline_issues.c.opened_at)]

    def keep(self, found: Iterable[Suspicion], issues: Iterable[GuidelineIssue]) -> None:
        """These are in the book; all are new and open."""
        rows = [_suspicion_row(one) for one in found]
        more = [_issue_row(one) for one in issues]
        with self._database.transaction() as connection:
            if rows:
                connection.execute(sa.insert(suspicions), rows)
            if more:
                connection.execute(sa.insert(guideline_issues), more)

    def close_suspicion(self, suspicion_id: str, word: Closing) -> bool:
        """It is closed; False, and nothing happened, where it was already."""
        return self._close(suspicions, suspicions.c.suspicion_id == suspicion_id, word)

    def close_issue(self, issue_id: str, word: Closing) -> bool:
        """It is closed; False, and nothing happened, where it was already."""
        return self._close(guideline_issues, guideline_issues.c.issue_id == issue_id, word)

    def _close(self, table: sa.Table, which: sa.ColumnElement[bool], word: Closing) -> bool:
        values = {"closed_at": instant(word.at), "closed_by": word.by, "reason": word.reason}
        closing = sa.update(table).where(which, table.c.closed_at.is_(None)).values(**values)
        with self._database.transaction() as connection:
            return bool(connection.execute(closing).rowcount)

    def _rows(self, table: sa.Table, order: sa.Column[Any]) -> list[sa.RowMapping]:
        with self._database.reading() as connection:
            query = sa.select(table).order_by(order, *table.primary_key)
            return list(connection.execute(query).mappings())


def _suspicion_row(one: Suspicion) -> dict[str, Any]:
    names = ("suspicion_id", "person", "seeds", "caught", "e_value")
    return {**{name: getattr(one, name) for name in names}, "at": instant(one.at), "reason": ""}


def _suspicion(row: sa.RowMapping) -> Suspicion:
    return Suspicion(
        suspicion_id=row["suspicion_id"],
        person=row["person"],
        at=parse_instant(row["at"]),
        seeds=row["seeds"],
        caught=row["caught"],
        e_value=row["e_value"],
        closed=_closing(row),
    )


def _issue_row(one: GuidelineIssue) -> dict[str, Any]:
    names = ("issue_id", "label", "alpha", "low", "high", "cases")
    return {
        **{name: getattr(one, name) for name in names},
        "decision_ids": list(one.decision_ids),
        "opened_at": instant(one.opened_at),
        "reason": "",
    }


def _issue(row: sa.RowMapping) -> GuidelineIssue:
    return GuidelineIssue(
        issue_id=row["issue_id"],
        label=row["label"],
        alpha=row["alpha"],
        low=row["low"],
        high=row["high"],
        cases=row["cases"],
        decision_ids=tuple(row["decision_ids"]),
        opened_at=parse_instant(row["opened_at"]),
        closed=_closing(row),
    )


def _closing(row: sa.RowMapping) -> Closing | None:
    if row["closed_at"] is None:
        return None
    return Closing(row["closed_by"], row["reason"], parse_instant(row["closed_at"]))
