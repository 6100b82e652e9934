"""What is watched beside the evidence. A breach sends a challenger back, or keeps it where it is. Pure.

| guardrail | breached | then |
|---|---|---|
| errors, latency | the challenger leaves more of its cases unanswered than allowed | back |
| a breaker of `model=` the challenger | open or half-open | back |
| any other breaker | open or half-open, or they cannot be read | hold |
| switches | one is on, or they cannot be read | hold |
| late tickets | more than allowed of those opened since the start are late | hold |

Back: what is wrong is wrong with the challenger. Hold: something is wrong, perhaps not with the challenger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Action, Evidence, Rollout
from hitl_mlops.routing.breaker import Breaker
from hitl_mlops.routing.guards import BREAKERS_UNREADABLE
from hitl_mlops.routing.switches import MODEL


@dataclass(frozen=True, slots=True)
class Guardrails:
    """What stands beside the evidence at one look.

    Attributes:
        frozen: what people have frozen, in words; empty where nothing is.
        breakers: those that are not closed; None where they cannot be read.
        late: of the tickets opened since the rollout's start, those that nobody answered in time.
        asked: tickets opened since the rollout's start.
    """

    frozen: str = ""
    breakers: Sequence[Breaker] | None = ()
    late: int = 0
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Breach:
    """A guardrail that does not hold.

    Attributes:
        action: hold or roll back.
        why: what was found, without a full stop.
    """

    action: Action
    why: str


def breaches(
    rollout: Rollout, evidence: Evidence, guardrails: Guardrails, policy: RolloutPolicy
) -> tuple[Breach, ...]:
    """Every guardrail that does not hold, those that send back first. A figure that is no number holds."""
    found = [
        *_unanswered(evidence, policy),
        *_broken(rollout, guardrails.breakers),
        *([Breach(Action.HOLD, guardrails.frozen)] if guardrails.frozen else []),
        *_late(guardrails, policy),
    ]
    return tuple(sorted(found, key=lambda one: one.action is not Action.ROLL_BACK))


def _unanswered(evidence: Evidence, policy: RolloutPolicy) -> Iterator[Breach]:
    if not isfinite(evidence.unanswered_e):
        yield Breach(Action.HOLD, "how much the challenger leaves unanswered is not known")
    elif evidence.unanswered_e >= policy.rollback_at:
        yield Breach(
            Action.ROLL_BACK,
            f"the challenger left {evidence.unanswered} of {evidence.tried} cases unanswered, "
            f"of which {policy.unanswered:.1%} are allowed",
        )


def _broken(rollout: Rollout, breakers: Sequence[Breaker] | None) -> Iterator[Breach]:
    if breakers is None:
        yield Breach(Action.HOLD, BREAKERS_UNREADABLE)
    for one in breakers or ():
        if one.holds:
            own = (one.scope.name, one.scope.value) == (MODEL, rollout.challenger)
            stands = one.state.value.replace("_", "-")
            yield Breach(
                Action.ROLL_BACK if own else Action.HOLD,
                f"the breaker {one.breaker_id} ({one.scope}) is {stands}",
            )


def _late(guardrails: Guardrails, policy: RolloutPolicy) -> Iterator[Breach]:
    if guardrails.late > policy.late_tickets * guardrails.asked:
        yield Breach(
            Action.HOLD,
            f"{guardrails.late} of {guardrails.asked} tickets since the start are late, "
            f"of which {policy.late_tickets:.0%} may be",
        )
