"""The switch board in a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import switches
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.routing.switch_board import no_switch
from hitl_mlops.routing.switch_board_in_memory import lifted_by_another
from hitl_mlops.routing.switches import Order, Scope, Switch, parse_scope

MOST_DIGITS = 10
TURN = 0x737769746368  # "switch"
_ALL = sa.select(switches).order_by(switches.c.number)
_ON = _ALL.where(switches.c.lifted_at.is_(None))


class SqlSwitchBoard:
    """Switches in a table; see `SwitchBoard`.

    Whoever sets or lifts one waits until those who read the board in a transaction have ended it, and those
    who come later wait for it: SQLite's writer lock does so anyway, on PostgreSQL an advisory lock that
    readers share. So once a switch was set, nothing that did not see it is recorded any more.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, scope: Scope, order: Order) -> Switch:
        """A new switch is on."""
        with self.database.transaction() as connection:
            take_turn(connection, sa.func.pg_advisory_xact_lock)
            number = (connection.execute(sa.select(sa.func.max(switches.c.number))).scalar() or 0) + 1
            row = {
                "scope": str(scope),
                "set_by": order.by,
                "reason": order.reason,
                "set_at": instant(order.at),
            }
            connection.execute(switches.insert(), {"number": number, "lifted_reason": "", **row})
        return Switch(f"s{number}", scope, order.by, order.reason, order.at)

    def lift(self, switch: Switch) -> None:
        """The switch is kept as lifted."""
        if switch.lifted_at is None:
            return
        with self.database.transaction() as connection:
            take_turn(connection, sa.func.pg_advisory_xact_lock)
            changed = connection.execute(
                switches.update()
                .where(switches.c.number == number_of("s", switch.switch_id), switches.c.lifted_at.is_(None))
                .values(
                    lifted_by=switch.lifted_by,
                    lifted_reason=switch.lifted_reason,
                    lifted_at=instant(switch.lifted_at),
                )
            )
            if changed.rowcount == 0:
                self.get(switch.switch_id)
                raise lifted_by_another(switch.switch_id)

    def get(self, switch_id: str) -> Switch:
        """The switch."""
        number = number_of("s", switch_id)
        found = self._read(_ALL.where(switches.c.number == number)) if number is not None else []
        if not found:
            raise no_switch(switch_id, self.standing())
        return found[0]

    def standing(self) -> list[Switch]:
        """Those that are on, oldest first."""
        if not self.database.in_transaction:
            return self._read(_ON)
        with self.database.transaction() as connection:  # what fails here leaves the outer one whole
            take_turn(connection, sa.func.pg_advisory_xact_lock_shared)
            return self._read(_ON)

    def switches(self) -> list[Switch]:
        """All of them, oldest first."""
        return self._read(_ALL)

    def _read(self, query: sa.Select[Any]) -> list[Switch]:
        with self.database.reading() as connection:
            return [_switch(dict(row)) for row in connection.execute(query).mappings()]


def take_turn(connection: sa.Connection, how: Any) -> None:
    """Those who change what holds decisions back wait for those who decide; SQLite does so itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(how(TURN)))


def number_of(letter: str, name: str) -> int | None:
    """The number in an id such as `s12`; None where it is no such id."""
    digits = name.removeprefix(letter)
    is_one = name != digits and digits.isascii() and digits.isdecimal() and len(digits) < MOST_DIGITS
    return int(digits) if is_one else None


def _switch(row: Mapping[str, Any]) -> Switch:
    return Switch(
        switch_id=f"s{row['number']}",
        scope=parse_scope(row["scope"]),
        by=row["set_by"],
        reason=row["reason"],
        at=parse_instant(row["set_at"]),
        lifted_by=row["lifted_by"],
        lifted_reason=row["lifted_reason"],
        lifted_at=parse_instant(row["lifted_at"]) if row["lifted_at"] is not None else None,
    )
