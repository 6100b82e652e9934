"""The confidence tiers of a policy as a ladder, and the same ladder with another automatic end."""

from __future__ import annotations

import math
from dataclasses import replace

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.conditions import Condition, Every, Within
from hitl_mlops.routing.policy import Policy, RoutePlan

CONFIDENCE = "confidence"


def automatic_from(policy: Policy) -> float:
    """The confidence from which decisions are automatic where nothing else speaks against it.

    Raises:
        ConfigurationError: no automatic route has a confidence.

    >>> from hitl_mlops.routing.policy_file import parse_policy
    >>> ladder = "routes: {auto: {confidence: '>= 0.9'}, check: {confidence: '0.8..0.9'}, people: {}}"
    >>> automatic_from(parse_policy(ladder))
    0.8
    """
    lows = [span.low for plan in policy.routes if plan.automatic and (span := _span(plan.tier)) is not None]
    if not lows:
        raise ConfigurationError(
            "No automatic route of the policy has a confidence.",
            remedy='Add one, such as auto: {confidence: ">= 0.9"}, as the first of the routes.',
        )
    return max(0.0, min(lows))


def with_automatic_from(policy: Policy, threshold: float) -> Policy:
    """The policy with its automatic tiers ending at that confidence, and the next ones beginning there.

    A tier that has no room left is gone; its route is then reached by matrix and rules only. Conditions under
    `when`, the matrix and the rules stay as they are. The hash stays too: this is no policy of a file.

    Raises:
        ConfigurationError: no automatic route has a confidence.

    >>> from hitl_mlops.routing.policy_file import parse_policy
    >>> ladder = "routes: {auto: {confidence: '>= 0.9'}, check: {confidence: '0.8..0.9'}, people: {}}"
    >>> confidence_tests(with_automatic_from(parse_policy(ladder), 0.95))
    {'auto': '>= 0.95', 'check': None, 'people': None}
    """
    before = automatic_from(policy)
    routes = tuple(_moved(plan, before, threshold) for plan in policy.routes)
    return replace(policy, routes=routes)


def confidence_tests(policy: Policy) -> dict[str, str | None]:
    """Route → its `confidence` as `policy.yaml` spells it; None where it has none."""
    return {plan.name: _spelled(_span(plan.tier)) for plan in policy.routes}


def _span(tier: Condition | None) -> Within | None:
    """The interval of confidence that the route names by itself, beside what `when` says."""
    first = tier.parts[0] if isinstance(tier, Every) and tier.parts else None
    return first if isinstance(first, Within) and first.attribute == CONFIDENCE else None


def _moved(plan: RoutePlan, before: float, threshold: float) -> RoutePlan:
    span = _span(plan.tier)
    if span is None or not isinstance(plan.tier, Every):
        return plan
    if plan.automatic:
        low = threshold if max(0.0, span.low) == before else max(span.low, threshold)
        span = replace(span, low=low, low_included=span.low_included or low == threshold)
    elif span.low < before:
        high = threshold if span.high == before else min(span.high, threshold)
        span = replace(span, high=high, high_included=span.high_included and high != threshold)
    low = max(0.0, span.low)
    empty = low > span.high or (low == span.high and not (span.low_included and span.high_included))
    return replace(plan, tier=None if empty else Every((span, *plan.tier.parts[1:])))


def _spelled(span: Within | None) -> str | None:
    if span is None:
        return None
    if math.isinf(span.high):
        return f"{'>=' if span.low_included else '>'} {span.low:g}"
    if math.isinf(span.low):
        return f"{'<=' if span.high_included else '<'} {span.high:g}"
    return f"{span.low:g}..{span.high:g}"
