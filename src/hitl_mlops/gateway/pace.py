"""How long batches took lately, and what follows: how long a case would wait, and how long to gather more."""

from __future__ import annotations

import math
from dataclasses import dataclass

_FORGETS = 0.9
"""What a batch still counts once another has ended: the last ten or so are heard."""
GATHERS_AT_MOST_S = 0.01
_LIKE_CASES = 50
"""As many cases as a batch itself is thought to cost, as long as the sizes of batches do not tell."""
_TELLING_ROWS, _TELLING_FRAC = 20.0, 0.3
"""How far sizes must lie apart until they tell as much as that: so many cases, and a share of their mean."""
_HEARD = 6.0
"""What batches must count together before anybody is refused for them: the first ones of all are slow."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Batches of the last moments: each took a time of its own, and some more for each case.

    The line is fitted by least squares, shrunk towards a batch that costs as much as fifty cases: batches of
    nearly one size, as under a steady load, tell next to nothing about a case. Sums, in which older batches
    count less.

    Attributes:
        batches: how many there were.
        rows: their cases.
        seconds: how long they took.
        rows_squared: of each.
        rows_seconds: cases times seconds of each.
    """

    batches: float = 0.0
    rows: float = 0.0
    seconds: float = 0.0
    rows_squared: float = 0.0
    rows_seconds: float = 0.0

    def after(self, rows: int, seconds: float) -> Pace:
        """The pace once a batch of so many cases took so long."""
        return Pace(
            self.batches * _FORGETS + 1,
            self.rows * _FORGETS + rows,
            self.seconds * _FORGETS + seconds,
            self.rows_squared * _FORGETS + rows * rows,
            self.rows_seconds * _FORGETS + rows * seconds,
        )

    @property
    def of_a_case_s(self) -> float:
        """Seconds that one more case adds to a batch; from 0 to the mean seconds of a case, 0 before any."""
        if not self.rows:
            return 0.0
        mean_rows, mean_seconds = self.rows / self.batches, self.seconds / self.batches
        spread = self.rows_squared / self.batches - mean_rows**2
        together = self.rows_seconds / self.batches - mean_rows * mean_seconds
        thought = mean_seconds / (mean_rows + _LIKE_CASES)
        doubt = _TELLING_ROWS**2 + (_TELLING_FRAC * mean_rows) ** 2
        fitted = (together + doubt * thought) / (max(spread, 0.0) + doubt)
        return min(max(fitted, 0.0), mean_seconds / mean_rows)

    @property
    def of_a_batch_s(self) -> float:
        """Seconds that a batch takes whatever it holds; 0 before any."""
        if not self.batches:
            return 0.0
        return max(self.seconds - self.of_a_case_s * self.rows, 0.0) / self.batches

    def wait_s(self, ahead: int) -> float:
        """Seconds that so many cases ahead will take, the time of the batches themselves not counted.

        0 before the ninth batch.
        """
        return self.of_a_case_s * ahead if self.batches >= _HEARD else 0.0

    def allows(self, ahead: int, most_wait_s: float) -> bool:
        """Whether one more may wait behind so many cases.

        They may be expected to take that long; or as long as a batch takes whatever it holds, so that callers
        who share one batch are not refused because it is slow.
        """
        return self.wait_s(ahead) <= max(most_wait_s, self.of_a_batch_s)

    @property
    def gathers_s(self) -> float:
        """Seconds that a batch may be held so that more share it: what one batch less saves, 0.01 at most."""
        return min(self.of_a_batch_s, GATHERS_AT_MOST_S)


def again_in_s(wait_s: float) -> int:
    """Whole seconds after which to ask again, at least 1."""
    return max(1, math.ceil(wait_s))
