"""Whether the challenger is worse somewhere, though the whole looks good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from hitl_mlops.gates.checks.finding import (
    SHOWN,
    Finding,
    change_of,
    comparable,
    labelled,
    lack,
    points,
    rate_of,
    span,
)
from hitl_mlops.gates.evidence import BoolArray, ChallengerEvidence, JudgedCases
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.rates import Rate


def slices(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """On no slice is the challenger worse than the champion by the margin, corrected over all slices."""
    cases = comparable(evidence)
    return _worst_group(cases, policy, _slice_groups(cases), policy.slice_margin, "slice")


def classes(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Of no class does the challenger lose more recall than the margin, corrected over all classes."""
    cases = replace(labelled(evidence), complete=False)  # without a label its class is not known
    groups = ((f"class {name}", cases.truth == name) for name in sorted(set(cases.truth.tolist()), key=str))
    return _worst_group(cases, policy, groups, policy.class_margin, "class")


def _slice_groups(cases: JudgedCases) -> Iterator[tuple[str, BoolArray]]:
    yield "live decisions", cases.live
    yield "base data", ~cases.live
    for column, values in cases.slices.items():
        for value in sorted(set(values.tolist()), key=str):
            yield f"{column} = {value}", np.asarray(values == value, dtype=np.bool_)


def _worst_group(
    cases: JudgedCases,
    policy: GatesPolicy,
    groups: Iterator[tuple[str, BoolArray]],
    margin: float,
    word: str,
) -> Finding:
    named = [(name, cases.where(chosen)) for name, chosen in groups if chosen.any()]
    enough = [(name, part) for name, part in named if part.known.sum() >= policy.at_least_per_group]
    thin = [name for name, part in named if part.known.sum() < policy.at_least_per_group]
    if cases.champion is None or not enough:
        missing = lack(cases, 0, policy.at_least_per_group, f"cases in any {word}")
        return Finding(Verdict.INCONCLUSIVE, missing, bound=margin, details={"too_few": thin[:SHOWN]})
    alpha = policy.alpha / len(enough)  # Bonferroni: over all groups at once
    changes = {name: change_of(part, alpha) for name, part in enough}
    worse = [name for name, change in changes.items() if change.low is not None and change.low > margin]
    worst = max(changes, key=lambda name: (changes[name].value or 0.0, name))
    beyond = f"beyond the margin of {100 * margin:.1f}"
    where = f"Worse {beyond} on {', '.join(worse[:3])}" if worse else f"On no {word} proven worse {beyond}"
    reason = (
        f"{where}; weakest of {len(enough)}: {worst} "
        f"({points(changes[worst].value)} points, {span(changes[worst], alpha)})."
    )
    details = {
        "changes": {name: rate_of(change) for name, change in _by_harm(changes)[:SHOWN]},
        "too_few": thin[:SHOWN],
    }
    verdict = Verdict.FAIL if worse else Verdict.PASS
    figure, interval = changes[worst].value, changes[worst].interval
    return Finding(verdict, reason, figure, margin, interval, len(enough), details)


def _by_harm(changes: Mapping[str, Rate]) -> list[tuple[str, Rate]]:
    return sorted(changes.items(), key=lambda item: (-(item[1].value or 0.0), item[0]))
