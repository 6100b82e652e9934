"""The screen in plain Python: the twin, and the meaning of every reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hitl_mlops.overrides.reasons import BARRING, Reason, must_name_a_class, refuse_repeats
from hitl_mlops.overrides.record import ScreenedAnswer
from hitl_mlops.overrides.screen import Known, ScreenPolicy
from hitl_mlops.review.answer import Answer

Check = Callable[[Answer, Known, ScreenPolicy], bool]


def _barred(reason: Reason) -> Check:
    return lambda answer, known, _: answer.key in known.barred.get(reason, ())


_REFUSES_IF: dict[Reason, Check] = {
    Reason.UNKNOWN_TICKET: lambda answer, known, _: answer.ticket_id not in known.tickets,
    Reason.UNKNOWN_REVIEWER: lambda answer, known, _: answer.reviewer.lower() not in known.reviewers,
    **{reason: _barred(reason) for reason in BARRING},
    Reason.EDITED_BY_ANOTHER: lambda answer, *_: answer.edited_by.lower() != answer.reviewer.lower(),
    Reason.NO_CLASS: lambda answer, *_: answer.label is None and must_name_a_class(answer),
    Reason.UNKNOWN_CLASS: lambda answer, known, _: (
        answer.label is not None and answer.label not in known.classes
    ),
    Reason.CONTRADICTION: lambda answer, *_: answer.contradicts_itself,
    Reason.NO_RATIONALE: lambda answer, _, policy: len(answer.rationale.strip()) < policy.min_rationale_chars,
    Reason.NO_TIME: lambda answer, *_: math.isnan(_measured(answer)),
    Reason.TOO_FAST: lambda answer, _, policy: _measured(answer) < policy.min_seconds,
    Reason.TOO_SLOW: lambda answer, _, policy: _measured(answer) > policy.max_seconds,
    Reason.FROM_THE_FUTURE: lambda answer, known, policy: (
        (answer.answered_at - known.now).total_seconds() > policy.max_ahead_s
    ),
}


def _measured(answer: Answer) -> float:
    """Seconds, NaN where the desk measured none: neither too few nor too many."""
    seconds = answer.seconds
    return seconds if seconds is not None and math.isfinite(seconds) else math.nan


@dataclass(frozen=True, slots=True)
class PlainScreen:
    """Checks each answer by a table of reasons."""

    policy: ScreenPolicy = field(default_factory=ScreenPolicy)

    def screen(self, answers: Sequence[Answer], known: Known) -> list[ScreenedAnswer]:
        """As the port says."""
        reasons = {
            place: [reason for reason, refuses in _REFUSES_IF.items() if refuses(answer, known, self.policy)]
            for place, answer in enumerate(answers)
            if not answer.skipped
        }
        return refuse_repeats(answers, reasons, known.answered)
