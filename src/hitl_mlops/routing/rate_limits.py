"""How many decisions may be automatic in a stretch of time; what is beyond that goes to people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from hitl_mlops.ids import content_id
from hitl_mlops.routing.conditions import Mask
from hitl_mlops.routing.switches import Scope

STRETCHES = 60
"""Into so many parts a limit's time is divided; the oldest counts whole, so a limit is never exceeded."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most so many automatic decisions in a scope and time.

    Attributes:
        scope: which decisions it counts.
        at_most: how many of them may be automatic.
        per: in what time, at every moment that much back.
    """

    scope: Scope
    at_most: int
    per: timedelta

    @property
    def limit_id(self) -> str:
        """What its counts are kept under: another number for the same scope and time goes on counting."""
        return content_id("l", [str(self.scope), self.per.total_seconds()])

    def __str__(self) -> str:
        """The limit in one line."""
        return f"{self.at_most} per {_spelled(self.per)} for {self.scope}"

    @property
    def stretch_s(self) -> int:
        """Seconds of one stretch, at least one."""
        return max(1, int(self.per.total_seconds()) // STRETCHES)

    def stretch(self, moment: datetime) -> int:
        """Where the stretch of that moment begins, seconds since 1970."""
        return int(moment.timestamp()) // self.stretch_s * self.stretch_s

    def counts_from(self, now: datetime) -> int:
        """The earliest beginning of a stretch of which some still lies within the time."""
        return self.stretch(now - self.per)


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit, and how much of it is used.

    Attributes:
        limit: the limit.
        used: automatic decisions in its scope and time.
    """

    limit: RateLimit
    used: int

    @property
    def left(self) -> int:
        """How many more may be automatic now, 0 or more."""
        return max(0, self.limit.at_most - self.used)


def beyond(budgets: Sequence[Budget], counted: Sequence[Mask]) -> list[Mask]:
    """For each budget the rows that it has no room for, in the rows' order, first come first served.

    A row that any budget refuses uses up none of them.

    Args:
        budgets: what is left.
        counted: for each budget the rows that it counts; all of shape (rows,).

    >>> limit = RateLimit(Scope(), 3, timedelta(hours=1))
    >>> beyond([Budget(limit, 1)], [np.array([True, False, True, True])])[0].tolist()
    [False, False, False, True]
    """
    if len(budgets) == 1:
        return [counted[0] & (np.cumsum(counted[0]) > budgets[0].left)]
    refused = [np.zeros_like(rows) for rows in counted]
    left = [budget.left for budget in budgets]
    for row in np.flatnonzero(np.logical_or.reduce(counted)).tolist() if budgets else ():
        own = [place for place, rows in enumerate(counted) if rows[row]]
        full = [place for place in own if left[place] == 0]
        for place in full:
            refused[place][row] = True
        for place in own if not full else ():
            left[place] -= 1
    return refused


def _spelled(span: timedelta) -> str:
    seconds = span.total_seconds()
    for letter, unit in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= unit and seconds % unit == 0:
            return f"{int(seconds // unit)}{letter}"
    return f"{seconds:g}s"
