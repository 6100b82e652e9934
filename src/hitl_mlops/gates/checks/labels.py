"""Whether the labels that it learned from are worth learning from."""

from __future__ import annotations

from hitl_mlops.gates.checks.finding import Finding
from hitl_mlops.gates.evidence import ChallengerEvidence
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict


def label_quality(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Enough labels, and few answers that the screen had to refuse."""
    quality, bound = evidence.label_quality, policy.quarantine_share
    if quality is None or quality.answers == 0:
        return Finding(Verdict.INCONCLUSIVE, "No answers were collected since the champion.", bound=bound)
    share = quality.quarantined / quality.answers
    details = {"labels": quality.labels, "reviewers": quality.reviewers, "answers": quality.answers}
    if share > bound:
        verdict, reason = Verdict.FAIL, f"The screen refused {share:.0%} of the answers; {bound:.0%} may be."
    elif quality.labels < policy.at_least_labels:
        verdict = Verdict.INCONCLUSIVE
        reason = f"{quality.labels} labels came of the answers; {policy.at_least_labels} are needed."
    else:
        verdict = Verdict.PASS
        reason = (
            f"{quality.labels} labels by {quality.reviewers} people; "
            f"{share:.0%} of {quality.answers} answers refused."
        )
    return Finding(verdict, reason, share, bound, None, quality.answers, details)
