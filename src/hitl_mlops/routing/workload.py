"""What a stream of questions asks of people: when it comes, and who is answered too late. Pure."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

HOURS = 24
_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class HourLoad:
    """What comes in one hour of the day.

    Attributes:
        hour: from 0 to 23, in UTC.
        mean: reviews asked for in it, over all days of the record.
        peak: the same on its busiest day.
    """

    hour: int
    mean: float
    peak: int


@dataclass(frozen=True, slots=True)
class Queue:
    """How a staff that closes so many reviews an hour comes through.

    Attributes:
        tickets: decisions that people were asked about.
        late: of those, closed after their deadline.
        longest_wait_h: hours from decision to close, at the most; 0 where nobody was asked.
    """

    tickets: int
    late: int
    longest_wait_h: float


def load_by_hour(at: pd.DatetimeIndex, reviews: npt.NDArray[np.int64]) -> tuple[HourLoad, ...]:
    """Reviews by hour of the day, all 24 of them, over the days from the first decision to the last.

    Args:
        at: when each was decided, aware; not empty.
        reviews: how many answers each asks for.
    """
    moments = at.tz_convert("UTC")
    days = (moments - moments.min().normalize()).days.to_numpy()
    table = np.zeros((days.max() + 1, HOURS), dtype=np.int64)
    np.add.at(table, (days, moments.hour.to_numpy()), reviews)
    return tuple(
        HourLoad(hour, float(table[:, hour].mean()), int(table[:, hour].max())) for hour in range(HOURS)
    )


def work_off(
    at: pd.DatetimeIndex,
    reviews: npt.NDArray[np.int64],
    within_h: npt.NDArray[np.float64],
    *,
    per_hour: float,
) -> Queue:
    """The questions are closed one after the other, earliest deadline first, then first come.

    A deterministic queue: the staff works day and night as one, each review takes 1 / `per_hour` of an hour,
    a question that is begun is finished, and a decision with two signatures takes two reviews. Skills, shifts
    and answers that differ are left out, so the real team is no faster than this.

    Args:
        at: when each was decided, aware.
        reviews: how many answers each asks for; 0: nobody is asked.
        within_h: hours that people have.
        per_hour: reviews that the staff closes in an hour, > 0.

    >>> at = pd.DatetimeIndex(["2026-03-01T08:00Z"] * 3)
    >>> work_off(at, np.array([1, 1, 0]), np.array([2.0, 0.75, 1.0]), per_hour=1.0)
    Queue(tickets=2, late=1, longest_wait_h=2.0)
    """
    asked = np.flatnonzero(reviews > 0)
    if not asked.size:
        return Queue(0, 0, 0.0)
    seconds = (at[asked] - at.min()).total_seconds().to_numpy()
    order = np.argsort(seconds, kind="stable")
    came, asked = seconds[order], asked[order]
    due = came + within_h[asked] * _SECONDS
    closed = _closed(came, due, np.asarray(reviews[asked] * _SECONDS / per_hour, dtype=np.float64))
    return Queue(len(asked), int((closed > due).sum()), float((closed - came).max()) / _SECONDS)


def _closed(
    came: npt.NDArray[np.float64], due: npt.NDArray[np.float64], takes: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """When each is closed; all arrays in seconds, in the order in which they came."""
    arrivals, deadlines, efforts = came.tolist(), due.tolist(), takes.tolist()
    closed, waiting, place, now = np.empty(len(came)), list[tuple[float, int]](), 0, 0.0
    while place < len(arrivals) or waiting:
        if not waiting:
            now = max(now, arrivals[place])
        while place < len(arrivals) and arrivals[place] <= now:
            heapq.heappush(waiting, (deadlines[place], place))
            place += 1
        _, first = heapq.heappop(waiting)
        now += efforts[first]
        closed[first] = now
    return closed
