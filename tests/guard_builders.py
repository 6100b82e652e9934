"""Breakers, limits and answered decisions for tests, changed where the test says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hitl_mlops.routing.breaker import Breaker, BreakerRule, BreakerState, Seen
from hitl_mlops.routing.breaker_board_in_memory import InMemoryBreakerBoard
from hitl_mlops.routing.conditions import Within
from hitl_mlops.routing.guard_board import GuardBoard
from hitl_mlops.routing.likeness import Yardstick
from hitl_mlops.routing.limit_book_in_memory import InMemoryLimitBook
from hitl_mlops.routing.rate_limits import RateLimit
from hitl_mlops.routing.switch_board_in_memory import InMemorySwitchBoard
from hitl_mlops.routing.switches import Scope
from tests.builders import NOW

HALF_AN_HOUR = timedelta(minutes=30)


def a_rule(**changes: Any) -> BreakerRule:
    bounds = {"override_rate": Within("override_rate", low=0.25, low_included=False)}
    return BreakerRule(**({"bounds": bounds, "window": 20, "at_least": 10, "trial": 5} | changes))


def a_breaker(**changes: Any) -> Breaker:
    plain = {
        "breaker_id": "b1",
        "scope": Scope(),
        "state": BreakerState.OPEN,
        "since": NOW,
        "until": NOW + HALF_AN_HOUR,
        "counts_from": NOW,
        "openings": 1,
        "figures": {"override_rate": 0.5},
        "answers": 20,
    }
    return Breaker(**(plain | changes))


def seen(count: int = 1, *, overridden: int = 0, **changes: Any) -> list[Seen]:
    """So many answered decisions, the first of them overridden."""
    plain = {
        "at": NOW,
        "scopes": frozenset({Scope()}),
        "failed": False,
        "confidence": 0.9,
        "pi": 1.0,
        "held_by": frozenset(),
    }
    return [Seen(**(plain | changes), overridden=place < overridden) for place in range(count)]


def a_limit(**changes: Any) -> RateLimit:
    return RateLimit(**({"scope": Scope(), "at_most": 10, "per": timedelta(hours=1)} | changes))


def a_guard_board(**changes: Any) -> GuardBoard:
    """Twins of all boards; every flagged case has x = 1, and x spreads by 2."""
    parts = {
        "switches": InMemorySwitchBoard(),
        "breakers": InMemoryBreakerBoard(),
        "limits": InMemoryLimitBook(),
        "examples": lambda ids: {one: {"x": 1.0} for one in ids},
        "yardstick": lambda: Yardstick({"x": 2.0}),
    }
    return GuardBoard(**(parts | changes))
