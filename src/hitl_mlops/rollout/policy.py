"""How a challenger becomes champion: approval, shadow, canary, and what sends it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hitl_mlops.documents import parse_duration
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.statistics.sequential import shrunk_margin

ASSUMED_ERROR = 0.05
"""How often a label is taken to be wrong where the policy does not say."""


@dataclass(frozen=True, slots=True)
class RolloutPolicy:
    """What the sections `approval` and `rollout` of the policy file say.

    Attributes:
        margin: how much worse the challenger may be, difference of error rates, in [0, 1).
        alpha: chance at the most to promote a challenger that is worse by the margin, in (0, 1).
        alpha_rollback: chance at the most to roll back one that is no worse, in (0, 1).
        reviewer_error: upper bound of how often a resolved label is wrong, in [0, 0.5); None: not said.
        stages: shares of subjects the canary answers, percent, rising, ending at 100.
        at_least: decisions the challenger must have answered at a share before the next, ≥ 0.
        hold_at_most: how long a stage may stay undecided before it is rolled back.
        unanswered: share of its cases that a challenger may leave unanswered, in [0, 1).
        late_tickets: share of the tickets opened since the start that may be late before nothing advances, in
            [0, 1].
        approval_signatures: how many distinct people must approve, ≥ 1.
        approval_expires: how long an approval is good for.
        claimed_approvals: an approval without a proven identity counts.
        approval_by: groups of MLflow's people file whose approvals count; empty: any release manager's.
        not_the_trainer: who trained a version does not approve it.
    """

    margin: float = 0.01
    alpha: float = 0.05
    alpha_rollback: float = 0.01
    reviewer_error: float | None = None
    stages: tuple[float, ...] = (1.0, 5.0, 25.0, 50.0, 100.0)
    at_least: int = 20
    hold_at_most: timedelta = timedelta(days=7)
    unanswered: float = 0.02
    late_tickets: float = 0.2
    approval_signatures: int = 1
    approval_expires: timedelta = timedelta(hours=24)
    claimed_approvals: bool = True
    approval_by: tuple[str, ...] = ()
    not_the_trainer: bool = True

    @property
    def promote_at(self) -> float:
        """Promote when the e-value has reached this (Ville's inequality)."""
        return 1 / self.alpha

    @property
    def rollback_at(self) -> float:
        """Roll back when the e-value has reached this."""
        return 1 / self.alpha_rollback

    @property
    def least_reviewer_error(self) -> float:
        """How often a label is taken to be wrong, whatever was measured."""
        return ASSUMED_ERROR if self.reviewer_error is None else self.reviewer_error

    @property
    def effective_margin(self) -> float:
        """The margin to bet against where nothing was measured: reviewers' errors hide 2e of a difference."""
        return shrunk_margin(self.margin, self.least_reviewer_error)


def rollout_policy(approval: Mapping[str, Any], rollout: Mapping[str, Any]) -> RolloutPolicy:
    """The policy that the two sections tell; what they leave out has its default.

    Raises:
        ConfigurationError: an unknown key, or a value out of its range, with the key and the remedy.

    >>> rollout_policy({"expires": "12h"}, {"shadow": {"alpha": 0.1}}).promote_at
    10.0
    """
    shadow, canary = dict(rollout.get("shadow") or {}), dict(rollout.get("canary") or {})
    _refuse_unknown(
        "approval", approval, {"by", "signatures", "expires", "not_the_trainer", "refuse_claimed"}
    )
    guardrails = dict(rollout.get("guardrails") or {})
    _refuse_unknown("rollout", rollout, {"shadow", "canary", "guardrails"})
    _refuse_unknown("rollout.guardrails", guardrails, {"unanswered", "late_tickets"})
    _refuse_unknown(
        "rollout.shadow", shadow, {"labels", "margin", "alpha", "alpha_rollback", "reviewer_error"}
    )
    _refuse_unknown("rollout.canary", canary, {"stages", "at_least", "hold_at_most", "then"})
    standard = RolloutPolicy()
    policy = RolloutPolicy(
        margin=_number(shadow, "margin", standard.margin, 0, 1),
        alpha=_number(shadow, "alpha", standard.alpha, 1e-9, 0.5),
        alpha_rollback=_number(shadow, "alpha_rollback", standard.alpha_rollback, 1e-9, 0.5),
        reviewer_error=_number(shadow, "reviewer_error", ASSUMED_ERROR, 0, 0.499)
        if "reviewer_error" in shadow
        else None,
        stages=_stages(canary.get("stages", standard.stages)),
        at_least=int(_number(canary, "at_least", standard.at_least, 0, 1e9)),
        hold_at_most=duration(canary.get("hold_at_most", "7d"), "rollout.canary.hold_at_most"),
        unanswered=_number(guardrails, "unanswered", standard.unanswered, 0, 0.999),
        late_tickets=_number(guardrails, "late_tickets", standard.late_tickets, 0, 1),
        approval_signatures=int(_number(approval, "signatures", 1, 1, 2)),
        approval_expires=duration(approval.get("expires", "24h"), "approval.expires"),
        claimed_approvals=not approval.get("refuse_claimed", False),
        approval_by=tuple(approval.get("by", ())),
        not_the_trainer=bool(approval.get("not_the_trainer", True)),
    )
    if canary.get("then", "roll_back") != "roll_back":
        raise ConfigurationError(
            f"rollout.canary.then is {canary['then']!r}.",
            remedy="Only roll_back is safe when a canary stays undecided; write that or leave the line out.",
        )
    return policy


def duration(text: Any, key: str) -> timedelta:
    """`30m`, `4h`, `7d` as a timedelta.

    >>> duration("90m", "x")
    datetime.timedelta(seconds=5400)
    """
    span = parse_duration(str(text))
    if span is None:
        raise ConfigurationError(
            f"{key} is {text!r}, which is no length of time.", remedy="Write 30m, 4h or 7d."
        )
    return span


def _refuse_unknown(section: str, given: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise ConfigurationError(
            f"The policy's section {section} has keys nobody reads: {', '.join(unknown)}.",
            remedy=f"Known keys are {', '.join(sorted(known))}.",
        )


def _number(given: Mapping[str, Any], key: str, default: float, low: float, high: float) -> float:
    value = given.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigurationError(
            f"{key} is {value!r}, not a number from {low:g} to {high:g}.", remedy="Correct it in the policy."
        )
    return float(value)


def _stages(given: Any) -> tuple[float, ...]:
    stages = tuple(float(share) for share in given)
    rising = all(low < high for low, high in pairwise(stages))
    if not stages or not rising or stages[0] <= 0 or stages[-1] != 100.0:  # noqa: PLR2004 - percent
        raise ConfigurationError(
            f"rollout.canary.stages are {list(given)}.",
            remedy="Give rising shares in percent that end at 100, e.g. [1, 5, 25, 50, 100].",
        )
    return stages
