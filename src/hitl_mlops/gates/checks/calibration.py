"""Whether the challenger is as often right as it is sure."""

from __future__ import annotations

import numpy as np

from hitl_mlops.gates.checks.finding import Finding, labelled, within
from hitl_mlops.gates.evidence import ChallengerEvidence
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.calibration import calibration_gap


def calibration(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """The challenger is about as often right as it is sure: debiased gap within the bound."""
    cases = labelled(evidence)
    bound = policy.calibration_gap
    if len(cases) < policy.at_least_labels:
        few = f"{len(cases)} labelled cases were held back; {policy.at_least_labels} are needed."
        return Finding(Verdict.INCONCLUSIVE, few, bound=bound, count=len(cases))
    if np.isnan(cases.challenger_confidence).all():
        return Finding(Verdict.INCONCLUSIVE, "The model does not say how sure it is.", bound=bound)
    gap = calibration_gap(cases.challenger_confidence, ~cases.challenger_wrong, 1 / cases.pi)
    if gap.value is None or gap.low is None or gap.high is None:
        return Finding(Verdict.INCONCLUSIVE, "Too few cases to tell a gap.", bound=bound, count=gap.count)
    verdict = within(gap.value, gap.low, bound)
    reason = (
        f"Confidence and accuracy lie {100 * gap.value:.1f} points apart, bound {100 * bound:.1f}, "
        f"on {gap.count} cases."
    )
    return Finding(verdict, reason, gap.value, bound, (gap.low, gap.high), gap.count)
