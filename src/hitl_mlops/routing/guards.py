"""All that stands against automatic decisions, and which rows each part holds back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.routing.breaker import Breaker
from hitl_mlops.routing.conditions import Mask
from hitl_mlops.routing.likeness import LikenessRule, Yardstick, alike
from hitl_mlops.routing.policy import AUTOMATIC
from hitl_mlops.routing.rate_limits import Budget, RateLimit, beyond
from hitl_mlops.routing.switches import LIKE, Switch, covered, frozen_rows

BREAKERS_UNREADABLE = "the breakers cannot be read"
LIMITS_UNREADABLE = "the counts of the rate limits cannot be read"
_BREAKER = "breaker: "


@dataclass(frozen=True, slots=True)
class Guards:
    """What held when a batch was decided. A part that is None could not be read, and counts as closed.

    Attributes:
        switches: those that are on.
        breakers: those that are not closed.
        budgets: the rate limits, each with what is used of it.
        examples: decision id → the input that a switch freezes others like; one that is missing is like all.
        yardstick: how inputs are compared.
        likeness: when an input is like another.
    """

    switches: Sequence[Switch] | None = ()
    breakers: Sequence[Breaker] | None = ()
    budgets: Sequence[Budget] | None = ()
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    yardstick: Yardstick = field(default_factory=Yardstick)
    likeness: LikenessRule = field(default_factory=LikenessRule)

    @property
    def nothing(self) -> bool:
        """No row is held back, whatever it holds."""
        return all(part is not None and not part for part in (self.switches, self.breakers, self.budgets))

    @property
    def compares_inputs(self) -> bool:
        """Something is frozen that is like a case, so that `closed_rows` wants to see the inputs."""
        return any(one.is_on and one.scope.name == LIKE for one in self.switches or ())


def closed_rows(
    guards: Guards,
    columns: pd.DataFrame,
    inputs: pd.DataFrame | None,
    versions: Sequence[str],
    routes: Sequence[str],
) -> Iterator[tuple[str, Mask]]:
    """Pairs of a reason and the rows that go to people for it, each a mask of shape (len(columns),).

    Switches cover any row; breakers and rate limits only those that would be automatic. What is held back
    already uses up no rate limit; of the others the first in order are let through, as long as each has room.

    Args:
        guards: what stands.
        columns: one row per case, its attributes and `label` as columns.
        inputs: what the model saw of each row; None: not told, so that every row is like every example.
        versions: the model version that answered each row.
        routes: where each row would go otherwise.
    """
    closed = np.zeros(len(columns), dtype=bool)
    automatic = np.array([one in AUTOMATIC for one in routes], dtype=bool)
    for why, rows in frozen_rows(guards.switches, columns, versions, routes, _likenesses(guards, inputs)):
        closed |= rows
        yield f"frozen: {why}", rows
    for why, rows in _broken(guards.breakers, columns, versions, routes):
        closed |= rows & automatic
        yield f"{_BREAKER}{why}", rows & automatic
    if guards.budgets is None:
        yield f"limit: {LIMITS_UNREADABLE}", automatic
    budgets, free = guards.budgets or (), automatic & ~closed
    own = [covered(one.limit.scope, columns, versions, routes) & free for one in budgets]
    for budget, rows in zip(budgets, beyond(budgets, own), strict=True):
        yield f"limit: {budget.limit}", rows


def _likenesses(guards: Guards, inputs: pd.DataFrame | None) -> dict[str, Mask]:
    flagged = {one.scope.value for one in guards.switches or () if one.is_on and one.scope.name == LIKE}
    if inputs is None:
        return {}
    return {
        name: alike(guards.examples.get(name), inputs, guards.yardstick, guards.likeness) for name in flagged
    }


def _broken(
    breakers: Sequence[Breaker] | None, columns: pd.DataFrame, versions: Sequence[str], routes: Sequence[str]
) -> Iterator[tuple[str, Mask]]:
    if breakers is None:
        yield BREAKERS_UNREADABLE, np.ones(len(columns), dtype=bool)
    for one in breakers or ():
        if one.holds:
            yield one.breaker_id, covered(one.scope, columns, versions, routes)


def held_by(reasons: Iterable[str]) -> frozenset[str]:
    """The breakers without which a decision would have been automatic, read from its reasons.

    >>> held_by(("breaker: b2 → senior", "confidence → auto"))
    frozenset({'b2'})
    """
    ours = (one.removeprefix(_BREAKER).split(" → ")[0] for one in reasons if one.startswith(_BREAKER))
    return frozenset(ours)


def counted(
    guards: Guards, columns: pd.DataFrame, versions: Sequence[str], routes: Iterable[str]
) -> dict[RateLimit, int]:
    """Rate limit → how many of these decisions use it up; `routes` are those that were taken."""
    taken = list(routes)
    automatic = np.array([one in AUTOMATIC for one in taken], dtype=bool)
    found = {
        budget.limit: int((covered(budget.limit.scope, columns, versions, taken) & automatic).sum())
        for budget in guards.budgets or ()
    }
    return {limit: count for limit, count in found.items() if count}
