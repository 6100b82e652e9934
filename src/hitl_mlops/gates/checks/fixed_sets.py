"""How the challenger does on sets of cases that stay the same."""

from __future__ import annotations

from hitl_mlops.gates.checks.finding import Finding
from hitl_mlops.gates.evidence import ChallengerEvidence
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict


def golden(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """On the fixed set the challenger makes no more errors than the champion, beyond the margin."""
    result = evidence.golden
    if result is None or len(result.challenger_wrong) == 0:
        return Finding(Verdict.INCONCLUSIVE, "The project keeps no golden set.", bound=policy.golden_margin)
    count, errors = len(result.challenger_wrong), int(result.challenger_wrong.sum())
    if result.champion_wrong is None:
        reason = f"{errors} errors on {count} golden cases; there is no champion to compare with."
        return Finding(Verdict.INCONCLUSIVE, reason, bound=policy.golden_margin, count=count)
    theirs = int(result.champion_wrong.sum())
    excess = (errors - theirs) / count
    verdict = Verdict.PASS if excess <= policy.golden_margin else Verdict.FAIL
    reason = f"{errors} errors on {count} golden cases, the champion {theirs}."
    details = {"challenger_errors": errors, "champion_errors": theirs}
    return Finding(verdict, reason, excess, policy.golden_margin, None, count, details)
