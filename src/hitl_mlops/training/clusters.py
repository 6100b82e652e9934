"""Where a model's errors cluster, by what people corrected, and which decisions lie there unseen. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hitl_mlops.decisions.record import Decision
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.routing.conditions import spell

NO_IMPACT = 1.0
"""A decision's weight where the policy does not say how much its case weighs."""
FEWEST = 2
"""One override is no cluster."""
ANYWHERE = ""
"""The slice of a cluster where the task names no slices."""
NO_VALUE = "missing"


@dataclass(frozen=True, slots=True)
class ErrorCluster:
    """Overrides that are alike: the same correction on decisions that share a value.

    Attributes:
        model_label: what the model said.
        label: what people said.
        slice: column; empty where the task names no slices.
        value: its value.
        overrides: how many.
        impact: what they weigh together: the sum of impact / π, so of all decisions, not of the reviewed.
    """

    model_label: str
    label: str
    slice: str
    value: str
    overrides: int
    impact: float

    @property
    def name(self) -> str:
        """In words: `8 → 3, branch=north`."""
        where = f", {self.slice}={self.value}" if self.slice else ""
        return f"{self.model_label} → {self.label}{where}"


def error_clusters(
    decisions: Mapping[str, Decision], resolutions: Sequence[Resolution], slices: Sequence[str]
) -> tuple[ErrorCluster, ...]:
    """The clusters of two and more overrides, the weightiest first; ties by name.

    An override lies in one cluster for each slice column. Resolutions of unknown decisions are passed over.

    Args:
        decisions: by decision id.
        resolutions: what people said, drawn with the stored π.
        slices: columns by whose values clusters are told apart; none: by the correction alone.
    """
    weights: defaultdict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for one in resolutions:
        decision = decisions.get(one.decision_id)
        if decision is None or not one.override:
            continue
        weight = _impact(decision) / decision.pi
        for name in slices or (ANYWHERE,):
            weights[one.model_label, one.label, name, value_of(decision, name)].append(weight)
    found = (ErrorCluster(*key, len(each), sum(each)) for key, each in weights.items() if len(each) >= FEWEST)
    return tuple(sorted(found, key=lambda one: (-one.impact, one.name)))


def value_of(decision: Decision, name: str) -> str:
    """The decision's value of the slice column, spelled as scopes are; `missing` where it has none."""
    value = decision.attributes.get(name) if name else ""
    return NO_VALUE if value is None else spell(value)


def samples(
    clusters: Sequence[ErrorCluster],
    decisions: Sequence[Decision],
    *,
    asked: Collection[str],
    at_most: int,
    within: Collection[str] = (),
) -> list[Decision]:
    """Decisions that nobody was asked about and that lie where errors cluster, the weightiest first.

    Of a decision in several clusters its weightiest counts: the cluster's impact times the case's own, times
    the probability that the model itself gave the label that people correct to. Ties by decision id.

    Args:
        clusters: where errors cluster.
        decisions: what may be asked about.
        asked: ids of those that people were asked about.
        at_most: how many are given back.
        within: scopes, `branch=north`; where given, only decisions in one of them.
    """
    by_label: defaultdict[str, list[ErrorCluster]] = defaultdict(list)
    for one in clusters:
        by_label[one.model_label].append(one)
    ranked = []
    for decision in decisions:
        if decision.decision_id in asked or not _lies_in(decision, within):
            continue
        weights = [
            one.impact * _impact(decision) * decision.probabilities.get(one.label, 0.0)
            for one in by_label[decision.label]
            if not one.slice or value_of(decision, one.slice) == one.value
        ]
        if weights and max(weights) > 0:
            ranked.append((-max(weights), decision.decision_id, decision))
    return [decision for *_, decision in sorted(ranked, key=lambda one: one[:2])[:at_most]]


def _lies_in(decision: Decision, scopes: Collection[str]) -> bool:
    pairs = (scope.partition("=") for scope in scopes)
    return not scopes or any(value_of(decision, name) == value for name, _, value in pairs)


def _impact(decision: Decision) -> float:
    return NO_IMPACT if decision.impact is None else decision.impact
