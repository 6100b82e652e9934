"""The judge: evidence and bounds in, a report out. Pure; nothing passes for lack of data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite

from hitl_mlops.gates.checks.calibration import calibration
from hitl_mlops.gates.checks.data import data_sanity, drift
from hitl_mlops.gates.checks.disagreement import disagreement
from hitl_mlops.gates.checks.errors import error_rate, override_rate, severity
from hitl_mlops.gates.checks.fairness import fairness
from hitl_mlops.gates.checks.finding import Finding
from hitl_mlops.gates.checks.fixed_sets import golden, stress
from hitl_mlops.gates.checks.groups import classes, slice_classes, slices
from hitl_mlops.gates.checks.labels import label_quality
from hitl_mlops.gates.checks.running_cost import running_cost
from hitl_mlops.gates.evidence import ChallengerEvidence
from hitl_mlops.gates.policy import GATES, GatesPolicy
from hitl_mlops.gates.report import GateReport, GateResult, Verdict

Check = Callable[[ChallengerEvidence, GatesPolicy], Finding]

CHECKS: Mapping[str, Check] = {
    "override_rate": override_rate,
    "error_rate": error_rate,
    "calibration": calibration,
    "slices": slices,
    "classes": classes,
    "slice_classes": slice_classes,
    "fairness": fairness,
    "severity": severity,
    "label_quality": label_quality,
    "golden": golden,
    "stress": stress,
    "disagreement": disagreement,
    "data_sanity": data_sanity,
    "drift": drift,
    "running_cost": running_cost,
}


def judge(
    evidence: ChallengerEvidence,
    policy: GatesPolicy,
    *,
    policy_hash: str,
    now: datetime,
    measured: Mapping[str, Check] = CHECKS,
) -> GateReport:
    """Every gate's word on the challenger, required ones first.

    Rows that the challenger learned from are never read. A gate that breaks says `error` with its words and
    does not keep the others from speaking.

    Args:
        evidence: all that is known.
        policy: the bounds, and which gates must pass.
        policy_hash: content hash of the policy file, kept in the report.
        now: kept in the report.
        measured: the checks by gate; all of ours.
    """
    results = [_result(name, measured[name], evidence, policy) for name in GATES]
    return GateReport(
        model_version=evidence.model_version,
        model_digest=evidence.model_digest,
        champion=evidence.champion,
        dataset_digest=evidence.dataset_digest,
        policy_hash=policy_hash,
        results=tuple(sorted(results, key=lambda result: not result.required)),
        made_at=now,
    )


def _result(name: str, check: Check, evidence: ChallengerEvidence, policy: GatesPolicy) -> GateResult:
    try:
        found = _proven(check(evidence, policy))
    except Exception as error:  # noqa: BLE001 - a broken gate must not silence the others
        found = Finding(Verdict.ERROR, f"The gate broke: {type(error).__name__}: {error}"[:500])
    return GateResult(
        name=name,
        verdict=found.verdict,
        required=name in policy.required,
        figure=found.figure,
        bound=found.bound,
        interval=found.interval,
        count=found.count,
        reason=found.reason,
        details=found.details,
        asked=found.asked,
    )


def _proven(found: Finding) -> Finding:
    """The finding, unless it tells of something that is no number, or passes without a figure or a case."""
    numbers = _all_finite([found.figure, found.bound, found.interval, found.details])
    if numbers and (found.verdict is not Verdict.PASS or (found.figure is not None and found.count > 0)):
        return found
    return Finding(Verdict.ERROR, f"What was measured is no number: {found.reason}", count=found.count)


def _all_finite(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_all_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_all_finite, value))
    return not isinstance(value, float) or isfinite(value)
