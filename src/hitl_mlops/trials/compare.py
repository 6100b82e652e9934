"""What a policy on trial would let slip that the one in force does not, from the cases of the latter. Pure.

Of each case that the policy in force routed, the other's route is known too: nobody has to be asked for it.
Where both ask people, or neither does, they let slip the same, whatever the truth: D = 0. Where the policy in
force asks and the other would not, people's answer says whether the other had sent out a wrong one: D = 1.
Where only the other would ask, it can only let slip less; that is counted as D = 0, against it. So D is at
least the difference in slips, in {0, 1} and without weights, and the e-processes of a rollout hold for it.

Only cases of subjects that go by the policy in force can prove it: who they are is drawn, and nothing else.
Those that go by the policy on trial can send it back: of what it sent out alone, spot checks find what
slipped, each weighing 1/π. Each of the two processes of harm has half of the doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.record import Decision
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.rollout.compared import Pair
from hitl_mlops.rollout.evidence import weigh
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Evidence, ReviewerError
from hitl_mlops.statistics.rates import Rate, rate
from hitl_mlops.statistics.sequential import agreed_between, harm_e


@dataclass(frozen=True, slots=True)
class Arm:
    """What came of the cases that went by one policy.

    Attributes:
        decisions: how many.
        asked: share of them on which people had to be asked, in [0, 1]; None without any.
        slips: share of them that went out without a person and were wrong, weighted by 1/π.
    """

    decisions: int
    asked: float | None
    slips: Rate


@dataclass(frozen=True, slots=True)
class Compared:
    """A policy on trial against the one in force.

    Attributes:
        evidence: the e-processes; `challenger_wrong` counts answers that the policy on trial would have let
            slip, `served` its own decisions at the present share.
        asked_now: share of the cases of the policy in force on which it asks people by itself, in [0, 1].
        asked_then: share of the same cases on which the policy on trial would.
        in_force: what came of the cases of the policy in force.
        on_trial: what came of those of the policy on trial.
    """

    evidence: Evidence
    asked_now: float
    asked_then: float
    in_force: Arm
    on_trial: Arm


@dataclass(frozen=True, slots=True)
class Both:
    """The decisions that went by one policy, with what each of the two does of itself; arrays of one length.

    Attributes:
        decisions: in the order in which they were made.
        asks_now: the policy in force asks people, no guard and no spot check counted.
        asks_then: the policy on trial would.
    """

    decisions: Sequence[Decision]
    asks_now: npt.NDArray[np.bool_]
    asks_then: npt.NDArray[np.bool_]

    @property
    def differs(self) -> npt.NDArray[np.bool_]:
        """The policy in force asks people, the one on trial would not."""
        return self.asks_now & ~self.asks_then


def compare(
    ours: Both,
    theirs: Both,
    said: Mapping[str, Resolution],
    policy: RolloutPolicy,
    reviewers: ReviewerError,
    *,
    floor: float,
    served: int,
) -> Compared:
    """The evidence as it stands, and what both policies come to.

    A wrong label counts against the policy on trial, as an answer that it would have let slip.

    Args:
        ours: the cases that went by the policy in force.
        theirs: those that went by the policy on trial.
        said: decision id → what people said, on tickets drawn with the stored π.
        policy: margin and bounds; harm is a difference in slips beyond the margin.
        reviewers: how often labels are wrong.
        floor: the least π of the policy on trial, in (0, 1].
        served: decisions of the policy on trial at the present share.
    """
    pairs = [_pair(ours.decisions[place], said) for place in np.flatnonzero(ours.differs).tolist()]
    evidence = weigh(ours.differs, pairs, served, policy, reviewers, tolerated=policy.margin)
    harm = max(evidence.rollback_e, _slipped_e(theirs, said, policy.margin, floor))
    return Compared(
        replace(evidence, rollback_e=harm / 2),
        _share(ours.asks_now) or 0.0,
        _share(ours.asks_then) or 0.0,
        _arm(ours.decisions, said),
        _arm(theirs.decisions, said),
    )


def _slipped_e(theirs: Both, said: Mapping[str, Resolution], margin: float, floor: float) -> float:
    """The most that ever spoke for harm in what the policy on trial sent out where the other asks."""
    drawn = np.array([one.spot_check for one in theirs.decisions], dtype=np.bool_) & theirs.differs
    sampled = [theirs.decisions[place] for place in np.flatnonzero(drawn).tolist()]
    answered = sorted(
        (one for one in sampled if one.decision_id in said),
        key=lambda one: (said[one.decision_id].resolved_at, one.decision_id),
    )
    slipped = [said[one.decision_id].override / max(one.pi, floor) for one in answered]
    agreed = agreed_between(drawn, len(slipped))
    return float(harm_e(slipped, margin=margin, agreed=agreed, bound=1 / floor).max())


def _pair(one: Decision, said: Mapping[str, Resolution]) -> Pair:
    """The one in force goes by people, the other by the model."""
    found = said.get(one.decision_id)
    if found is None:
        return Pair(one.decision_id, one.at, "", one.label)
    return Pair(one.decision_id, one.at, found.label, one.label, found.label, found.resolved_at)


def _arm(decisions: Sequence[Decision], said: Mapping[str, Resolution]) -> Arm:
    unattended = np.array([not one.to_review or one.spot_check for one in decisions], dtype=np.bool_)
    reviewed = np.array([one.decision_id in said for one in decisions], dtype=np.bool_)
    overruled = [one.decision_id in said and said[one.decision_id].override for one in decisions]
    pi = np.array([one.pi for one in decisions], dtype=np.float64)
    slips = rate(unattended & np.array(overruled, dtype=np.bool_), pi, reviewed)
    return Arm(len(decisions), _share(~unattended), slips)


def _share(chosen: npt.NDArray[np.bool_]) -> float | None:
    return float(chosen.mean()) if len(chosen) else None
