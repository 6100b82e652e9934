"""Two model versions on the same cheques, which neither had anything to do with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hitl_mlops.gates.gather import answered
from hitl_mlops.statistics.rates import Rate, difference, rate

if TYPE_CHECKING:
    from hitl_mlops.demo.scene import Scene


@dataclass(frozen=True, slots=True)
class Comparison:
    """Error rates on held-out cheques of the new scanner.

    Attributes:
        champion: version that served before.
        challenger: version on trial.
        before: its predecessor's error rate.
        after: its own.
        change: challenger minus champion, paired.
    """

    champion: str
    challenger: str
    before: Rate
    after: Rate
    change: Rate

    def told(self) -> str:
        """One sentence: both accuracies and the paired difference, each with its 95 % interval."""
        return (
            f"On {self.after.decisions} cheques of the new scanner that no model and no reviewer ever saw: "
            f"version {self.champion} reads {right(self.before)} right, version {self.challenger} "
            f"{right(self.after)}; {points(self.change)}."
        )


def compare(scene: Scene, *, champion: str, challenger: str) -> Comparison:
    """Both versions on the cheques held out to the end, whose digits only the demo knows."""
    cheques, registry = scene.held_out(), scene.project.parts.registry
    truth = np.array([scene.cheques.truth[name] for name in cheques["field_id"]], dtype=object)
    wrong = [answered(registry.load(version), cheques)[0] != truth for version in (champion, challenger)]
    every = np.ones(len(truth), dtype=bool)
    before, after = (rate(one, every.astype(float), every) for one in wrong)
    return Comparison(
        champion, challenger, before, after, difference(wrong[1], wrong[0], every.astype(float), every)
    )


def accuracy(error: Rate) -> tuple[float, float, float]:
    """One minus an error rate, with its interval: value, low, high.

    >>> accuracy(Rate(0.25, 0.125, 0.5, 40, 40))
    (0.75, 0.5, 0.875)
    """
    value, low, high = (error.value or 0.0), (error.low or 0.0), (error.high or 0.0)
    return 1 - value, 1 - high, 1 - low


def right(error: Rate) -> str:
    """An accuracy with its interval, `89.6 % (85.2…92.8)`."""
    value, low, high = accuracy(error)
    return f"{100 * value:.1f} % ({100 * low:.1f}…{100 * high:.1f})"


def points(change: Rate) -> str:
    """How much the accuracy moved, paired, `+8.8 points (+5.2…+12.4)`."""
    value, low, high = ((100 * (one or 0.0)) for one in (change.value, change.low, change.high))
    return f"{-value:+.1f} points ({-high:+.1f}…{-low:+.1f})"
