"""What the section `guards` of a policy says, as the guards read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hitl_mlops.documents import Piece, parse_duration
from hitl_mlops.routing.breaker import CALIBRATION_GAP, ERROR_RATE, OVERRIDE_RATE, BreakerRule
from hitl_mlops.routing.conditions import Within, parse_test
from hitl_mlops.routing.likeness import LikenessRule
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.rate_limits import RateLimit
from hitl_mlops.routing.switches import Scope, parse_scope


@dataclass(frozen=True, slots=True)
class GuardRules:
    """The guards that a policy asks for.

    Attributes:
        breaker: when breakers open; None: no new one does.
        limits: how many decisions may be automatic.
        likeness: what freezes inputs like a flagged one.
    """

    breaker: BreakerRule | None = None
    limits: tuple[RateLimit, ...] = ()
    likeness: LikenessRule = field(default_factory=LikenessRule)


def guard_rules(policy: Policy | None) -> GuardRules:
    """The guards of the policy; without a policy none but those that already hold."""
    section = policy.section("guards") if policy is not None else {}
    breaker, likeness = section.get("breaker"), section.get("freeze_like", {})
    return GuardRules(
        breaker=_breaker(breaker) if breaker is not None else None,
        limits=tuple(_limit(each) for each in section.get("rate_limits", ())),
        likeness=LikenessRule(**likeness),
    )


def _breaker(section: Mapping[str, Any]) -> BreakerRule:
    said: dict[str, Any] = {
        key: section[key] for key in ("window", "at_least", "per", "trial") if key in section
    }
    if "opens_for" in section:
        said["opens_for"] = _span(section["opens_for"])
    figures = (OVERRIDE_RATE, ERROR_RATE, CALIBRATION_GAP)
    return BreakerRule({name: _bound(name, section[name]) for name in figures if name in section}, **said)


def _bound(name: str, text: str) -> Within:
    test = parse_test(name, Piece(text, 0, f"guards.breaker.{name}", "policy.yaml"))
    assert isinstance(test, Within)  # noqa: S101 - the form of the key lets nothing else through
    return test


def _limit(section: Mapping[str, Any]) -> RateLimit:
    scope = parse_scope(section["scope"]) if "scope" in section else Scope()
    return RateLimit(scope, section["at_most"], _span(section["per"]))


def _span(text: str) -> timedelta:
    span = parse_duration(text)
    assert span is not None  # noqa: S101 - the form of the key lets nothing else through
    return span
