"""What the section `recourse` of the policy file says, and who hears a complaint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hitl_mlops.documents import parse_duration
from hitl_mlops.routing.policy import Policy

COMPLAINTS_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RecoursePolicy:
    """How long a complaint is heard, and by whom.

    Attributes:
        complaints_within: how long after the decision.
        lane: where a supervisor answers.
        signatures: how many distinct people must agree there.
    """

    complaints_within: timedelta
    lane: str
    signatures: int


def recourse_policy(policy: Policy) -> RecoursePolicy:
    """What the policy says; a supervisor is whoever answers the strictest route that one person can close."""
    said = policy.section("recourse").get("complaints_within")
    within = parse_duration(said) if isinstance(said, str) else None
    by_one = [plan.name for plan in policy.routes if plan.signatures == 1]
    lane = by_one[-1] if by_one else policy.closed_route
    return RecoursePolicy(within or COMPLAINTS_WITHIN, lane, policy.plan(lane).signatures)
