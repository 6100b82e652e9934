"""Whether the data are sane: split, classes, drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scipy.stats import chi2_contingency

from hitl_mlops.gates.checks.finding import SHOWN, Finding, labelled
from hitl_mlops.gates.evidence import ChallengerEvidence, DataFacts
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict

_NAMED = 3
"""Columns that a sentence names."""


def data_sanity(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Nobody stands on both sides of the split, no column gives the label away, no class grew or went.

    The figure counts the faults. What could not be looked at is told, and then nothing passes.
    """
    cases = labelled(evidence)
    if len(cases) == 0:
        return Finding(Verdict.INCONCLUSIVE, "No labelled case was held back.", bound=0.0)
    unknown = sorted(set(map(str, cases.truth.tolist())) - set(evidence.classes))
    faults = []
    if evidence.overlap:
        faults.append(f"{evidence.overlap} subjects stand both in what it learned from and in the test")
    if unknown:
        faults.append(f"people gave classes that it cannot answer: {', '.join(unknown[:SHOWN])}")
    facts = evidence.data
    details: dict[str, Any] = {"overlap": evidence.overlap, "unknown_classes": unknown[:SHOWN]}
    if facts is not None:
        faults += _faults(facts, policy)
        details |= _told(facts)
    sane = "nobody stands on both sides of the split, no column gives the label away, no class grew or went"
    reason = "; ".join(faults) or ("columns and class shares were not looked at" if facts is None else sane)
    verdict = Verdict.FAIL if faults else Verdict.INCONCLUSIVE if facts is None else Verdict.PASS
    said = f"{reason[:1].upper()}{reason[1:]}."
    return Finding(verdict, said, float(len(faults)), 0.0, None, len(cases), details)


def _faults(facts: DataFacts, policy: GatesPolicy) -> Iterator[str]:
    leaking = [f"{name} ({share:.0%})" for name, share in facts.leaks.items() if share >= policy.leak]
    if leaking:
        yield f"a column alone gives the label away: {', '.join(leaking[:3])}"
    if facts.duplicates > policy.duplicates * facts.held_back:
        yield f"{facts.duplicates} of {facts.held_back} held-back cases stand in the training data too"
    moved, name = class_shift(facts.learned, facts.learned_before)
    if moved > policy.class_shift and _not_chance(facts, policy.alpha):
        yield f"the classes it learned from moved by {100 * moved:.0f} points, mostly {name}"


def class_shift(now: Mapping[str, int], before: Mapping[str, int]) -> tuple[float, str]:
    """How far the shares of the classes moved, total variation in [0, 1], and the class that moved most.

    >>> class_shift({"a": 50, "b": 50}, {"a": 80, "b": 20})
    (0.3, 'a')
    """
    if not sum(now.values()) or not sum(before.values()):
        return 0.0, ""
    sums = sum(now.values()), sum(before.values())
    moves = {
        name: now.get(name, 0) / sums[0] - before.get(name, 0) / sums[1] for name in sorted({*now, *before})
    }
    most = max(moves, key=lambda name: abs(moves[name]))
    return round(sum(map(abs, moves.values())) / 2, 12), most


def _not_chance(facts: DataFacts, alpha: float) -> bool:
    names = sorted({*facts.learned, *facts.learned_before})
    table = [[one.get(name, 0) for name in names] for one in (facts.learned, facts.learned_before)]
    return bool(chi2_contingency(table).pvalue <= alpha)


def _told(facts: DataFacts) -> dict[str, Any]:
    ranked = sorted(facts.leaks.items(), key=lambda item: (-item[1], item[0]))
    return {
        "best_single_columns": dict(ranked[:3]),
        "duplicates": facts.duplicates,
        "class_shift": class_shift(facts.learned, facts.learned_before)[0],
        "classes_learned": dict(facts.learned),
    }


def drift(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Few enough columns moved, corrected over all columns."""
    found, bound = evidence.drift, policy.drift_share
    if found is None or not found.columns:
        return Finding(Verdict.INCONCLUSIVE, "Drift was not measured.", bound=bound)
    rows = min(found.reference_rows, found.current_rows)
    if rows < policy.at_least_rows:
        few = f"{rows} rows on a side; {policy.at_least_rows} are needed to tell drift from chance."
        return Finding(Verdict.INCONCLUSIVE, few, bound=bound, count=rows)
    verdict = Verdict.PASS if found.share <= bound else Verdict.FAIL
    first, more = ", ".join(found.drifted[:_NAMED]), len(found.drifted) > _NAMED
    names = f": {first}{' and others' if more else ''}" if found.drifted else ""
    reason = f"{len(found.drifted)} of {len(found.columns)} columns moved{names}."
    details = {
        "drifted": list(found.drifted[:SHOWN]),
        "reference_rows": found.reference_rows,
        "current_rows": found.current_rows,
    }
    return Finding(verdict, reason, found.share, bound, None, len(found.columns), details)
