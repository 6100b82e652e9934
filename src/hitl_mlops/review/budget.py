"""How many questions to learn from fit into the week's hours, beside what people must answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from hitl_mlops.review.selection import RANDOM_SHARE
from hitl_mlops.routing.policy import Policy

WEEK = timedelta(days=7)
MEASURED_OVER = timedelta(days=28)
"""Answers of so long tell how long one takes."""
FEWEST_MEASURED = 10
SECONDS_EACH = 60.0
"""What an answer is taken to need until enough were measured."""
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class SelectionPolicy:
    """What the section `review` says of questions to learn from.

    Attributes:
        hours_per_week: of people's time for all questions; None: nothing is asked by itself.
        random_share: share of a batch that is drawn at random, in [0, 1].
        cost_per_hour: what an hour of reviewing costs, in a unit of the user's; None: not stated.
    """

    hours_per_week: float | None = None
    random_share: float = RANDOM_SHARE
    cost_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """One accepted answer.

    Attributes:
        at: when it was given.
        seconds: what it took, as the desk measured; None where it did not.
        error_tags: what was said to be wrong.
    """

    at: datetime
    seconds: float | None
    error_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of the week for questions to learn from.

    Attributes:
        hours: the week's budget; None: there is none.
        taken_h: hours that the answers of the last seven days took.
        promised_h: hours that the questions which wait for an answer will take.
        seconds_each: what one answer takes: the median of those measured.
        measured: on how many answers that rests; 0: nothing was measured, it is a guess.
        answers_each: how many answers a question to learn from asks for.
    """

    hours: float | None
    taken_h: float
    promised_h: float
    seconds_each: float
    measured: int
    answers_each: int = 1

    @property
    def left_h(self) -> float | None:
        """Hours left, ≥ 0; None without a budget."""
        return None if self.hours is None else max(0.0, self.hours - self.taken_h - self.promised_h)

    @property
    def fits(self) -> int | None:
        """So many questions fit into what is left; None: without a budget as many as are asked for."""
        return None if self.left_h is None else self.fitting(self.left_h)

    def fitting(self, hours: float) -> int:
        """So many questions fit into these hours."""
        return int(round(hours * SECONDS_PER_HOUR / (self.seconds_each * self.answers_each), 9))

    def hours_of(self, questions: int) -> float:
        """What so many questions will take."""
        return questions * self.answers_each * self.seconds_each / SECONDS_PER_HOUR


def selection_policy(policy: Policy) -> SelectionPolicy:
    """What the policy says; without a number of hours there is no budget."""
    said = policy.section("review")
    hours, cost = said.get("budget_hours_per_week"), said.get("cost_per_hour")
    return SelectionPolicy(
        hours_per_week=None if hours is None else float(hours),
        random_share=float(said.get("random_share", RANDOM_SHARE)),
        cost_per_hour=None if cost is None else float(cost),
    )


def room_left(
    hours: float | None,
    answers: Sequence[TimedAnswer],
    awaited: int,
    *,
    now: datetime,
    answers_each: int = 1,
) -> Room:
    """What is left of the budget: less what was answered in the last seven days and what waits for an answer.

    All questions count, also those that had to be asked: they come first, and what people learn from has what
    they leave. An answer without a time counts as the median.

    Args:
        hours: the week's; None: no budget.
        answers: accepted ones, of the last `MEASURED_OVER` or more; later than `now`: passed over.
        awaited: answers that open tickets wait for.
        now: the end of the week that is looked at.
        answers_each: how many answers a question to learn from asks for, ≥ 1.

    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 2, tzinfo=UTC)
    >>> room = room_left(2.0, [TimedAnswer(now, 90.0)] * 20, 10, now=now)
    >>> room.taken_h, room.promised_h, room.fits
    (0.5, 0.25, 50)
    """
    known = [
        one.seconds
        for one in answers
        if one.seconds is not None and one.seconds > 0 and now - MEASURED_OVER < one.at <= now
    ]
    measured = len(known) if len(known) >= FEWEST_MEASURED else 0
    each = float(median(known)) if measured else SECONDS_EACH
    week = [one for one in answers if now - WEEK < one.at <= now]
    taken = sum(each if one.seconds is None else one.seconds for one in week)
    promised = awaited * each / SECONDS_PER_HOUR
    return Room(hours, taken / SECONDS_PER_HOUR, promised, each, measured, answers_each)
