"""The verb: what waits in the outbox is delivered, at least once, by whoever comes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hitl_mlops.callbacks.address import check_address
from hitl_mlops.callbacks.book import CallbackBook
from hitl_mlops.callbacks.decide import Attempt, settled
from hitl_mlops.callbacks.post import Post
from hitl_mlops.callbacks.record import Delivery
from hitl_mlops.callbacks.sign import headers_of
from hitl_mlops.errors import HitlError
from hitl_mlops.ids import canonical_json, instant

AT_ONCE = 8
"""Deliveries that one courier has in its hands: each has its thread, so that no claim runs out in a queue."""
CHANGED = "decision.changed"


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers what is due. Any number of them may run: a delivery is in one's hands at a time.

    Killed between the application's 200 and its record, a delivery comes again under the same id.

    Attributes:
        book: the outbox.
        post: how a delivery leaves.
        message: decision id → what is told of it, as it stands now.
        secret: application → the secret that signs.
        allowed: prefixes of addresses that may be called now.
        clock: tells the time.
    """

    book: CallbackBook
    post: Post
    message: Callable[[str], Mapping[str, Any]]
    secret: Callable[[str], str]
    allowed: Sequence[str]
    clock: Callable[[], datetime]

    def deliver(self) -> list[Delivery]:
        """Up to eight deliveries that were due, after one attempt each; empty where nothing was due."""
        mine = self.book.claim(self.clock(), AT_ONCE)
        if not mine:
            return []
        with ThreadPoolExecutor(len(mine), thread_name_prefix="callback") as threads:
            attempts = list(threads.map(self._attempt, mine))
        done = [settled(one, what, self.clock()) for one, what in zip(mine, attempts, strict=True)]
        return self.book.settle(done)

    def deliver_all(self) -> list[Delivery]:
        """As `deliver`, until nothing is due."""
        done: list[Delivery] = []
        while some := self.deliver():
            done += some
        return done

    def _attempt(self, delivery: Delivery) -> Attempt:
        try:
            check_address(delivery.url, self.allowed)
            now = self.clock()
            said = {"type": CHANGED, "timestamp": instant(now), "data": self.message(delivery.decision_id)}
            body = canonical_json(said)
            headers = headers_of(delivery.delivery_id, body, self.secret(delivery.application), now)
        except HitlError as error:
            return Attempt(taken=False, told=error.fact)
        return self.post(delivery.url, body, headers)
