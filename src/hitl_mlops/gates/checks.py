"""What each gate looks at. Each takes the evidence and the bounds and says one verdict with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np
from scipy.stats import binomtest

from hitl_mlops.gates.evidence import BoolArray, ChallengerEvidence, JudgedCases
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.calibration import calibration_gap
from hitl_mlops.statistics.rates import Rate, difference, difference_of_all, rate

_SHOWN = 20  # names in a report's details


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with the figure it rests on; fields as in `GateResult`."""

    verdict: Verdict
    reason: str
    figure: float | None = None
    bound: float | None = None
    interval: tuple[float, float] | None = None
    count: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


def override_rate(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """The challenger's error rate is not worse than the champion's by the margin, weighted by 1/pi, paired.

    Live decisions alone where enough of them are labelled; else with the base data that was held back.
    """
    cases = _comparable(evidence)
    live = cases.where(cases.live)
    enough = live.known.sum() >= policy.at_least_labels
    basis, words = (live, "live decisions") if enough else (cases, "cases")
    count = int(basis.known.sum())
    lack = _lack(cases, count, policy.at_least_labels, words)
    if lack:
        return Finding(Verdict.INCONCLUSIVE, lack, bound=policy.margin, count=count)
    change = _change(basis, policy.alpha)
    verdict = _not_worse(change, policy.margin)
    reason = (
        f"Error {_points(change.value)} points against the champion's ({_range(change, policy.alpha)}) on "
        f"{count} {words}, {int(basis.labelled.sum())} of them labelled; the margin is "
        f"{_points(policy.margin)}."
    )
    if verdict is Verdict.INCONCLUSIVE:
        reason += _enough_for(change, policy.margin, count, words)
    details = {
        "basis": words,
        "live": int(live.known.sum()),
        "labelled": int(basis.labelled.sum()),
        "challenger_error": _rate_of(rate(basis.challenger_wrong, basis.pi, basis.labelled)),
        "champion_error": _rate_of(rate(basis.champion_wrong, basis.pi, basis.labelled)),
    }
    return Finding(verdict, reason, change.value, policy.margin, change.interval, count, details)


def _enough_for(change: Rate, margin: float, count: int, words: str) -> str:
    """How many cases would settle it, were the difference to stay as it is: an interval narrows by √n."""
    if change.value is None or change.high is None or change.value >= margin:
        return ""
    needed = count * ((change.high - change.value) / (margin - change.value)) ** 2
    return f" If it stays so, {ceil(needed):,} {words} would settle it."


def calibration(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """The challenger is about as often right as it is sure: debiased gap within the bound."""
    cases = _labelled(evidence)
    bound = policy.calibration_gap
    if len(cases) < policy.at_least_labels:
        few = f"{len(cases)} labelled cases were held back; {policy.at_least_labels} are needed."
        return Finding(Verdict.INCONCLUSIVE, few, bound=bound, count=len(cases))
    gap = calibration_gap(cases.challenger_confidence, ~cases.challenger_wrong, 1 / cases.pi)
    if gap.value is None or gap.low is None or gap.high is None:
        return Finding(Verdict.INCONCLUSIVE, "Too few cases to tell a gap.", bound=bound, count=gap.count)
    verdict = _within(gap.value, gap.low, bound)
    reason = (
        f"Confidence and accuracy lie {100 * gap.value:.1f} points apart, bound {100 * bound:.1f}, "
        f"on {gap.count} cases."
    )
    return Finding(verdict, reason, gap.value, bound, (gap.low, gap.high), gap.count)


def slices(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """On no slice is the challenger worse than the champion by the margin, corrected over all slices."""
    cases = _comparable(evidence)
    return _worst_group(cases, policy, _slice_groups(cases), policy.slice_margin, "slice")


def classes(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Of no class does the challenger lose more recall than the margin, corrected over all classes."""
    cases = replace(_labelled(evidence), complete=False)  # without a label its class is not known
    groups = ((f"class {name}", cases.truth == name) for name in sorted(set(cases.truth.tolist()), key=str))
    return _worst_group(cases, policy, groups, policy.class_margin, "class")


def label_quality(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Enough labels, and few answers that the screen had to refuse."""
    quality, bound = evidence.label_quality, policy.quarantine_share
    if quality is None or quality.answers == 0:
        return Finding(Verdict.INCONCLUSIVE, "No answers were collected since the champion.", bound=bound)
    share = quality.quarantined / quality.answers
    details = {"labels": quality.labels, "reviewers": quality.reviewers, "answers": quality.answers}
    if share > bound:
        verdict, reason = Verdict.FAIL, f"The screen refused {share:.0%} of the answers; {bound:.0%} may be."
    elif quality.labels < policy.at_least_labels:
        verdict = Verdict.INCONCLUSIVE
        reason = f"{quality.labels} labels came of the answers; {policy.at_least_labels} are needed."
    else:
        verdict = Verdict.PASS
        reason = (
            f"{quality.labels} labels by {quality.reviewers} people; "
            f"{share:.0%} of {quality.answers} answers refused."
        )
    return Finding(verdict, reason, share, bound, None, quality.answers, details)


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


def data_sanity(evidence: ChallengerEvidence, _policy: GatesPolicy) -> Finding:
    """Nobody stands on both sides of the split, and the challenger knows every class that people gave."""
    cases = _labelled(evidence)
    if len(cases) == 0:
        return Finding(Verdict.INCONCLUSIVE, "No labelled case was held back.", bound=0.0)
    unknown = sorted(set(map(str, cases.truth.tolist())) - set(evidence.classes))
    details = {"overlap": evidence.overlap, "unknown_classes": unknown[:_SHOWN]}
    faults = []
    if evidence.overlap:
        faults.append(f"{evidence.overlap} subjects stand both in what it learned from and in the test")
    if unknown:
        faults.append(f"people gave classes that it cannot answer: {', '.join(unknown[:_SHOWN])}")
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
        "drifted": list(found.drifted[:_SHOWN]),
        "reference_rows": found.reference_rows,
        "current_rows": found.current_rows,
    }
    return Finding(verdict, reason, found.share, bound, None, len(found.columns), details)


def _labelled(evidence: ChallengerEvidence) -> JudgedCases:
    """Labelled rows that the challenger did not learn from: the only ones that may speak for it."""
    return evidence.cases.where(evidence.cases.held_back & evidence.cases.labelled)


def _comparable(evidence: ChallengerEvidence) -> JudgedCases:
    """As `_labelled`, and where all cases were gathered also those without a label."""
    cases = evidence.cases
    return cases.where(cases.held_back & (cases.labelled | cases.complete))


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
        lack = _lack(cases, 0, policy.at_least_per_group, f"cases in any {word}")
        return Finding(Verdict.INCONCLUSIVE, lack, bound=margin, details={"too_few": thin[:_SHOWN]})
    alpha = policy.alpha / len(enough)  # Bonferroni: over all groups at once
    changes = {name: _change(part, alpha) for name, part in enough}
    worse = [name for name, change in changes.items() if change.low is not None and change.low > margin]
    worst = max(changes, key=lambda name: (changes[name].value or 0.0, name))
    beyond = f"beyond the margin of {100 * margin:.1f}"
    where = f"Worse {beyond} on {', '.join(worse[:3])}" if worse else f"On no {word} proven worse {beyond}"
    reason = (
        f"{where}; weakest of {len(enough)}: {worst} "
        f"({_points(changes[worst].value)} points, {_range(changes[worst], alpha)})."
    )
    details = {
        "changes": {name: _rate_of(change) for name, change in _by_harm(changes)[:_SHOWN]},
        "too_few": thin[:_SHOWN],
    }
    verdict = Verdict.FAIL if worse else Verdict.PASS
    figure, interval = changes[worst].value, changes[worst].interval
    return Finding(verdict, reason, figure, margin, interval, len(enough), details)


def _by_harm(changes: Mapping[str, Rate]) -> list[tuple[str, Rate]]:
    return sorted(changes.items(), key=lambda item: (-(item[1].value or 0.0), item[0]))


def _change(cases: JudgedCases, alpha: float) -> Rate:
    ours, theirs = cases.challenger_wrong, cases.champion_wrong
    if cases.complete:
        changes = ours.astype(float) - theirs
        return difference_of_all(changes, cases.differs, cases.pi, cases.labelled, alpha=alpha)
    return difference(ours, theirs, cases.pi, cases.labelled, alpha=alpha)


def _lack(cases: JudgedCases, count: int, needed: int, words: str) -> str:
    if cases.champion is None:
        return "There is no champion to compare with."
    return f"{count} labelled {words} were held back; {needed} are needed." if count < needed else ""


def _not_worse(change: Rate, margin: float) -> Verdict:
    if change.low is None or change.high is None:
        return Verdict.INCONCLUSIVE
    if change.high < margin:
        return Verdict.PASS
    return Verdict.FAIL if change.low > margin else Verdict.INCONCLUSIVE


def _within(value: float, low: float, bound: float) -> Verdict:
    if value <= bound:
        return Verdict.PASS
    return Verdict.FAIL if low > bound else Verdict.INCONCLUSIVE


def _points(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:+.1f}"


def _range(change: Rate, alpha: float) -> str:
    return f"{100 * (1 - alpha):.3g} %: {_points(change.low)}…{_points(change.high)}"


def _rate_of(one: Rate) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "count": one.reviewed}
