"""How far people agree beyond what chance gives."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_SEED, _DRAWS = 20240501, 400


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha with its interval.

    Attributes:
        value: 1 where all agree, 0 where they agree as chance would; None where nobody could have differed.
        low: lower end of its bootstrap interval.
        high: upper end of its bootstrap interval.
        units: cases with two answers or more, which it rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int


def krippendorff_alpha(answers: Iterable[Sequence[Hashable]], *, alpha: float = 0.05) -> Agreement:
    """Agreement on nominal labels, with any number of answers a case.

    Krippendorff 2011, *Computing Krippendorff's alpha-reliability*, section C; cases with one answer do not
    count. The interval draws whole cases anew, 400 times, always the same.

    Args:
        answers: the labels given to each case.
        alpha: one minus the coverage.

    >>> rows = "11.1 2232 3333 3333 2222 1234 4444 1121 2222 .555 ..11 .3..".split()
    >>> krippendorff_alpha([[one for one in row if one != "."] for row in rows]).value  # the paper says .743
    0.743421
    """
    units = [list(one) for one in answers if len(one) > 1]
    names = {
        name: place for place, name in enumerate(sorted({one for unit in units for one in unit}, key=str))
    }
    counts = np.zeros((len(units), len(names)))
    for row, unit in enumerate(units):
        np.add.at(counts[row], [names[one] for one in unit], 1.0)
    if len(names) < 2:  # noqa: PLR2004 - one label alone leaves nothing to differ on
        return Agreement(None, None, None, len(units))
    value = _alpha(counts, np.ones((1, len(units))))[0]
    rng = np.random.default_rng(_SEED)
    drawn = _alpha(counts, rng.multinomial(len(units), np.full(len(units), 1 / len(units)), _DRAWS))
    low, high = np.nanquantile(drawn, [alpha / 2, 1 - alpha / 2])
    ends = float(min(low, value)), float(max(high, value))
    return Agreement(round(float(value), 6), round(ends[0], 6), round(ends[1], 6), len(units))


def _alpha(
    counts: npt.NDArray[np.float64], times: npt.NDArray[np.float64] | npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """1 - observed / expected disagreement, of units taken so many times each; NaN where none is possible."""
    people = counts.sum(axis=1)
    observed = times @ ((people**2 - np.square(counts).sum(axis=1)) / (people - 1))
    totals = times @ counts
    every = totals.sum(axis=1)
    expected = (every**2 - np.square(totals).sum(axis=1)) / (every - 1)
    share = np.divide(observed, expected, out=np.full(len(observed), np.nan), where=expected > 0)
    return np.asarray(1 - share)
