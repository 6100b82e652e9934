"""Whether the labels that it learned from are worth learning from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hitl_mlops.gates.checks.finding import Finding
from hitl_mlops.gates.evidence import ChallengerEvidence, LabelQuality, ReviewerHealth
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.rates import rate


def label_quality(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Enough labels, few answers refused, people agree, and few answers by people who are often wrong."""
    quality, bound = evidence.label_quality, policy.quarantine_share
    if quality is None or quality.answers == 0:
        return Finding(Verdict.INCONCLUSIVE, "No answers were collected since the champion.", bound=bound)
    share, weak = quality.quarantined / quality.answers, _weak(quality, policy)
    by_weak = sum(one.answers for one in weak) / quality.answers
    verdict, reason = _worst_of(quality, policy, share, by_weak, len(weak))
    agreement = quality.agreement
    details = {
        "labels": quality.labels,
        "reviewers": quality.reviewers,
        "answers": quality.answers,
        "agreement": None if agreement is None else agreement.value,
        "agreement_interval": None if agreement is None else [agreement.low, agreement.high],
        "answered_by_several": 0 if agreement is None else agreement.units,
        "weak_reviewers": len(weak),
        "answers_by_weak_reviewers": by_weak,
        "most_answers_of_one": max((one.answers for one in quality.health), default=0) / quality.answers,
    }
    return Finding(verdict, reason, share, bound, None, quality.answers, details)


def _worst_of(
    quality: LabelQuality, policy: GatesPolicy, share: float, by_weak: float, weak: int
) -> tuple[Verdict, str]:
    bound, needed, agreement = policy.quarantine_share, policy.at_least_labels, quality.agreement
    if share > bound:
        return Verdict.FAIL, f"The screen refused {share:.0%} of the answers; {bound:.0%} may be."
    if by_weak > bound:
        return Verdict.FAIL, (
            f"{weak} of {len(quality.health)} reviewers, who gave {by_weak:.0%} of the answers, are "
            f"refused or contradicted too often."
        )
    if agreement is not None and agreement.high is not None and agreement.high < policy.agreement:
        return Verdict.FAIL, (
            f"People agree by {agreement.value:.2f} on {agreement.units} tickets that two answered "
            f"(Krippendorff's alpha); {policy.agreement:g} is needed."
        )
    if quality.labels < needed:
        return Verdict.INCONCLUSIVE, f"{quality.labels} labels came of the answers; {needed} are needed."
    refused = f"{share:.0%} of {quality.answers} answers refused"
    said = f"{quality.labels} labels by {quality.reviewers} people; {refused}"
    if agreement is None or agreement.value is None:
        told = f"{said}; no two people answered the same ticket."
        return (Verdict.INCONCLUSIVE if policy.agreement > 0 else Verdict.PASS), told
    told = f"{said}; agreement {agreement.value:.2f} on {agreement.units} tickets."
    proven = policy.agreement <= 0 or (agreement.units >= needed and agreement.value >= policy.agreement)
    return (Verdict.PASS if proven else Verdict.INCONCLUSIVE), told


def _weak(quality: LabelQuality, policy: GatesPolicy) -> list[ReviewerHealth]:
    """Those proven to be refused more often than the bound, or contradicted more often than `differs`."""
    alpha = policy.alpha / max(2 * len(quality.health), 1)
    looks: tuple[Callable[[ReviewerHealth], tuple[int, int, float]], ...] = (
        lambda one: (one.refused, one.answers, policy.quarantine_share),
        lambda one: (one.differed, one.compared, policy.differs),
    )
    return [one for one in quality.health if any(_proven_above(*look(one), alpha) for look in looks)]


def _proven_above(found: int, count: int, bound: float, alpha: float) -> bool:
    low = rate(np.arange(count) < found, np.ones(count), np.ones(count), alpha=alpha).low
    return low is not None and low > bound
