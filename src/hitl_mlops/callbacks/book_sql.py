"""The outbox of callbacks in a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hitl_mlops.callbacks.book import no_delivery
from hitl_mlops.callbacks.decide import anew, claimed
from hitl_mlops.callbacks.record import Callback, Delivery, DeliveryState, delivery_of
from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import callbacks, deliveries
from hitl_mlops.ids import instant, parse_instant

IDS_PER_QUERY = 500
TURN = 0x63616C6C  # "call"


class SqlCallbackBook:
    """Callbacks and deliveries in tables; see `CallbackBook`.

    Who registers waits until those who announce have ended their transactions, and those who come later wait
    for it: SQLite's writer lock does so anyway, on PostgreSQL an advisory lock that announcers share.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, callback: Callback) -> bool:
        """The application is told from now on; whether that is new."""
        with self._database.transaction() as connection:
            _turn(connection, sa.func.pg_advisory_xact_lock)
            row = {
                "callback_id": callback.callback_id,
                "decision_id": callback.decision_id,
                "url": callback.url,
                "application": callback.application,
                "at": instant(callback.at),
            }
            return _insert_new(connection, callbacks, row)

    def callbacks_of(self, decision_id: str) -> list[Callback]:
        """Who wants to be told of the decision."""
        query = sa.select(callbacks).where(callbacks.c.decision_id == decision_id)
        with self._database.reading() as connection:
            ordered = query.order_by(callbacks.c.at, callbacks.c.callback_id)
            return [_callback(row) for row in connection.execute(ordered).mappings()]

    def announce(self, causes: Mapping[str, str], now: datetime) -> int:
        """Whoever wants to know is told; how many deliveries are new."""
        with self._database.transaction() as connection:
            _turn(connection, sa.func.pg_advisory_xact_lock_shared)
            new = 0
            for piece in _pieces(causes):
                query = sa.select(callbacks).where(callbacks.c.decision_id.in_(piece))
                for row in connection.execute(query).mappings().all():
                    callback = _callback(row)
                    delivery = delivery_of(callback, causes[callback.decision_id], now)
                    new += _insert_new(connection, deliveries, _row(delivery))
            return new

    def claim(self, now: datetime, at_most: int) -> list[Delivery]:
        """Deliveries that are due, now the caller's.

        Looks first without holding anybody up, as mostly nothing is due.
        """
        due = (deliveries.c.state == DeliveryState.WAITING.value) & (deliveries.c.due_at <= instant(now))
        query = sa.select(deliveries).where(due).order_by(deliveries.c.due_at, deliveries.c.delivery_id)
        with self._database.reading() as connection:
            seen = [_delivery(row) for row in connection.execute(query.limit(at_most)).mappings()]
        if not seen:
            return []
        with self._database.transaction() as connection:
            return [
                mine
                for one in seen
                if _changed(connection, mine := claimed(one, now), attempts=one.attempts, also=due)
            ]

    def settle(self, tried: Sequence[Delivery]) -> list[Delivery]:
        """The deliveries are kept as they are now, save those that another has taken over."""
        waits = deliveries.c.state == DeliveryState.WAITING.value
        with self._database.transaction() as connection:
            return [one for one in tried if _changed(connection, one, attempts=one.attempts, also=waits)]

    def retry(self, delivery_id: str, now: datetime) -> Delivery:
        """The delivery is due now."""
        with self._database.transaction() as connection:
            query = sa.select(deliveries).where(deliveries.c.delivery_id == delivery_id).with_for_update()
            row = connection.execute(query).mappings().first()
            if row is None:
                raise no_delivery(delivery_id)
            again = anew(_delivery(row), now)
            _changed(connection, again, attempts=row["attempts"], also=sa.true())
            return again

    def deliveries(self, state: DeliveryState | None = None, at_most: int = 100) -> list[Delivery]:
        """The latest due first."""
        query = sa.select(deliveries).order_by(deliveries.c.due_at.desc(), deliveries.c.delivery_id.desc())
        if state is not None:
            query = query.where(deliveries.c.state == state.value)
        with self._database.reading() as connection:
            return [_delivery(row) for row in connection.execute(query.limit(at_most)).mappings()]

    def counts(self) -> Counter[DeliveryState]:
        """How many there are in each state."""
        query = sa.select(deliveries.c.state, sa.func.count()).group_by(deliveries.c.state)
        with self._database.reading() as connection:
            return Counter({DeliveryState(state): count for state, count in connection.execute(query)})


def _turn(connection: sa.Connection, how: Any) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(how(TURN)))


def _insert_new(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    kept = insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(kept).first() is not None


def _changed(
    connection: sa.Connection, delivery: Delivery, *, attempts: int, also: sa.ColumnElement[bool]
) -> bool:
    """The row is as the delivery, if it still has had so many attempts; whether it had."""
    here = (deliveries.c.delivery_id == delivery.delivery_id) & (deliveries.c.attempts == attempts)
    return connection.execute(sa.update(deliveries).where(here, also).values(_row(delivery))).rowcount == 1


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery_id": delivery.delivery_id,
        "callback_id": delivery.callback_id,
        "decision_id": delivery.decision_id,
        "url": delivery.url,
        "application": delivery.application,
        "cause": delivery.cause,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "due_at": instant(delivery.due_at),
        "last": delivery.last,
    }


def _delivery(row: sa.RowMapping) -> Delivery:
    changed = {"state": DeliveryState(row["state"]), "due_at": parse_instant(row["due_at"])}
    return Delivery(**{**row, **changed})


def _callback(row: sa.RowMapping) -> Callback:
    return Callback(row["decision_id"], row["url"], row["application"], parse_instant(row["at"]))


def _pieces(ids: Mapping[str, str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while piece := list(islice(rest, IDS_PER_QUERY)):
        yield piece
