"""What to do with a rollout at one look: its state, its evidence and the time in; the next state out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite

from hitl_mlops.rollout.guardrails import Breach, Guardrails, breaches
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Action, Evidence, Rollout, Stage


@dataclass(frozen=True, slots=True)
class Step:
    """What one look decided.

    Attributes:
        action: hold, advance, promote or roll back.
        after: the rollout as it stands then.
        reason: one sentence with the figures it rests on.
    """

    action: Action
    after: Rollout
    reason: str


def step(
    rollout: Rollout,
    evidence: Evidence,
    guardrails: Guardrails,
    policy: RolloutPolicy,
    now: datetime,
    *,
    at_the_end: str = "Champion now",
) -> Step:
    """The next state; whoever looks at every label errs no more often than the policy's alphas.

    A challenger leaves the shadow, and later becomes champion, only once the evidence that it is not
    worse by the margin has reached its bound; it is rolled back as soon as the evidence of harm has, or a
    guardrail says so, or at the deadline of a stage. Evidence that is no number holds, and never promotes.
    While a guardrail holds it, a challenger that is due for more waits, also past the deadline. What it is
    once it has come all the way is said `at_the_end`.
    """
    if not rollout.live:
        return Step(Action.HOLD, rollout, f"The rollout has ended: {rollout.stage.value}.")
    found = breaches(rollout, evidence, guardrails, policy)
    if against := _against(evidence, found):
        return _roll_back(rollout, now, against)
    if _due_for_more(rollout, evidence, policy):
        if found:
            why = "; ".join(one.why for one in found)
            return Step(Action.HOLD, rollout, f"Held, though due for more: {why}.")
        return _advance(rollout, evidence, policy, now, at_the_end)
    needs = _needs(rollout, evidence, policy)
    if now >= rollout.stage_at + policy.hold_at_most:
        return _roll_back(rollout, now, f"Undecided for {policy.hold_at_most}. {needs}")
    return Step(Action.HOLD, rollout, needs)


def _against(evidence: Evidence, found: Sequence[Breach]) -> str:
    """Why the challenger goes back at once; empty where it does not."""
    if isfinite(evidence.rollback_e) and evidence.rollback_e >= evidence.rollback_at:
        return _harm(evidence)
    against = [one.why for one in found if one.action is Action.ROLL_BACK]
    return f"Guardrail: {'; '.join(against)}." if against else ""


def _due_for_more(rollout: Rollout, evidence: Evidence, policy: RolloutPolicy) -> bool:
    proven = isfinite(evidence.promote_e) and evidence.promote_e >= evidence.promote_at
    served = rollout.stage is Stage.SHADOW or evidence.served >= policy.at_least
    return proven and served


def _advance(
    rollout: Rollout, evidence: Evidence, policy: RolloutPolicy, now: datetime, at_the_end: str
) -> Step:
    onward = [share for share in policy.stages if share > rollout.share_percent]
    if onward:
        reason = f"To {onward[0]:g} % of subjects: {_proof(evidence)}"
        after = replace(rollout, stage=Stage.CANARY, share_percent=onward[0], stage_at=now, reason=reason)
        return Step(Action.ADVANCE, after, reason)
    reason = f"{at_the_end}: {_proof(evidence)}"
    return Step(Action.PROMOTE, replace(rollout, stage=Stage.PROMOTED, stage_at=now, reason=reason), reason)


def _roll_back(rollout: Rollout, now: datetime, reason: str) -> Step:
    after = replace(rollout, stage=Stage.ROLLED_BACK, share_percent=0.0, stage_at=now, reason=reason)
    return Step(Action.ROLL_BACK, after, reason)


def _proof(evidence: Evidence) -> str:
    return (
        f"evidence {evidence.promote_e:.3g} ≥ {evidence.promote_at:g} after {evidence.labels} labels "
        f"on {evidence.cases} cases {_wrongs(evidence)}."
    )


def _harm(evidence: Evidence) -> str:
    return (
        f"Evidence of harm {evidence.rollback_e:.3g} ≥ {evidence.rollback_at:g} "
        f"after {evidence.labels} labels {_wrongs(evidence)}."
    )


def _wrongs(evidence: Evidence) -> str:
    return f"(challenger wrong {evidence.challenger_wrong}, champion {evidence.champion_wrong})"


def _needs(rollout: Rollout, evidence: Evidence, policy: RolloutPolicy) -> str:
    missing = []
    if not evidence.promote_e >= evidence.promote_at:
        missing.append(f"evidence {evidence.promote_e:.3g} of {evidence.promote_at:g}")
    if rollout.stage is Stage.CANARY and evidence.served < policy.at_least:
        missing.append(f"{evidence.served} of {policy.at_least} decisions at {rollout.share_percent:g} %")
    waiting = f"; {evidence.pending} labels are awaited" if evidence.pending else ""
    return f"Held, has {', '.join(missing)}{waiting}."
