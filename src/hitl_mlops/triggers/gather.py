"""The readings of one look, from decisions and from what people said of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hitl_mlops.decisions.record import Decision
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.statistics.calibration import calibration_gap
from hitl_mlops.statistics.rates import rate
from hitl_mlops.training.clusters import value_of
from hitl_mlops.triggers.findings import Reading, SliceReadings, Trigger

MOST_SLICES = 100
"""Of a column with more values only the most frequent are looked at apart."""
ALPHA = 0.05
"""Chance that any figure of one look seems beyond its bound where it lies on it; slices share it."""

Said = Mapping[str, Resolution]


def figures_of(
    decisions: Sequence[Decision], said: Said, *, at_least: int, alpha: float = ALPHA
) -> dict[Trigger, Reading]:
    """Override rate and calibration gap of these decisions, weighted by 1/π; unknown with fewer answers."""
    answered = [one for one in decisions if one.decision_id in said]
    if len(answered) < at_least:
        unknown = Reading(answers=len(answered))
        return {Trigger.OVERRIDE_RATE: unknown, Trigger.CALIBRATION_GAP: unknown}
    overridden = [said[one.decision_id].override for one in answered]
    pi = [one.pi for one in answered]
    overrides = rate(overridden, pi, [True] * len(answered), alpha=2 * alpha)
    sure = [(one.confidence, not wrong, 1 / one.pi) for one, wrong in zip(answered, overridden, strict=True)]
    gap = calibration_gap(*zip(*sure, strict=True), alpha=2 * alpha)
    return {
        Trigger.OVERRIDE_RATE: Reading(overrides.value, overrides.low, len(answered)),
        Trigger.CALIBRATION_GAP: Reading(gap.value, gap.low, gap.count),
    }


def slices_of(
    decisions: Sequence[Decision],
    said: Said,
    slices: Sequence[str],
    *,
    at_least: int,
    promised: float | None = None,
) -> tuple[SliceReadings, ...]:
    """The figures of every value of every slice column, the most frequent first, and of all others.

    With the accuracy that was `promised`, how far the answered decisions lie below it is one of the figures.
    """
    groups = [(name, value) for name in slices for value in _values(decisions, name)]
    alpha = ALPHA / max(1, len(groups))
    found = []
    for name, value in groups:
        inside = [one for one in decisions if value_of(one, name) == value]
        outside = [one for one in decisions if value_of(one, name) != value]
        found.append(
            SliceReadings(
                name=name,
                value=value,
                share=len(inside) / len(decisions),
                figures=_with_drop(figures_of(inside, said, at_least=at_least, alpha=alpha), promised),
                rest=_with_drop(figures_of(outside, said, at_least=at_least), promised),
            )
        )
    return tuple(found)


def _with_drop(figures: dict[Trigger, Reading], promised: float | None) -> dict[Trigger, Reading]:
    """The figures, and the drop that the override rate means: right is what people let stand."""
    rate_of = figures[Trigger.OVERRIDE_RATE]
    right = None if rate_of.value is None else 1 - rate_of.value
    highest = None if rate_of.low is None else 1 - rate_of.low
    return figures | {Trigger.ACCURACY_DROP: drop_of(promised, right, highest, rate_of.answers)}


def _values(decisions: Sequence[Decision], name: str) -> list[str]:
    counted = Counter(value_of(one, name) for one in decisions)
    return [value for value, _ in sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:MOST_SLICES]]


def drop_of(promised: float | None, figure: float | None, highest: float | None, answers: int) -> Reading:
    """How far the estimated accuracy lies below what was promised; unknown where either is."""
    if promised is None or figure is None or highest is None:
        return Reading(answers=answers)
    return Reading(promised - figure, promised - highest, answers)


def counted(figure: float | None, rows: int = 0) -> Reading:
    """A figure that chance does not blur, as one looks at it."""
    return Reading(figure, figure, rows)
