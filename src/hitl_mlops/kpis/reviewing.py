"""What reviewing takes, and what a corrected output costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hitl_mlops.overrides.record import Resolution
from hitl_mlops.review.budget import SECONDS_PER_HOUR, TimedAnswer


@dataclass(frozen=True, slots=True)
class ReviewingFigures:
    """Of all answers that count.

    Attributes:
        answers: how many.
        timed: of those, the ones whose time the desk measured.
        hours: that the timed ones took.
        corrected: decisions that people put right, whatever they were asked for.
        hours_per_corrected: as if the others took as long; None where nothing was corrected or timed.
        cost_per_corrected: the same in the unit of `review.cost_per_hour`; None where the policy has none.
        error_tags: what people said was wrong → in how many answers, the commonest first.
    """

    answers: int = 0
    timed: int = 0
    hours: float = 0.0
    corrected: int = 0
    hours_per_corrected: float | None = None
    cost_per_corrected: float | None = None
    error_tags: Mapping[str, int] = field(default_factory=dict)


def reviewing_figures(
    answers: Sequence[TimedAnswer], resolutions: Sequence[Resolution], cost_per_hour: float | None = None
) -> ReviewingFigures:
    """The figures; nothing answered gives zeros and None.

    >>> from datetime import UTC, datetime
    >>> answer = TimedAnswer(datetime(2026, 3, 1, tzinfo=UTC), 36.0)
    >>> reviewing_figures([answer] * 100, []).hours
    1.0
    """
    seconds = [one.seconds for one in answers if one.seconds is not None]
    hours = sum(seconds) / SECONDS_PER_HOUR
    corrected = {one.decision_id for one in resolutions if one.override}
    each = hours * len(answers) / len(seconds) / len(corrected) if corrected and seconds else None
    return ReviewingFigures(
        answers=len(answers),
        timed=len(seconds),
        hours=hours,
        corrected=len(corrected),
        hours_per_corrected=each,
        cost_per_corrected=None if each is None or cost_per_hour is None else each * cost_per_hour,
        error_tags=dict(Counter(tag for one in answers for tag in one.error_tags).most_common()),
    )
