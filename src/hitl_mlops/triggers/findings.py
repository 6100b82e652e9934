"""What the figures say, trigger by trigger: quiet, fired, or unknown. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from hitl_mlops.triggers.policy import Bound, RetrainPolicy


class Trigger(StrEnum):
    """What can speak for a retraining."""

    SCHEDULE = "schedule"
    DRIFT = "drift"
    OVERRIDE_COUNT = "override_count"
    OVERRIDE_RATE = "override_rate"
    CALIBRATION_GAP = "calibration_gap"
    ACCURACY_DROP = "accuracy_drop"


class State(StrEnum):
    """What a trigger says."""

    QUIET = "quiet"
    FIRED = "fired"
    UNKNOWN = "unknown"
    """Its figure is missing or no number: nobody may take it for quiet."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure as it was measured.

    Attributes:
        value: the estimate; None where nothing can be said.
        low: what it is at least, beyond chance; None where nothing can be said.
        answers: on how many answers it rests; of the drift, on how many cases.
    """

    value: float | None = None
    low: float | None = None
    answers: int = 0

    @property
    def known(self) -> bool:
        """Both are numbers."""
        return all(one is not None and math.isfinite(one) for one in (self.value, self.low))


@dataclass(frozen=True, slots=True)
class SliceReadings:
    """The figures of the decisions that share a value.

    Attributes:
        name: column.
        value: its value, spelled as scopes are.
        share: of the decisions looked at, the share that lies in it, in [0, 1].
        figures: of the decisions in it.
        rest: of all others, by trigger.
    """

    name: str
    value: str
    share: float
    figures: Mapping[Trigger, Reading]
    rest: Mapping[Trigger, Reading] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """As a switch names it."""
        return f"{self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class Readings:
    """All that is known at one look.

    Attributes:
        since_training: since the last model learned; None: unknown.
        new_labels: labels that no model has learned from; None: unknown.
        figures: trigger → what was measured over all decisions; one that is missing is unknown.
        slices: the same per slice.
        decisions: how many decisions were looked at.
    """

    since_training: timedelta | None = None
    new_labels: int | None = None
    figures: Mapping[Trigger, Reading] = field(default_factory=dict)
    slices: tuple[SliceReadings, ...] = ()
    decisions: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one trigger says.

    Attributes:
        trigger: which.
        state: quiet, fired or unknown.
        value: its figure; None where unknown.
        bound: the figure from which it fires.
        reason: one sentence.
        severe: beyond the bound from which it must be contained.
        slices: scopes in which it fired.
        widespread: it is not a matter of those slices alone, or nobody can tell that it is.
    """

    trigger: Trigger
    state: State
    value: float | None
    bound: float
    reason: str
    severe: bool = False
    slices: tuple[str, ...] = ()
    widespread: bool = False

    @property
    def fired(self) -> bool:
        """It speaks for acting."""
        return self.state is State.FIRED


HARMS = (Trigger.OVERRIDE_RATE, Trigger.CALIBRATION_GAP, Trigger.ACCURACY_DROP)
"""Triggers whose figure says that decisions are bad; the others say only that learning is due."""


def find(
    readings: Readings, policy: RetrainPolicy, standing: Collection[Trigger] = (), *, scheduled: bool = False
) -> tuple[Finding, ...]:
    """What every trigger says, in the order of `Trigger`; none is left out.

    Args:
        readings: what was measured.
        policy: the bounds.
        standing: triggers that had fired at the last look; they rest only below `quiet_below` of their bound.
        scheduled: the look itself is that of the schedule.
    """
    counts = {Trigger.DRIFT: policy.drift_share, Trigger.OVERRIDE_COUNT: float(policy.override_count)}
    found = [_schedule(readings, policy, scheduled=scheduled)]
    for trigger, bound in counts.items():
        reading, held = readings.figures.get(trigger, Reading()), trigger in standing
        found.append(_overall(trigger, reading, Bound(bound, math.inf), policy, held=held))
    return (*found, *(_harm(one, readings, policy, held=one in standing) for one in HARMS))


def _schedule(readings: Readings, policy: RetrainPolicy, *, scheduled: bool) -> Finding:
    since, bound = readings.since_training, policy.every.total_seconds()
    value = None if since is None else since.total_seconds()
    if scheduled or (value is not None and value >= bound):
        reason = "The schedule began this look." if scheduled else f"No model learned for {since}."
        return Finding(Trigger.SCHEDULE, State.FIRED, value, bound, reason)
    if value is None:
        return Finding(Trigger.SCHEDULE, State.UNKNOWN, None, bound, "When a model last learned is unknown.")
    return Finding(Trigger.SCHEDULE, State.QUIET, value, bound, f"The last model learned {since} ago.")


def _overall(
    trigger: Trigger, reading: Reading, bound: Bound, policy: RetrainPolicy, *, held: bool
) -> Finding:
    what = trigger.value.replace("_", " ")
    basis = f"{reading.answers} {'cases' if trigger is Trigger.DRIFT else 'answers'}"
    if not reading.known or reading.value is None:
        reason = f"The {what} is unknown: {basis} are too few, or a figure is missing."
        return Finding(trigger, State.UNKNOWN, None, bound.fires, reason)
    fired = _fires(reading, bound, policy, held=held)
    word = "reached" if fired else "not reached"
    proven = f", {reading.low:.3g} at least" if reading.low != reading.value else ""
    reason = f"The {what} is {reading.value:.3g}{proven} ({basis}); {bound.fires:g} is {word}."
    state = State.FIRED if fired else State.QUIET
    return Finding(trigger, state, reading.value, bound.fires, reason)


def _fires(reading: Reading, bound: Bound, policy: RetrainPolicy, *, held: bool) -> bool:
    """Beyond the bound by more than chance; once it had fired, until it is clearly back."""
    if not reading.known or reading.value is None or reading.low is None:
        return False
    return reading.low >= bound.fires or (held and reading.value >= policy.quiet_below * bound.fires)


def _harm(trigger: Trigger, readings: Readings, policy: RetrainPolicy, *, held: bool) -> Finding:
    bound: Bound = getattr(policy, trigger.value)
    whole = readings.figures.get(trigger, Reading())
    found = _overall(trigger, whole, bound, policy, held=held)
    hit = [one for one in readings.slices if _beyond(one.figures.get(trigger), bound.fires)]
    if not found.fired and not hit:
        return found
    severe = _beyond(whole, bound.severe) or any(
        _beyond(one.figures.get(trigger), bound.severe) for one in hit
    )
    spread, where = _spread(trigger, hit, found, bound, policy)
    return Finding(
        trigger,
        State.FIRED,
        found.value,
        bound.fires,
        " ".join(one for one in (found.reason, *_told(trigger, hit), where) if one),
        severe=severe,
        slices=tuple(one.scope for one in hit),
        widespread=spread,
    )


def _beyond(reading: Reading | None, bound: float) -> bool:
    return reading is not None and reading.known and reading.low is not None and reading.low >= bound


def _spread(
    trigger: Trigger, hit: Sequence[SliceReadings], found: Finding, bound: Bound, policy: RetrainPolicy
) -> tuple[bool, str]:
    """Whether it is more than a matter of slices, and why; in doubt it is."""
    if not hit:
        return True, "No slice stands out: it is everywhere, or nobody can tell where."
    share = min(1.0, max(_covered(hit).values()))
    if share >= policy.widespread:
        return (
            True,
            f"That is {share:.0%} of the decisions; from {policy.widespread:.0%} on it is widespread.",
        )
    rest = [one.rest.get(trigger, Reading()) for one in hit]
    if found.fired and not any(one.known and one.low is not None and one.low < bound.fires for one in rest):
        return True, "The rest is no better, or nobody can tell."
    return False, f"That is {share:.0%} of the decisions; the rest is not beyond the bound."


def _covered(hit: Sequence[SliceReadings]) -> dict[str, float]:
    """Column → share of decisions in its slices that fired."""
    shares: dict[str, float] = {}
    for one in hit:
        shares[one.name] = shares.get(one.name, 0.0) + one.share
    return shares


def _told(trigger: Trigger, hit: Sequence[SliceReadings]) -> Iterator[str]:
    if hit:
        named = (f"{one.scope} ({one.figures[trigger].value:.3g})" for one in hit)
        yield f"It is reached in {', '.join(named)}."
