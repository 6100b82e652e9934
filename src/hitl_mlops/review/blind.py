"""Which tickets hide what the model said, so that people judge the case and not the model."""

from __future__ import annotations

from collections.abc import Callable

from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.sampling import draws


def blind_share(policy: Policy) -> float:
    """The share of tickets on which the policy hides the model's answer, in [0, 1]; 0 if it does not say."""
    return float(policy.section("review").get("blind_share", 0.0))


def drawn_blind(key: bytes, share: float) -> Callable[[str], bool]:
    """Decision id → whether its ticket is one of that share; anyone with the key draws the same.

    >>> drawn_blind(b"k", 0.0)("d_1"), drawn_blind(b"k", 1.0)("d_1")
    (False, True)
    """
    return lambda decision_id: share > 0 and bool(draws(key, [f"blind {decision_id}"])[0] < share)
