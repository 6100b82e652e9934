"""Whether the challenger is worse somewhere, though the whole looks good: by slice, by class, by both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

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
from hitl_mlops.statistics.ratios import share_change


@dataclass(slots=True)
class _Places:
    """Where the challenger is looked at: those with enough labels, and the names of those without."""

    enough: dict[str, tuple[JudgedCases, str | None]] = field(default_factory=dict)
    thin: list[str] = field(default_factory=list)

    def add(self, name: str, cases: JudgedCases, answer: str | None, *, enough: bool) -> None:
        """With an answer, those cases on which a model gave it are looked at: its precision."""
        if enough:
            self.enough[name] = (cases, answer)
        else:
            self.thin.append(name)


def slices(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """On no slice is the challenger worse than the champion by the margin, corrected over all slices."""
    cases, places = comparable(evidence), _Places()
    for name, chosen in _all_slices(cases):
        part = cases.where(chosen)
        places.add(name, part, None, enough=part.known.sum() >= policy.at_least_per_group)
    return _worst(cases, places, policy, policy.slice_margin, "slice")


def classes(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """Of no class does it lose more recall or precision than the margin, corrected over all of both."""
    cases, places = _with_class(evidence), _Places()
    _add_classes(places, cases, policy, "")
    return _worst(cases, places, policy, policy.class_margin, "class")


def slice_classes(evidence: ChallengerEvidence, policy: GatesPolicy) -> Finding:
    """On no slice does some class lose more recall or precision than the margin, corrected over all."""
    cases, places = _with_class(evidence), _Places()
    for name, chosen in _own_slices(cases):
        _add_classes(places, cases.where(chosen), policy, f" on {name}")
    return _worst(cases, places, policy, policy.slice_class_margin, "class of a slice")


def _with_class(evidence: ChallengerEvidence) -> JudgedCases:
    """Labelled cases alone: without a label the class of a case is not known."""
    return replace(labelled(evidence), complete=False)


def _add_classes(places: _Places, cases: JudgedCases, policy: GatesPolicy, where: str) -> None:
    least = policy.at_least_per_group
    for name in _values(cases.truth):
        of_class = cases.truth == name
        enough = int(of_class.sum()) >= least
        places.add(f"recall of {name}{where}", cases.where(of_class), None, enough=enough)
    if cases.champion is None:
        return
    for name in _values(np.concatenate([cases.challenger, cases.champion])):
        said = min(int((one == name).sum()) for one in (cases.challenger, cases.champion))
        places.add(f"precision of {name}{where}", cases, name, enough=said >= least)


def _all_slices(cases: JudgedCases) -> Iterator[tuple[str, BoolArray]]:
    for name, chosen in (("live decisions", cases.live), ("base data", ~cases.live)):
        if chosen.any():
            yield name, chosen
    yield from _own_slices(cases)


def _own_slices(cases: JudgedCases) -> Iterator[tuple[str, BoolArray]]:
    for column, values in cases.slices.items():
        for value in _values(values):
            yield f"{column} = {value}", np.asarray(values == value, dtype=np.bool_)


def _values(column: Iterable[object]) -> list[str]:
    return sorted({str(value) for value in column})


def _worst(cases: JudgedCases, places: _Places, policy: GatesPolicy, margin: float, word: str) -> Finding:
    thin = places.thin[:SHOWN]
    if cases.champion is None or not places.enough:
        missing = lack(cases, 0, policy.at_least_per_group, f"cases in any {word}")
        return Finding(Verdict.INCONCLUSIVE, missing, bound=margin, details={"too_few": thin})
    alpha = policy.alpha / len(places.enough)  # Bonferroni: over all groups at once
    changes = {name: _change(*one, alpha) for name, one in places.enough.items()}
    worse = [name for name, change in changes.items() if change.low is not None and change.low > margin]
    worst = max(changes, key=lambda name: (changes[name].value or 0.0, name))
    beyond = f"beyond the margin of {100 * margin:.1f}"
    where = f"Worse {beyond} on {', '.join(worse[:3])}" if worse else f"On no {word} proven worse {beyond}"
    reason = (
        f"{where}; weakest of {len(changes)}: {worst} "
        f"({points(changes[worst].value)} points, {span(changes[worst], alpha)})."
    )
    shown = {name: rate_of(change) for name, change in _by_harm(changes)[:SHOWN]}
    verdict = Verdict.FAIL if worse else Verdict.PASS
    figure, interval = changes[worst].value, changes[worst].interval
    details = {"changes": shown, "too_few": thin}
    return Finding(verdict, reason, figure, margin, interval, len(changes), details)


def _change(cases: JudgedCases, answer: str | None, alpha: float) -> Rate:
    """How much oftener the challenger is wrong, of the cases or of those on which a model said the answer."""
    if answer is None or cases.champion is None:
        return change_of(cases, alpha)
    ours = cases.challenger_wrong, cases.challenger == answer
    return share_change(ours, (cases.champion_wrong, cases.champion == answer), cases.pi, alpha=alpha)


def _by_harm(changes: Mapping[str, Rate]) -> list[tuple[str, Rate]]:
    return sorted(changes.items(), key=lambda item: (-(item[1].value or 0.0), item[0]))
