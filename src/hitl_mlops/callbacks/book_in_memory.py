"""The twin of the outbox, for tests and dry runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from hitl_mlops.callbacks.book import no_delivery
from hitl_mlops.callbacks.decide import anew, claimed
from hitl_mlops.callbacks.record import Callback, Delivery, DeliveryState, delivery_of


class InMemoryCallbackBook:
    """Callbacks and deliveries in dicts; see `CallbackBook`."""

    def __init__(self) -> None:
        self._callbacks: dict[str, Callback] = {}
        self._deliveries: dict[str, Delivery] = {}

    def register(self, callback: Callback) -> bool:
        """The application is told from now on."""
        return self._callbacks.setdefault(callback.callback_id, callback) is callback

    def callbacks_of(self, decision_id: str) -> list[Callback]:
        """Who wants to be told of the decision."""
        found = (one for one in self._callbacks.values() if one.decision_id == decision_id)
        return sorted(found, key=lambda one: (one.at, one.callback_id))

    def announce(self, causes: Mapping[str, str], now: datetime) -> int:
        """Whoever wants to know is told."""
        wanted = [
            delivery_of(one, causes[one.decision_id], now)
            for one in self._callbacks.values()
            if one.decision_id in causes
        ]
        new = [one for one in wanted if one.delivery_id not in self._deliveries]
        self._deliveries |= {one.delivery_id: one for one in new}
        return len(new)

    def claim(self, now: datetime, at_most: int) -> list[Delivery]:
        """Deliveries that are due, now the caller's."""
        due = [
            one
            for one in self._deliveries.values()
            if one.state is DeliveryState.WAITING and one.due_at <= now
        ]
        chosen = sorted(due, key=lambda one: (one.due_at, one.delivery_id))[:at_most]
        mine = [claimed(one, now) for one in chosen]
        self._deliveries |= {one.delivery_id: one for one in mine}
        return mine

    def settle(self, tried: Sequence[Delivery]) -> list[Delivery]:
        """The deliveries are kept as they are now, save those that another has taken over."""
        mine = [one for one in tried if self._waits(one)]
        self._deliveries |= {one.delivery_id: one for one in mine}
        return mine

    def _waits(self, delivery: Delivery) -> bool:
        kept = self._deliveries.get(delivery.delivery_id)
        as_before = (delivery.attempts, DeliveryState.WAITING)
        return kept is not None and (kept.attempts, kept.state) == as_before

    def retry(self, delivery_id: str, now: datetime) -> Delivery:
        """The delivery is due now."""
        if delivery_id not in self._deliveries:
            raise no_delivery(delivery_id)
        self._deliveries[delivery_id] = anew(self._deliveries[delivery_id], now)
        return self._deliveries[delivery_id]

    def deliveries(self, state: DeliveryState | None = None, at_most: int = 100) -> list[Delivery]:
        """The latest due first."""
        chosen = (one for one in self._deliveries.values() if state is None or one.state is state)
        return sorted(chosen, key=lambda one: (one.due_at, one.delivery_id), reverse=True)[:at_most]

    def counts(self) -> Counter[DeliveryState]:
        """How many there are in each state."""
        return Counter(one.state for one in self._deliveries.values())
