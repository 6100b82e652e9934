"""A trail as it lies in a database, read without converting anything; for verification."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database

_RAW_ENTRIES = sa.text(
    "SELECT sequence, body, leaf_hash FROM trail_entries"
    " WHERE sequence >= :start ORDER BY sequence LIMIT :count"
)
_RAW_REFS = sa.text("SELECT sequence, ref FROM trail_refs WHERE sequence BETWEEN :first AND :last")
_RAW_HEAD = sa.text("SELECT size, frontier FROM trail_head")


class StoredTrail:
    """See `verify.TrailSource`. It needs no key, and writes nothing."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is one state of the trail, whatever is appended meanwhile."""
        with self.database.reading():
            yield

    def raw_entries(self, start: int, limit: int) -> list[tuple[Any, Any, Any]]:
        """Rows (sequence, body, leaf hash) as stored, from `start` on, in order."""
        return self._raw(_RAW_ENTRIES, start=start, count=limit)

    def raw_refs(self, first: int, last: int) -> list[tuple[Any, Any]]:
        """Rows (sequence, ref) of the index as stored, of entries first … last."""
        return self._raw(_RAW_REFS, first=first, last=last)

    def raw_head(self) -> tuple[Any, Any] | None:
        """Size and packed frontier as stored, or None."""
        rows = self._raw(_RAW_HEAD)
        return rows[0] if len(rows) == 1 else None

    def _raw(self, query: sa.TextClause, **values: int) -> list[Any]:
        # The driver's own rows: a value of a wrong type is seen and not converted.
        with self.database.reading() as connection, connection.execute(query, values) as result:
            return list(result.cursor.fetchall()) if result.cursor else []
