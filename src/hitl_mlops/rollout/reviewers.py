"""How often the labels of a rollout are wrong, from what people said of the same cases. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from hitl_mlops.overrides.record import DIFFERED, Method, Resolution
from hitl_mlops.review.ticket import SAMPLED, TicketKind
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import ReviewerError, Source
from hitl_mlops.statistics.sequential import error_behind_disagreement

ENOUGH_PAIRS = 30
"""With fewer cases that two people judged, nothing is measured."""
LARGEST = 0.499
"""Of reviewers who may be no better than a coin the labels prove nothing, and the margin is next to none."""
_ASKED_APART = frozenset(kind.value for kind in (*SAMPLED, TicketKind.SHADOW))


def reviewer_error(resolutions: Iterable[Resolution], policy: RolloutPolicy) -> ReviewerError:
    """Upper bound of how often a label is wrong.

    The policy's, or 5 % where it says none; more where people who judged the same case differ more often than
    that explains. Never less: two who are shown the same answer of a model err alike, which is not seen.

    Args:
        resolutions: those that stand; of complaints and adjudications none is counted.
        policy: what it says of reviewers.
    """
    both = [one.method for one in resolutions if one.ticket_kind in _ASKED_APART]
    differed = sum(method in DIFFERED for method in both)
    pairs = differed + both.count(Method.UNANIMOUS)
    least = policy.least_reviewer_error
    source = Source.ASSUMED if policy.reviewer_error is None else Source.POLICY
    measured = error_behind_disagreement(differed, pairs) if pairs >= ENOUGH_PAIRS else 0.0
    if measured > least:
        return ReviewerError(min(measured, LARGEST), Source.MEASURED, pairs, differed)
    return ReviewerError(least, source, pairs, differed)
