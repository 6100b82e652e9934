"""The port of the screen. Twin `screen_plain`, real adapter `screen_great_expectations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hitl_mlops.overrides.reasons import Reason
from hitl_mlops.overrides.record import ScreenedAnswer
from hitl_mlops.review.answer import Answer


@dataclass(frozen=True, slots=True)
class ScreenPolicy:
    """What an answer must be to count.

    Attributes:
        min_seconds: faster than a person can read, lead time in seconds.
        max_seconds: longer than a person stays on one case, lead time in seconds.
        min_rationale_chars: shortest written reason that counts, in characters; 0 asks for none.
        max_ahead_s: how far the desk's clock may run ahead of ours before an answer is from the future.
    """

    min_seconds: float = 0.5
    max_seconds: float = 8 * 3600.0
    min_rationale_chars: int = 3
    max_ahead_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about tickets and people when answers are screened.

    Attributes:
        classes: labels that exist.
        tickets: ids of tickets that were opened.
        reviewers: desk account (lower case) → roster id, of the active people.
        answered: (ticket id, account in lower case) pairs that already have an accepted answer from
            another annotation.
        now: the time of screening; answers from the future are refused.
        barred: reason → keys of the answers that it stands against: what only ticket and person together
            tell, `may_answer.barred`.
    """

    classes: frozenset[str]
    tickets: frozenset[str]
    reviewers: Mapping[str, str]
    answered: frozenset[tuple[str, str]]
    now: datetime
    barred: Mapping[Reason, frozenset[str]] = field(default_factory=dict)


class Screen(Protocol):
    """Checks answers; refuses with every reason, not the first."""

    def screen(self, answers: Sequence[Answer], known: Known) -> list[ScreenedAnswer]:
        """Each answer, in the same order, with all reasons against it (`reasons.Reason`, in that order).

        Of several first answers of one person to one ticket within the batch, the earliest passes. Whoever
        skips a task is not refused: the answer gives no label. Who escalates need name no class. A lead
        time that is missing or no number is a reason. An empty batch gives an empty list.
        """
        ...
