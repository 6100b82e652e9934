"""Where both models differ, and whom people side with."""

from __future__ import annotations

from collections import Counter

from scipy.stats import binomtest

from hitl_mlops.gates.checks.finding import Finding
from hitl_mlops.gates.evidence import ChallengerEvidence, JudgedCases
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict

_DIRECTIONS = 5


def disagreement(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Where both models differ, people side with the champion no oftener than with the challenger."""
    cases, bound = evidence.cases.where(evidence.cases.held_back), policy.disagreement_share
    if cases.champion is None or len(cases) == 0:
        return Finding(Verdict.INCONCLUSIVE, "No case was held back that both models answered.", bound=bound)
    if len(cases) < policy.at_least_labels:
        few = f"{len(cases)} cases were held back; {policy.at_least_labels} are needed."
        return Finding(Verdict.INCONCLUSIVE, few, bound=bound, count=len(cases))
    share = float(cases.differs.mean())
    judged = cases.where(cases.differs & cases.labelled)
    ours = int((~judged.challenger_wrong).sum())
    theirs = int((~judged.champion_wrong).sum())
    details = {
        "challenger_right": ours,
        "champion_right": theirs,
        "neither": len(judged) - ours - theirs,
        "changes": _directions(cases),
    }
    chance = binomtest(theirs, ours + theirs, alternative="greater").pvalue if ours + theirs else 1.0
    if chance <= policy.alpha:
        verdict = Verdict.FAIL
    elif share <= bound or ours > theirs:
        verdict = Verdict.PASS
    else:
        verdict = Verdict.INCONCLUSIVE
    mostly = f", mostly {', '.join(list(_directions(cases))[:2])}" if share else ""
    reason = (
        f"They differ in {share:.1%} of {len(cases)} cases{mostly}; of the labelled ones people side "
        f"{ours} times with the challenger, {theirs} with the champion."
    )
    return Finding(verdict, reason, share, bound, None, len(cases), details)


def _directions(cases: JudgedCases) -> dict[str, int]:
    """Champion's answer → challenger's, with how often, the most frequent first."""
    if cases.champion is None:
        return {}
    pairs = zip(cases.champion[cases.differs], cases.challenger[cases.differs], strict=True)
    found = Counter(f"{theirs}→{ours}" for theirs, ours in pairs)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:_DIRECTIONS])
