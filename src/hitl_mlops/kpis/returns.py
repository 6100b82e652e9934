"""What people's labels gave back: how much better a model became for every thousand of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PER = 1000
"""So many labels a return is told for."""
HELD_BACK, LIVE = "base data that was held back", "live decisions"


@dataclass(frozen=True, slots=True)
class Change:
    """A change with its 95 % interval.

    Attributes:
        value: the change.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def points(self) -> str:
        """`+1.2 points (95 %: +0.3…+2.1)`."""
        value, low, high = (f"{100 * one:+.1f}" for one in (self.value, self.low, self.high))
        return f"{value} points (95 %: {low}…{high})"


@dataclass(frozen=True, slots=True)
class LabelReturn:
    """What a model gained over the one before it, both asked on the same cases that neither learned from.

    Attributes:
        version: the model.
        before: the champion when it was judged.
        basis: which cases: `HELD_BACK`, fixed while the data grow, or `LIVE`, decided since.
        cases: how many of them speak.
        labels: new labels that it learned from, and the one before did not.
        accuracy: change of accuracy for every 1,000 of these labels; positive is better.
        calibration_gap: change of the debiased gap of confidence, the same way; negative is better; None
            where too few cases are labelled.
    """

    version: str
    before: str
    basis: str
    cases: int
    labels: int
    accuracy: Change
    calibration_gap: Change | None = None

    @property
    def told(self) -> str:
        """In one sentence."""
        gap = f", calibration gap {self.calibration_gap.points()}" if self.calibration_gap else ""
        return (
            f"Version {self.version} against {self.before}, for every {PER:,} labels: accuracy "
            f"{self.accuracy.points()}{gap}; {self.labels:,} labels, {self.cases:,} {self.basis}."
        )


def returns_in(facts: Mapping[str, Any]) -> tuple[LabelReturn, ...]:
    """The returns that an entry of the trail about a judgement tells; none where it tells none."""
    return tuple(_read(one) for one in facts.get("returned", ()))


def latest_returns(told: Sequence[Mapping[str, Any]]) -> tuple[LabelReturn, ...]:
    """Those of the last judgement that tells any, of entries' facts in order."""
    found = (returns_in(facts) for facts in reversed(told))
    return next((one for one in found if one), ())


def _read(one: Mapping[str, Any]) -> LabelReturn:
    gap = one["calibration_gap"]
    return LabelReturn(
        **{
            **one,
            "accuracy": Change(**one["accuracy"]),
            "calibration_gap": None if gap is None else Change(**gap),
        }
    )
