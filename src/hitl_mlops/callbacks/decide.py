"""When a delivery is tried, and what its attempts add up to. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hitl_mlops.callbacks.record import Delivery, DeliveryState

CLAIMED_FOR = timedelta(seconds=60)
"""So long a delivery that is being tried is nobody else's; longer than an attempt may take."""
PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3_600, 3 * 3_600, 8 * 3_600, 12 * 3_600))
"""From a failed attempt to the next: nine attempts in a day."""
LONGEST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt.

    Attributes:
        taken: the application has it.
        gone: it wants no more of this callback (410).
        told: in words, without what the application answered.
    """

    taken: bool
    told: str
    gone: bool = False


def claimed(delivery: Delivery, now: datetime) -> Delivery:
    """The delivery while it is being tried."""
    return replace(delivery, attempts=delivery.attempts + 1, due_at=now + CLAIMED_FOR)


def settled(delivery: Delivery, attempt: Attempt, now: datetime) -> Delivery:
    """The delivery after an attempt: taken, to be tried again, or given up."""
    told = attempt.told[:LONGEST_TOLD]
    if attempt.taken:
        return replace(delivery, state=DeliveryState.DELIVERED, last=told)
    if attempt.gone or delivery.attempts > len(PAUSES):
        return replace(delivery, state=DeliveryState.FAILED, last=told)
    return replace(delivery, due_at=now + PAUSES[delivery.attempts - 1], last=told)


def anew(delivery: Delivery, now: datetime) -> Delivery:
    """The delivery, due again as if it had never been tried; what was delivered stays so."""
    if delivery.state is DeliveryState.DELIVERED:
        return delivery
    return replace(delivery, state=DeliveryState.WAITING, attempts=0, due_at=now)
