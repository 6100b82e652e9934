"""The block store in a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import decision_blocks, quarantined_cases
from hitl_mlops.decisions.block import KEY_BYTES, Block, split_keys
from hitl_mlops.decisions.block_store import Place
from hitl_mlops.ids import content_id, instant

ASKED_AT_ONCE = 2_000
BLOCKS_AT_ONCE = 50
WRITER_LOCK = 4_851_002
"""Number of PostgreSQL's advisory lock for writers of this log."""

_BLOCK = decision_blocks.c
_STORED = sa.select(_BLOCK.number, _BLOCK.header, _BLOCK.rows, _BLOCK.texts)
_ADD_KEYS = {
    "sqlite": "INSERT INTO decision_keys (key, block, row)"
    " WITH RECURSIVE rows(row) AS (SELECT 0 UNION ALL SELECT row + 1 FROM rows WHERE row + 1 < ?)"
    f" SELECT substr(?, {KEY_BYTES} * row + 1, {KEY_BYTES}) AS key, ?, row FROM rows WHERE true ORDER BY key"
    " ON CONFLICT DO NOTHING",
    "postgresql": "INSERT INTO decision_keys (key, block, row)"
    " SELECT key, %s, row FROM unnest(%s::bytea[], %s::int[]) AS rows (key, row) ORDER BY key"
    " ON CONFLICT DO NOTHING",
}
"""In the order of the keys, so that the index is walked once; in one statement, which halves the cost."""


class SqlBlockStore:
    """Blocks and keys in tables; see `BlockStore`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def turn(self) -> None:
        """Nobody else adds a block until the open transaction ends; SQLite's begin with the lock already."""
        if self.database.engine.dialect.name == "postgresql":
            with self.database.transaction() as connection:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITER_LOCK)))

    def claim(self, keys: npt.NDArray[np.uint8]) -> int | None:
        """The number of the next block, to which the keys lead; None where one was there already."""
        with self.database.joined() as connection:
            number = int((connection.execute(sa.select(sa.func.max(_BLOCK.number))).scalar() or 0) + 1)
            return number if _add_keys(connection, keys, number) == len(keys) else None

    def keep(self, block: Block) -> None:
        """The block is kept."""
        stored = {
            "number": block.number,
            "at": instant(block.at),
            "count": len(block),
            "header": block.head,
            "rows": block.records,
            "texts": block.text,
            "hashes": b"".join(block.hashes),
        }
        with self.database.joined() as connection:
            connection.execute(sa.insert(decision_blocks), stored)

    def places(self, keys: Sequence[bytes]) -> dict[bytes, Place]:
        """Key → place, for those that are known."""
        found: dict[bytes, Place] = {}
        with self.database.reading() as connection:
            for start in range(0, len(keys), ASKED_AT_ONCE):
                piece = tuple(keys[start : start + ASKED_AT_ONCE])
                for key, number, row in connection.exec_driver_sql(*_find_keys(connection, piece)):
                    found[bytes(key)] = (number, row)
        return found

    def blocks(
        self,
        numbers: Sequence[int] | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Block]:
        """The blocks of those numbers (None: of all) decided in that span, by number."""
        query = sa.select(_BLOCK.number).order_by(_BLOCK.number)
        if since is not None:
            query = query.where(_BLOCK.at >= instant(since))
        if until is not None:
            query = query.where(_BLOCK.at < instant(until))
        if numbers is None or since is not None or until is not None:
            wanted = None if numbers is None else set(numbers)
            with self.database.reading() as connection:
                there = connection.execute(query).scalars()
                numbers = [each for each in there if wanted is None or each in wanted]
        for start in range(0, len(numbers), BLOCKS_AT_ONCE):
            yield from self._load(numbers[start : start + BLOCKS_AT_ONCE])

    def hashes(self, number: int) -> bytes:
        """The hashes of the rows of that block; empty where it is gone."""
        with self.database.reading() as connection:
            found = connection.execute(sa.select(_BLOCK.hashes).where(_BLOCK.number == number)).scalar()
        return bytes(found or b"")

    def quarantine(self, refused: Sequence[tuple[str, dict[str, Any], tuple[str, ...]]], at: datetime) -> int:
        """Keep refused cases once; answer how many were new."""
        named = {content_id("q", each): each for each in refused}
        table = quarantined_cases
        with self.database.transaction() as connection:
            self.turn()
            known: set[str] = set()
            ids = list({case_id: None for case_id, _, _ in refused})
            for start in range(0, len(ids), ASKED_AT_ONCE):
                asked = table.c.case_id.in_(ids[start : start + ASKED_AT_ONCE])
                for before in connection.execute(sa.select(table).where(asked)).mappings():
                    known.add(content_id("q", (before["case_id"], before["row"], before["reasons"])))
            rows = [
                {"case_id": case_id, "row": row, "reasons": list(reasons), "at": instant(at)}
                for key, (case_id, row, reasons) in named.items()
                if key not in known
            ]
            if rows:
                connection.execute(sa.insert(table), rows)
        return len(rows)

    def quarantined(self) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
        """The refused cases, oldest first."""
        query = sa.select(quarantined_cases).order_by(quarantined_cases.c.id)
        with self.database.reading() as connection:
            rows = connection.execute(query).mappings()
            return [(row["case_id"], row["row"], tuple(row["reasons"])) for row in rows]

    def _load(self, numbers: Sequence[int]) -> list[Block]:
        query = _STORED.where(_BLOCK.number.in_(numbers)).order_by(_BLOCK.number)
        with self.database.reading() as connection:
            return [
                Block.load(bytes(header), bytes(rows), bytes(texts), number)
                for number, header, rows, texts in connection.execute(query)
            ]


def _find_keys(connection: sa.Connection, keys: tuple[bytes, ...]) -> tuple[str, tuple[Any, ...]]:
    select = "SELECT key, block, row FROM decision_keys WHERE key "
    if connection.dialect.name == "postgresql":
        return select + "= ANY(%s)", (list(keys),)
    return f"{select}IN ({','.join('?' * len(keys))})", keys


def _add_keys(connection: sa.Connection, keys: npt.NDArray[np.uint8], number: int) -> int:
    """Every key that was not there leads to its row; how many these are."""
    if connection.dialect.name == "postgresql":
        values: tuple[Any, ...] = (number, split_keys(keys), list(range(len(keys))))
    else:
        values = (len(keys), np.ascontiguousarray(keys).tobytes(), number)
    return connection.exec_driver_sql(_ADD_KEYS[connection.dialect.name], values).rowcount
