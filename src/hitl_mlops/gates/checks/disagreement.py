"""Where both models differ, and whom people side with."""

from __future__ import annotations

from scipy.stats import binomtest

from hitl_mlops.gates.checks.finding import Finding
from hitl_mlops.gates.evidence import ChallengerEvidence
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict


def disagreement(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Where both models differ, people side with the champion no oftener than with the challenger."""
    cases, bound = evidence.cases.where(evidence.cases.held_back), policy.disagreement_share
    if cases.champion is None or len(cases) == 0:
        return Finding(Verdict.INCONCLUSIVE, "No case was held back that both models answered.", bound=bound)
    share = float(cases.differs.mean())
    judged = cases.where(cases.differs & cases.labelled)
    ours = int((~judged.challenger_wrong).sum())
    theirs = int((~judged.champion_wrong).sum())
    details = {"challenger_right": ours, "champion_right": theirs, "neither": len(judged) - ours - theirs}
    chance = binomtest(theirs, ours + theirs, alternative="greater").pvalue if ours + theirs else 1.0
    if chance <= policy.alpha:
        verdict = Verdict.FAIL
    elif share <= bound or ours > theirs:
        verdict = Verdict.PASS
    else:
        verdict = Verdict.INCONCLUSIVE
    reason = (
        f"They differ in {share:.1%} of {len(cases)} cases; of the labelled ones people side "
        f"{ours} times with the challenger, {theirs} with the champion."
    )
    return Finding(verdict, reason, share, bound, None, len(cases), details)
