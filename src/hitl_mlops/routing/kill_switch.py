"""The verbs: freeze and unfreeze, each kept together with its entry of the trail."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.errors import InputError
from hitl_mlops.ids import digest_of_reason, keyed_id
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.switch_board import SwitchBoard
from hitl_mlops.routing.switches import LIKE, Order, Scope, Switch, lifted

Transaction: TypeAlias = Callable[[], AbstractContextManager[object]]


def wants_two_people(policy: Policy) -> bool:
    """Whether a switch is lifted by another person than the one who set it: `guards.kill_switch`."""
    return bool(policy.section("guards").get("kill_switch", {}).get("two_people", False))


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """Takes decisions out of the models' hands, and gives them back.

    Attributes:
        board: where switches are kept.
        trail: where both are told, with a checkpoint at once.
        transaction: opens what board and trail share, `database.transaction`.
        key: the project's policy key; the trail holds the value of an attribute only under it.
    """

    board: SwitchBoard
    trail: Trail
    transaction: Transaction
    key: bytes

    def freeze(self, scope: Scope, order: Order) -> Switch:
        """Every decision in the scope that is recorded from now on goes to people.

        Raises:
            InputError: the order names no person or no reason.
        """
        check_order(order)
        with self.transaction():
            switch = self.board.add(scope, order)
            self.trail.append([self._event(Kind.SWITCH_SET, switch, order)])
        return switch

    def unfreeze(self, switch_id: str, order: Order, *, two_people: bool) -> Switch:
        """That switch is off; what another one covers stays frozen.

        Raises:
            InputError: the order names no person or no reason.
            NotFoundError: there is no such switch.
            RefusedError: it was lifted before, or two people are wanted and the one who set it lifts it.
        """
        check_order(order)
        with self.transaction():
            switch = lifted(self.board.get(switch_id), order, two_people=two_people)
            self.board.lift(switch)
            self.trail.append([self._event(Kind.SWITCH_LIFTED, switch, order)])
        return switch

    def _event(self, kind: Kind, switch: Switch, order: Order) -> Event:
        facts = scope_facts(switch.scope, self.key) | {"reason_digest": digest_of_reason(order.reason)}
        refs = {"switch": [switch.switch_id]}
        if switch.scope.name == LIKE:
            refs["decision"] = [switch.scope.value]
        return Event(kind, order.by, order.at, refs, facts)


def scope_facts(scope: Scope, key: bytes) -> dict[str, str]:
    """What the trail tells of a scope: its name, and its value only under the policy key."""
    return {"scope": scope.name, "scope_key": keyed_id("sc", key, str(scope))}


def check_order(order: Order) -> None:
    """The order names a person and a reason; raises InputError."""
    if not order.by.strip() or not order.reason.strip():
        raise InputError("A switch needs a person and a reason.", remedy="Add --by PERSON --reason '…'.")
    if "\0" in order.reason or order.reason != order.reason.encode("utf-8", "ignore").decode():
        raise InputError("The reason holds signs that are no text.", remedy="Write it in plain words.")
