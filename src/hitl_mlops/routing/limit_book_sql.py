"""The limit book in a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import limit_counts
from hitl_mlops.routing.rate_limits import Budget, RateLimit

LIMIT_TURN = 0x6C696D697473  # "limits"


class SqlLimitBook:
    """Counts in a table; see `LimitBook`.

    Whoever reads the counts in a transaction keeps others from reading them until it ends: SQLite's writer
    lock does so anyway, on PostgreSQL an advisory lock. So two workers never spend the same budget.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def budgets(self, limits: Sequence[RateLimit], now: datetime) -> list[Budget]:
        """Each limit with what is used of it, in their order."""
        if not limits:
            return []
        if not self.database.in_transaction:
            with self.database.reading() as connection:
                return [Budget(limit, _used(connection, limit, now)) for limit in limits]
        with self.database.transaction() as connection:  # what fails here leaves the outer one whole
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LIMIT_TURN)))
            return [Budget(limit, _used(connection, limit, now)) for limit in limits]

    def add(self, counts: Mapping[RateLimit, int], now: datetime) -> None:
        """So many more decisions are counted under each limit; counts that are out of date are forgotten."""
        if not counts:
            return
        with self.database.transaction() as connection:
            for limit, count in counts.items():
                connection.execute(_more(connection, limit, count, now))
                table = limit_counts.c
                old = (table.limit_id == limit.limit_id) & (table.begins < limit.counts_from(now - limit.per))
                connection.execute(sa.delete(limit_counts).where(old))


def _used(connection: sa.Connection, limit: RateLimit, now: datetime) -> int:
    table = limit_counts.c
    total = sa.select(sa.func.sum(table["count"])).where(
        table.limit_id == limit.limit_id, table.begins >= limit.counts_from(now)
    )
    return int(connection.execute(total).scalar() or 0)


def _more(connection: sa.Connection, limit: RateLimit, count: int, now: datetime) -> Any:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    first = insert(limit_counts).values(limit_id=limit.limit_id, begins=limit.stretch(now), count=count)
    kept = limit_counts.c["count"] + first.excluded["count"]
    return first.on_conflict_do_update(index_elements=["limit_id", "begins"], set_={"count": kept})
