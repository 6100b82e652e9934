"""Whom to tell, and how far each telling has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hitl_mlops.ids import content_id


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    """It is tried when it is due."""
    DELIVERED = "delivered"
    """The application has it."""
    FAILED = "failed"
    """It was tried as often as it is tried; `hitl callback retry` tries it anew."""


@dataclass(frozen=True, slots=True)
class Callback:
    """An application wants to be told of a decision.

    Attributes:
        decision_id: the decision.
        url: where it listens.
        application: name of the token that asked; its secret signs.
        at: when it asked.
    """

    decision_id: str
    url: str
    application: str
    at: datetime

    @property
    def callback_id(self) -> str:
        """The same for the same decision, address and application."""
        return content_id("cb", [self.decision_id, self.url, self.application])


@dataclass(frozen=True, slots=True)
class Delivery:
    """One change of a decision that one application is told of.

    Attributes:
        delivery_id: stable for callback and cause, so that it is known when it comes twice.
        callback_id: whom to tell.
        decision_id: of which decision.
        url: where to.
        application: whose secret signs.
        cause: id of the resolution, or of what else changed how the decision stands.
        state: how far it has come.
        attempts: how often it was tried, or is being tried.
        due_at: when it is tried next; while it is being tried, when another may take it over.
        last: what came of the last attempt, in words; empty before the first.
    """

    delivery_id: str
    callback_id: str
    decision_id: str
    url: str
    application: str
    cause: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    last: str = ""


def delivery_of(callback: Callback, cause: str, now: datetime) -> Delivery:
    """The first form of a delivery: due at once."""
    name = callback.callback_id
    return Delivery(
        delivery_id=content_id("msg", [name, cause]),
        callback_id=name,
        decision_id=callback.decision_id,
        url=callback.url,
        application=callback.application,
        cause=cause,
        state=DeliveryState.WAITING,
        attempts=0,
        due_at=now,
    )
