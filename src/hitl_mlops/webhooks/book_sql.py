"""The deliveries that were heard, in a database."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import heard_deliveries
from hitl_mlops.ids import instant
from hitl_mlops.webhooks.book import REMEMBERED_FOR


class SqlHeardBook:
    """Ids in a table; see `HeardBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hear(self, delivery_id: str, now: datetime) -> bool:
        """The delivery is remembered; whether it is new."""
        table = heard_deliveries
        with self._database.transaction() as connection:
            old = table.c.at < instant(now - REMEMBERED_FOR)
            connection.execute(sa.delete(table).where(old))
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            row = {"delivery_id": delivery_id, "at": instant(now)}
            kept = insert(table).values(row).on_conflict_do_nothing().returning(table.c.delivery_id)
            return connection.execute(kept).first() is not None
