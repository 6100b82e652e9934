"""What became of cases like these: the latest that people resolved, held ready for those that come."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.nearest import Known, learn, nearest
from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.decisions.record import Case
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.review.page_why import PastCase

if TYPE_CHECKING:
    from hitl_mlops.routing.likeness import Yardstick

LOOKED_BACK = 2_000
"""Resolved cases that are held: the latest."""
HELD_FOR = timedelta(minutes=1)
"""So long they are held before it is looked whether there are more."""
SHOWN = 3
AT_ONCE = 500
"""Cases that are looked for at a time: with 2,000 held, 8 MB of distances."""
_told = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    at: datetime
    cases: tuple[PastCase, ...]
    known: Known | None


@dataclass(slots=True)
class PastCases:
    """Finds similar cases among the latest that people resolved.

    Attributes:
        book: what people said.
        log: what they said it of.
        yardstick: gives how inputs are compared.
        clock: the time.
    """

    book: AnswerBook
    log: DecisionLog
    yardstick: Callable[[], Yardstick]
    clock: Callable[[], datetime]
    _held: _Held | None = field(default=None, init=False)

    def similar(self, cases: Sequence[Case]) -> dict[str, tuple[PastCase, ...]]:
        """Case id → the three nearest others that people have resolved, the nearest first.

        Only reviews and spot checks count. What fails is left out: a page without them is still a page.
        """
        try:
            return self._similar(cases)
        except Exception as error:  # noqa: BLE001 - no ticket waits for what only helps to judge
            _told.warning("similar cases are left out: %s", type(error).__name__)
            return {}

    def _similar(self, cases: Sequence[Case]) -> dict[str, tuple[PastCase, ...]]:
        held = self._hold()
        if held.known is None or not cases:
            return {}
        found: dict[str, tuple[PastCase, ...]] = {}
        for start in range(0, len(cases), AT_ONCE):
            some = cases[start : start + AT_ONCE]
            places = nearest(held.known.distances(inputs_frame(some)), SHOWN + 1)
            for case, row in zip(some, places.tolist(), strict=True):
                others = (held.cases[place] for place in row)
                found[case.case_id] = tuple(one for one in others if one.case_id != case.case_id)[:SHOWN]
        return found

    def _hold(self) -> _Held:
        now = self.clock()
        if self._held is None or not self._held.at <= now < self._held.at + HELD_FOR:
            self._held = self._read(now)
        return self._held

    def _read(self, now: datetime) -> _Held:
        said = self.book.latest_resolutions(LOOKED_BACK)
        decided = self.log.many({one.decision_id for one in said})
        cases: Mapping[str, Case] = self.log.cases({one.case_id for one in decided.values()})
        latest = {one.decision_id: one for one in said if one.decision_id in decided}
        kept = [one for one in latest.values() if decided[one.decision_id].case_id in cases]
        past = tuple(
            PastCase(decided[one.decision_id].case_id, one.model_label, one.label, one.resolved_at)
            for one in kept
        )
        inputs = inputs_frame([cases[one.case_id] for one in past])
        return _Held(now, past, learn(inputs, self.yardstick()) if past else None)
