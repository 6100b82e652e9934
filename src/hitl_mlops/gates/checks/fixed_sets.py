"""How the challenger does on sets of cases that stay the same: the golden set, and the hard cases."""

from __future__ import annotations

from hitl_mlops.gates.checks.finding import Finding, not_asked
from hitl_mlops.gates.evidence import ChallengerEvidence, FixedSet
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict


def golden(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """On the fixed set the challenger makes no more errors than the champion, beyond the margin."""
    found, margin = evidence.golden, policy.golden_margin
    if found is None or len(found.challenger_wrong) == 0:
        return Finding(Verdict.INCONCLUSIVE, "The project keeps no golden set.", bound=margin)
    return _compared(found, margin, policy.at_least_per_group, "golden")


def stress(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """The same on the hard cases: a file of the project's, or those that reviewers found hard."""
    found, margin = evidence.stress, policy.stress_margin
    if found is None:
        return not_asked("No stress set is named (model.stress), and reviewers marked no hard case.", margin)
    return _compared(found, margin, policy.at_least_per_group, "stress")


def _compared(found: FixedSet, margin: float, needed: int, word: str) -> Finding:
    count, errors = len(found.challenger_wrong), int(found.challenger_wrong.sum())
    if found.champion_wrong is None:
        reason = f"{errors} errors on {count} {word} cases; there is no champion to compare with."
        return Finding(Verdict.INCONCLUSIVE, reason, bound=margin, count=count)
    theirs = int(found.champion_wrong.sum())
    details = {
        "challenger_errors": errors,
        "champion_errors": theirs,
        "source": found.source,
        "learned": found.learned,
    }
    reason = f"{errors} errors on {count} {word} cases, the champion {theirs}."
    if found.learned:
        reason += f" {found.learned} more were left out, for it may have learned from them."
    if count < needed:
        return Finding(
            Verdict.INCONCLUSIVE, f"{reason} {needed} cases are needed.", None, margin, None, count
        )
    excess = (errors - theirs) / count
    verdict = Verdict.PASS if excess <= margin else Verdict.FAIL
    return Finding(verdict, reason, excess, margin, None, count, details)
