"""Words, outcomes and callbacks for tests: each is a sensible one, changed where the test says so."""

from __future__ import annotations

from typing import Any

from hitl_mlops.callbacks.record import Callback
from hitl_mlops.recourse.record import Outcome, Word
from tests.builders import NOW


def a_word(**changes: Any) -> Word:
    return Word(**({"by": "r1", "reason": "the amount is wrong", "at": NOW, "through": "webshop"} | changes))


def an_outcome(**changes: Any) -> Outcome:
    plain: dict[str, Any] = {
        "decision_id": "d_1",
        "revision": 1,
        "label": "yes",
        "at": NOW,
        "source": "chargebacks",
        "by": "r1",
        "told_at": NOW,
        "through": "webshop",
    }
    return Outcome(**(plain | changes))


def a_callback(**changes: Any) -> Callback:
    plain = {"decision_id": "d_1", "url": "https://shop.example/hitl", "application": "webshop", "at": NOW}
    return Callback(**(plain | changes))
