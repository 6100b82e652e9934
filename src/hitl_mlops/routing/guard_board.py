"""All guards as one thing, which whoever decides reads and tells in the transaction of each batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from hitl_mlops.routing.breaker_board import BreakerBoard
from hitl_mlops.routing.guard_rules import guard_rules
from hitl_mlops.routing.guards import Guards
from hitl_mlops.routing.likeness import Yardstick
from hitl_mlops.routing.limit_book import LimitBook
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.rate_limits import RateLimit
from hitl_mlops.routing.switch_board import SwitchBoard, read_standing
from hitl_mlops.routing.switches import LIKE, Switch

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class GuardBoard:
    """Where the guards stand.

    Attributes:
        switches: what people have frozen.
        breakers: what has broken.
        limits: how much was automatic lately.
        examples: decision id → what the model saw of its case, for those that are known.
        yardstick: how inputs are compared; asked only where one is compared.
    """

    switches: SwitchBoard
    breakers: BreakerBoard
    limits: LimitBook
    examples: Callable[[Collection[str]], Mapping[str, Mapping[str, Any]]]
    yardstick: Callable[[], Yardstick]

    def read(self, policy: Policy | None, now: datetime) -> Guards:
        """What stands now; what cannot be read counts as closed.

        In an open transaction it holds until that ends: nobody sets a switch or changes a breaker in between,
        and nobody else uses up the same rate limit.
        """
        rules = guard_rules(policy)
        switches = read_standing(self.switches)
        examples, yardstick = self._examples(switches)
        return Guards(
            switches=switches,
            breakers=_read(self.breakers.standing),
            budgets=_read(lambda: self.limits.budgets(rules.limits, now)),
            examples=examples,
            yardstick=yardstick,
            likeness=rules.likeness,
        )

    def tell(self, used: Mapping[RateLimit, int], now: datetime) -> None:
        """What decisions use of the rate limits (`Routes.used`) is kept, in the transaction with them."""
        self.limits.add(used, now)

    def _examples(
        self, switches: Sequence[Switch] | None
    ) -> tuple[Mapping[str, Mapping[str, Any]], Yardstick]:
        wanted = {one.scope.value for one in switches or () if one.scope.name == LIKE}
        if not wanted:
            return {}, Yardstick()
        found = _read(lambda: (self.examples(wanted), self.yardstick()))
        return found if found is not None else ({}, Yardstick())


def _read(read: Callable[[], Value]) -> Value | None:
    try:
        return read()
    except Exception:  # noqa: BLE001 - whatever keeps a guard from being read, people decide
        return None
