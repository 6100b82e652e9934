"""Whether the data are sane: split, classes, drift."""

from __future__ import annotations

from hitl_mlops.gates.checks.finding import SHOWN, Finding, labelled
from hitl_mlops.gates.evidence import ChallengerEvidence
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict


def data_sanity(evidence: ChallengerEvidence, _policy: GatesPolicy) -> Finding:
    """Nobody stands on both sides of the split, and the challenger knows every class that people gave."""
    cases = labelled(evidence)
    if len(cases) == 0:
        return Finding(Verdict.INCONCLUSIVE, "No labelled case was held back.", bound=0.0)
    unknown = sorted(set(map(str, cases.truth.tolist())) - set(evidence.classes))
    details = {"overlap": evidence.overlap, "unknown_classes": unknown[:SHOWN]}
    faults = []
    if evidence.overlap:
        faults.append(f"{evidence.overlap} subjects stand both in what it learned from and in the test")
    if unknown:
        faults.append(f"people gave classes that it cannot answer: {', '.join(unknown[:SHOWN])}")
    verdict = Verdict.FAIL if faults else Verdict.PASS
    reason = "; ".join(faults) or "nobody stands on both sides of the split, and every class is known"
    figure = float(evidence.overlap + len(unknown))
    return Finding(verdict, f"{reason[:1].upper()}{reason[1:]}.", figure, 0.0, None, len(cases), details)


def drift(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Few enough columns moved, corrected over all columns."""
    found, bound = evidence.drift, policy.drift_share
    if found is None or not found.columns:
        return Finding(Verdict.INCONCLUSIVE, "Drift was not measured.", bound=bound)
    verdict = Verdict.PASS if found.share <= bound else Verdict.FAIL
    names = f": {', '.join(found.drifted[:3])}{', …' if len(found.drifted) > 3 else ''}"  # noqa: PLR2004
    reason = f"{len(found.drifted)} of {len(found.columns)} columns moved{names if found.drifted else ''}."
    details = {
        "drifted": list(found.drifted[:SHOWN]),
        "reference_rows": found.reference_rows,
        "current_rows": found.current_rows,
    }
    return Finding(verdict, reason, found.share, bound, None, len(found.columns), details)
