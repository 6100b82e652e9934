"""The twin of the switch board, for tests and dry runs."""

from __future__ import annotations

from hitl_mlops.errors import RefusedError
from hitl_mlops.routing.switch_board import no_switch
from hitl_mlops.routing.switches import Order, Scope, Switch


class InMemorySwitchBoard:
    """Switches in a dict; see `SwitchBoard`."""

    def __init__(self) -> None:
        self._switches: dict[str, Switch] = {}

    def add(self, scope: Scope, order: Order) -> Switch:
        """A new switch is on."""
        made = Switch(f"s{len(self._switches) + 1}", scope, order.by, order.reason, order.at)
        self._switches[made.switch_id] = made
        return made

    def lift(self, switch: Switch) -> None:
        """The switch is kept as lifted."""
        if not self.get(switch.switch_id).is_on:
            raise lifted_by_another(switch.switch_id)
        self._switches[switch.switch_id] = switch

    def get(self, switch_id: str) -> Switch:
        """The switch."""
        if switch_id not in self._switches:
            raise no_switch(switch_id, self.standing())
        return self._switches[switch_id]

    def standing(self) -> list[Switch]:
        """Those that are on, oldest first."""
        return [one for one in self._switches.values() if one.is_on]

    def switches(self) -> list[Switch]:
        """All of them, oldest first."""
        return list(self._switches.values())


def lifted_by_another(switch_id: str) -> RefusedError:
    """The error that somebody else was faster."""
    return RefusedError(
        f"The switch {switch_id} was lifted by somebody else just now.",
        remedy="Run `hitl switches`: it shows what is on.",
        switch_id=switch_id,
    )
