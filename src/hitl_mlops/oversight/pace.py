"""How long people take, against how hard the case is. Pure, on arrays.

Somebody who takes far less time than others do for cases as hard is asked more seeds; time by itself accuses
nobody: who knows the matter well is fast and right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

FloatArray = npt.NDArray[np.float64]

MUCH_FASTER = 0.5
"""Share of the others' time below which somebody is fast."""
PROOF = 0.01
"""The chance at the most that somebody who is not is called so, were logarithms of times normal."""
ENOUGH = 20
"""With fewer answers of a person, or of all others, nothing is said."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How somebody's time stands to that of others for cases as hard.

    Attributes:
        factor: 1 as long, 0.5 half as long; None where too little is known.
        low: lower end of its 95 % interval.
        high: upper end of its 95 % interval.
        answers: timed answers that it rests on.
        fast: proven to be below half.
    """

    factor: float | None = None
    low: float | None = None
    high: float | None = None
    answers: int = 0
    fast: bool = False


def pace(seconds: FloatArray, difficulty: FloatArray, is_theirs: npt.NDArray[np.bool_]) -> Pace:
    """That person's time against what all others take for cases as hard.

    The logarithm of the others' seconds is fitted by a line in the difficulty (least squares); the person's
    mean distance from it is the factor, with Student's interval. Times that are not above 0 are left out.

    Args:
        seconds: of each answer; shape (n,).
        difficulty: of its case, one minus the model's confidence, in [0, 1]; shape (n,).
        is_theirs: whether the person gave it; shape (n,).

    >>> hard = np.tile([0.1, 0.4], 40)
    >>> took = np.where(np.arange(80) < 40, 3.0, 9.0) * (1 + hard)
    >>> pace(took, hard, np.arange(80) < 40).factor
    0.333
    """
    known = np.isfinite(seconds) & (seconds > 0) & np.isfinite(difficulty)
    mine, others = known & is_theirs, known & ~is_theirs
    count = int(mine.sum())
    if count < ENOUGH or others.sum() < ENOUGH:
        return Pace(answers=count)
    slope, start = _line(difficulty[others], np.log(seconds[others]))
    apart = np.log(seconds[mine]) - (start + slope * difficulty[mine])
    mean, error = float(apart.mean()), float(apart.std(ddof=1) / np.sqrt(count))
    half = float(student.isf(0.025, count - 1)) * error
    surely = mean + float(student.isf(PROOF, count - 1)) * error
    factor, low, high = (round(float(np.exp(one)), 3) for one in (mean, mean - half, mean + half))
    return Pace(factor, low, high, count, fast=bool(surely < np.log(MUCH_FASTER)))


def _line(along: FloatArray, values: FloatArray) -> tuple[float, float]:
    """Slope and start of the least-squares line; flat where all lie at one place."""
    spread = float(np.square(along - along.mean()).sum())
    slope = float(((along - along.mean()) * values).sum()) / spread if spread > 0 else 0.0
    return slope, float(values.mean()) - slope * float(along.mean())
