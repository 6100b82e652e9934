"""The port of the switches. Twin `switch_board_in_memory`, real adapter `switch_board_sql`."""

from __future__ import annotations

from typing import Protocol

from hitl_mlops.errors import NotFoundError
from hitl_mlops.routing.switches import Order, Scope, Switch


class SwitchBoard(Protocol):
    """Every switch ever set. Each call reads afresh: nothing is remembered between two."""

    def add(self, scope: Scope, order: Order) -> Switch:
        """A new switch is on. Another of the same scope stays beside it. Joins an open transaction."""
        ...

    def lift(self, switch: Switch) -> None:
        """The switch is kept as lifted. Joins an open transaction.

        Raises:
            RefusedError: somebody else lifted it first.
        """
        ...

    def get(self, switch_id: str) -> Switch:
        """The switch; raises NotFoundError naming those that are on."""
        ...

    def standing(self) -> list[Switch]:
        """Those that are on, oldest first.

        In an open transaction they hold until it ends: nobody sets or lifts one in between.
        """
        ...

    def switches(self) -> list[Switch]:
        """All of them, oldest first."""
        ...


def read_standing(board: SwitchBoard) -> tuple[Switch, ...] | None:
    """The switches that are on; None where they cannot be read, which is to be taken as all frozen."""
    try:
        return tuple(board.standing())
    except Exception:  # noqa: BLE001 - whatever keeps the switches from being read, people decide
        return None


def no_switch(switch_id: str, standing: list[Switch]) -> NotFoundError:
    """The error that there is no such switch."""
    on = ", ".join(one.switch_id for one in standing)
    return NotFoundError(
        f"There is no switch {switch_id!r}.",
        remedy=f"On are: {on}." if on else "None is on: `hitl switches` shows all there were.",
        switch_id=switch_id,
    )
