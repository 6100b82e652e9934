"""What is known of challenger against champion, from decisions, shadow predictions and resolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.record import Arm, Decision
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.reviewers import reviewer_error
from hitl_mlops.rollout.state import Evidence, ReviewerError, Rollout
from hitl_mlops.statistics.sequential import agreed_between, harm_e, non_inferiority_e, shrunk_margin


@dataclass(frozen=True, slots=True)
class Pair:
    """Both models on one case.

    Attributes:
        decision_id: the decision.
        at: when the case was decided.
        champion: label of the champion.
        challenger: label of the challenger.
        truth: the label people gave; None while nobody has.
        resolved_at: when they gave it.
    """

    decision_id: str
    at: datetime
    champion: str
    challenger: str
    truth: str | None = None
    resolved_at: datetime | None = None

    @property
    def agreed(self) -> bool:
        """Both say the same: D = 0 whatever the truth, no label is needed."""
        return self.champion == self.challenger

    @property
    def difference(self) -> int:
        """Challenger wrong minus champion wrong, -1, 0 or 1; 0 where both say the same."""
        return int(self.challenger != self.truth) - int(self.champion != self.truth)


def gather_evidence(
    rollout: Rollout, log: DecisionLog, answers: AnswerBook, policy: RolloutPolicy
) -> Evidence:
    """What is known now of the rollout's challenger against its champion; asks no server.

    Args:
        rollout: gives the start and the two versions.
        log: decisions and shadow predictions.
        answers: what people resolved.
        policy: margin and bounds.
    """
    decisions, said = log.decisions(since=rollout.started_at), answers.resolutions()
    both = (rollout.champion, rollout.challenger)
    shadows = {
        one.decision_id: one.label
        for version in both
        for one in log.shadows(version, since=rollout.started_at)
    }
    resolved = {one.decision_id: (one.label, one.resolved_at) for one in said}
    own = [one for one in decisions if answered_by_challenger(one, rollout)]
    served = sum(one.at >= rollout.stage_at for one in own)
    pairs = pairs_of(rollout, decisions, shadows, resolved)
    evidence = evidence_of(pairs, served, policy, reviewer_error(said, policy))
    unanswered = [not one.label for one in own]
    harm = harm_e(unanswered, margin=policy.unanswered)
    return replace(evidence, tried=len(own), unanswered=sum(unanswered), unanswered_e=float(harm.max()))


def answered_by_challenger(decision: Decision, rollout: Rollout) -> bool:
    """The challenger of the rollout was to answer it, and nobody else."""
    return decision.arm is Arm.CHALLENGER and decision.model_version == rollout.challenger


def pairs_of(
    rollout: Rollout,
    decisions: Sequence[Decision],
    shadows: Mapping[str, str],
    resolved: Mapping[str, tuple[str, datetime]],
) -> list[Pair]:
    """The cases since the rollout's start that both models saw, in the order they were decided.

    Args:
        rollout: gives the start and the two versions.
        decisions: decisions since the start.
        shadows: decision id → label of the model that did not answer.
        resolved: decision id → (label of the people, when).
    """
    pairs = []
    for decision in sorted(decisions, key=lambda d: (d.at, d.decision_id)):
        beside = shadows.get(decision.decision_id)
        if beside is None or decision.at < rollout.started_at:
            continue
        by_challenger = decision.arm is Arm.CHALLENGER
        truth, when = resolved.get(decision.decision_id, (None, None))
        pairs.append(
            Pair(
                decision.decision_id,
                decision.at,
                champion=beside if by_challenger else decision.label,
                challenger=decision.label if by_challenger else beside,
                truth=truth,
                resolved_at=when,
            )
        )
    return pairs


@dataclass(frozen=True, slots=True)
class Processes:
    """The two processes of evidence after each label, from before the first on; shapes (labels + 1,).

    Attributes:
        promote: e-value against "challenger is worse by the margin or more".
        harm: e-value against "challenger is no worse".
    """

    promote: npt.NDArray[np.float64]
    harm: npt.NDArray[np.float64]

    def history(self) -> tuple[tuple[int, float, float], ...]:
        """(labels so far, promote, harm) after every label."""
        both = zip(self.promote, self.harm, strict=True)
        return tuple((labels, float(promote), float(harm)) for labels, (promote, harm) in enumerate(both))


def processes(differs: npt.ArrayLike, differences: npt.ArrayLike, margin: float) -> Processes:
    """The evidence after every label.

    Args:
        differs: True where the two models differ, in the order of the cases; shape (cases,).
        differences: D of each label, in the order in which they came; shape (labels,).
        margin: what to bet against, in [0, 1).
    """
    came = np.asarray(differences, dtype=np.float64)
    agreed = agreed_between(differs, len(came))
    return Processes(non_inferiority_e(came, margin, agreed=agreed), harm_e(came))


def evidence_of(
    pairs: Sequence[Pair], served: int, policy: RolloutPolicy, reviewers: ReviewerError | None = None
) -> Evidence:
    """The e-values over the pairs, labels in the order in which they came.

    The largest value a process ever reached is what counts: having been there once is what Ville's
    inequality covers. Agreed cases behind a disagreement that still waits do not count yet, so that silence
    never promotes.

    Args:
        pairs: in the order of the cases.
        served: decisions the challenger answered itself at the present share.
        policy: margin and bounds.
        reviewers: how often labels are wrong; None: as the policy has it.
    """
    reviewers = reviewers or reviewer_error((), policy)
    labelled = sorted(
        (pair for pair in pairs if not pair.agreed and pair.truth is not None),
        key=lambda pair: (pair.resolved_at or pair.at, pair.decision_id),
    )
    differs = [not pair.agreed for pair in pairs]
    bet_against = shrunk_margin(policy.margin, reviewers.upper)
    both = processes(differs, [pair.difference for pair in labelled], bet_against)
    return Evidence(
        cases=len(pairs),
        agreed=len(pairs) - sum(differs),
        labels=len(labelled),
        pending=sum(differs) - len(labelled),
        awaited=tuple(pair.decision_id for pair in pairs if not pair.agreed and pair.truth is None),
        challenger_wrong=sum(pair.challenger != pair.truth for pair in labelled),
        champion_wrong=sum(pair.champion != pair.truth for pair in labelled),
        promote_e=float(both.promote.max()),
        rollback_e=float(both.harm.max()),
        promote_at=policy.promote_at,
        rollback_at=policy.rollback_at,
        served=served,
        history=both.history(),
        margin=policy.margin,
        bet_against=bet_against,
        reviewers=reviewers,
    )
