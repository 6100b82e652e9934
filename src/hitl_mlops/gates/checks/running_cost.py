"""What it takes to run the challenger."""

from __future__ import annotations

from hitl_mlops.gates.checks.finding import Finding
from hitl_mlops.gates.evidence import ChallengerEvidence, Footprint
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict

FEWEST_ROWS = 5
_MEGABYTE = 1_000_000


def running_cost(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """It answers a case in time, and its files are small enough: both measured while it was judged."""
    found, theirs, bound = evidence.footprint, evidence.champion_footprint, policy.most_ms
    if found is None or found.rows < FEWEST_ROWS:
        lack = f"The model was timed on {found.rows if found else 0} cases; {FEWEST_ROWS} are needed."
        return Finding(Verdict.INCONCLUSIVE, lack, bound=bound)
    size = None if found.size_bytes is None else found.size_bytes / _MEGABYTE
    heavy = size is not None and size > policy.most_megabytes
    fits = found.alone_ms <= bound and not heavy
    verdict = Verdict.FAIL if not fits else Verdict.PASS if size is not None else Verdict.INCONCLUSIVE
    reason = (
        f"{_told(found)}; bounds {bound:g} ms and {policy.most_megabytes:g} MB."
        f"{f' The champion: {_told(theirs)}.' if theirs else ''}"
    )
    details = {"challenger": _values(found), "champion": None if theirs is None else _values(theirs)}
    return Finding(verdict, reason, found.alone_ms, bound, None, found.rows, details)


def _told(one: Footprint) -> str:
    size = "size unknown" if one.size_bytes is None else f"{one.size_bytes / _MEGABYTE:.2f} MB"
    return f"{one.alone_ms:.1f} ms a case alone, {one.batch_ms:.3f} ms in a batch, {size}"


def _values(one: Footprint) -> dict[str, float | int | None]:
    return {
        "alone_ms": one.alone_ms,
        "batch_ms": one.batch_ms,
        "size_bytes": one.size_bytes,
        "rows": one.rows,
    }
