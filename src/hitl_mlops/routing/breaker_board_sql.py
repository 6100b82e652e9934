"""The breaker board in a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import breakers
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.routing.breaker import Breaker, BreakerState
from hitl_mlops.routing.breaker_board import no_breaker
from hitl_mlops.routing.switch_board_sql import number_of, take_turn
from hitl_mlops.routing.switches import Scope

_ALL = sa.select(breakers).order_by(breakers.c.number)
_STANDING = _ALL.where(breakers.c.state != BreakerState.CLOSED.value)


class SqlBreakerBoard:
    """Breakers in a table; see `BreakerBoard`. Writers and readers wait for each other as at the switches."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def hold(self) -> None:
        """Nobody else changes a breaker until the open transaction ends."""
        with self.database.transaction() as connection:
            take_turn(connection, sa.func.pg_advisory_xact_lock)

    def keep(self, breaker: Breaker) -> None:
        """The breaker is kept as it is."""
        row = _row(breaker)
        with self.database.transaction() as connection:
            take_turn(connection, sa.func.pg_advisory_xact_lock)
            changed = connection.execute(
                breakers.update().where(breakers.c.number == row["number"]).values(row)
            )
            if changed.rowcount == 0:
                connection.execute(breakers.insert(), row)

    def get(self, breaker_id: str) -> Breaker:
        """The breaker."""
        number = number_of("b", breaker_id)
        found = self._read(_ALL.where(breakers.c.number == number)) if number is not None else []
        if not found:
            raise no_breaker(breaker_id, self.standing())
        return found[0]

    def standing(self) -> list[Breaker]:
        """Those that are not closed, oldest id first."""
        if not self.database.in_transaction:
            return self._read(_STANDING)
        with self.database.transaction() as connection:  # what fails here leaves the outer one whole
            take_turn(connection, sa.func.pg_advisory_xact_lock_shared)
            return self._read(_STANDING)

    def breakers(self) -> list[Breaker]:
        """All of them, oldest id first."""
        return self._read(_ALL)

    def _read(self, query: sa.Select[Any]) -> list[Breaker]:
        with self.database.reading() as connection:
            return [_breaker(dict(row)) for row in connection.execute(query).mappings()]


def _row(breaker: Breaker) -> dict[str, Any]:
    return {
        "number": number_of("b", breaker.breaker_id),
        "scope": [breaker.scope.name, breaker.scope.value],
        "state": breaker.state.value,
        "since": instant(breaker.since),
        "until": instant(breaker.until) if breaker.until is not None else None,
        "counts_from": instant(breaker.counts_from),
        "openings": breaker.openings,
        "figures": dict(breaker.figures),
        "answers": breaker.answers,
    }


def _breaker(row: Mapping[str, Any]) -> Breaker:
    return Breaker(
        breaker_id=f"b{row['number']}",
        scope=Scope(*row["scope"]),
        state=BreakerState(row["state"]),
        since=parse_instant(row["since"]),
        until=parse_instant(row["until"]) if row["until"] is not None else None,
        counts_from=parse_instant(row["counts_from"]),
        openings=row["openings"],
        figures=row["figures"],
        answers=row["answers"],
    )
