"""What is known of challenger against champion, from decisions, shadow predictions and resolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.rollout.compared import Pair, compare
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.reviewers import reviewer_error
from hitl_mlops.rollout.state import Evidence, ReviewerError, Rollout
from hitl_mlops.statistics.sequential import agreed_between, harm_e, non_inferiority_e, shrunk_margin

LATEST = 2_000
"""So many of the latest answers tell how often people differ."""


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
    compared = compare(rollout, log.store.blocks(since=rollout.started_at))
    resolved = {one.decision_id: one for one in answers.resolutions(since=rollout.started_at)}
    reviewers = reviewer_error(answers.latest_resolutions(LATEST), policy)
    pairs = [_answered(pair, resolved) for pair in compared.disagreements]
    evidence = weigh(compared.differs, pairs, compared.served, policy, reviewers)
    return replace(
        evidence,
        tried=len(compared.unanswered),
        unanswered=int(compared.unanswered.sum()),
        unanswered_e=float(harm_e(compared.unanswered, margin=policy.unanswered).max()),
    )


def _answered(pair: Pair, resolved: Mapping[str, Resolution]) -> Pair:
    found = resolved.get(pair.decision_id)
    return pair if found is None else replace(pair, truth=found.label, resolved_at=found.resolved_at)


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


def processes(
    differs: npt.ArrayLike, differences: npt.ArrayLike, margin: float, tolerated: float = 0.0
) -> Processes:
    """The evidence after every label.

    Args:
        differs: True where the two models differ, in the order of the cases; shape (cases,).
        differences: D of each label, in the order in which they came; shape (labels,).
        margin: what to bet against, in [0, 1).
        tolerated: how much worse is no harm yet, in [0, 1).
    """
    came = np.asarray(differences, dtype=np.float64)
    agreed = agreed_between(differs, len(came))
    return Processes(
        non_inferiority_e(came, margin, agreed=agreed), harm_e(came, margin=tolerated, agreed=agreed)
    )


def evidence_of(pairs: Sequence[Pair], served: int, policy: RolloutPolicy) -> Evidence:
    """`weigh` of cases on which both models spoke, in their order; labels are as good as the policy says."""
    differing = [pair for pair in pairs if not pair.agreed]
    return weigh([not pair.agreed for pair in pairs], differing, served, policy, reviewer_error((), policy))


def weigh(
    differs: npt.ArrayLike,
    disagreements: Sequence[Pair],
    served: int,
    policy: RolloutPolicy,
    reviewers: ReviewerError,
    *,
    tolerated: float = 0.0,
) -> Evidence:
    """The e-values over the cases, labels in the order in which they came.

    The largest value a process ever reached is what counts: having been there once is what Ville's
    inequality covers. Agreed cases behind a disagreement that still waits do not count yet, so that silence
    never promotes.

    Args:
        differs: True where the two models differ, in the order of the cases; shape (cases,).
        disagreements: those cases, in the same order.
        served: decisions the challenger answered itself at the present share.
        policy: margin and bounds.
        reviewers: how often labels are wrong.
        tolerated: how much worse is no harm yet, in [0, 1).
    """
    cases = np.asarray(differs, dtype=np.bool_)
    labelled = sorted(
        (pair for pair in disagreements if pair.truth is not None),
        key=lambda pair: (pair.resolved_at or pair.at, pair.decision_id),
    )
    bet_against = shrunk_margin(policy.margin, reviewers.upper)
    both = processes(cases, [pair.difference for pair in labelled], bet_against, tolerated)
    return Evidence(
        cases=cases.size,
        agreed=cases.size - len(disagreements),
        labels=len(labelled),
        pending=len(disagreements) - len(labelled),
        awaited=tuple(pair.decision_id for pair in disagreements if pair.truth is None),
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
