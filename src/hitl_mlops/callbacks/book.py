"""The port of the outbox of callbacks. Twin `book_in_memory`, real adapter `book_sql`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from hitl_mlops.callbacks.record import Callback, Delivery, DeliveryState
from hitl_mlops.errors import NotFoundError


class CallbackBook(Protocol):
    """Who wants to be told of which decision, and every telling, kept with the change that it tells of."""

    def register(self, callback: Callback) -> bool:
        """The application is told of every change that is announced from now on; whether that is new.

        In an open transaction nobody announces anything until it ends, so that a change is either seen
        before or told afterwards.
        """
        ...

    def callbacks_of(self, decision_id: str) -> list[Callback]:
        """Who wants to be told of the decision, by time, then id."""
        ...

    def announce(self, causes: Mapping[str, str], now: datetime) -> int:
        """Whoever wants to know of these decisions (id → cause) is told; how many deliveries are new.

        Joins the transaction of the change. The same cause twice is one delivery.
        """
        ...

    def claim(self, now: datetime, at_most: int) -> list[Delivery]:
        """Deliveries that are due, now the caller's for `CLAIMED_FOR`, the longest due first."""
        ...

    def settle(self, tried: Sequence[Delivery]) -> list[Delivery]:
        """The deliveries are kept as they are now, save those that another has taken over; those kept."""
        ...

    def retry(self, delivery_id: str, now: datetime) -> Delivery:
        """A delivery that failed or waits is due now; raises NotFoundError."""
        ...

    def deliveries(self, state: DeliveryState | None = None, at_most: int = 100) -> list[Delivery]:
        """The latest due first."""
        ...

    def counts(self) -> Counter[DeliveryState]:
        """How many there are in each state."""
        ...


def no_delivery(delivery_id: str) -> NotFoundError:
    """The error that there is no such delivery."""
    return NotFoundError(f"There is no delivery {delivery_id!r}.", remedy="Run: hitl callback list")
