"""A question put to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hitl_mlops.ids import content_id


class TicketKind(StrEnum):
    """Why people are asked."""

    REVIEW = "review"
    SPOT_CHECK = "spot_check"
    ADJUDICATION = "adjudication"
    CALIBRATION = "calibration"
    SEED = "seed"
    SHADOW = "shadow"
    LEARNING = "learning"
    COMPLAINT = "complaint"


SAMPLED = frozenset({TicketKind.REVIEW, TicketKind.SPOT_CHECK})
"""Kinds that are drawn with the stored π; others are chosen by outcome, and their labels bias a rate."""

EXERCISES = frozenset({TicketKind.CALIBRATION, TicketKind.SEED})
"""Kinds that ask what is known already, to see how people judge: their answers resolve nothing."""


class TicketState(StrEnum):
    """How far a ticket has come."""

    WAITING = "waiting"
    """In the outbox: not yet on the desk."""
    OPEN = "open"
    """On the desk."""
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question put to people about one decision.

    Attributes:
        ticket_id: stable for decision and kind, so that opening again finds it.
        decision_id: the decision asked about.
        kind: why people are asked. A reviewer never sees it.
        suggestion: the class that the model answered; empty where it gave none.
        lane: the route, `standard`, `senior`, …; spot checks and shadow tickets look like `standard`.
        signatures: how many distinct people must agree, ≥ 1.
        blind: the model's answer is not shown.
        opened_at: when it was opened.
        due_at: the deadline.
        shown: all that the desk may display, and nothing else (see `interface.shown_values`).
        state: how far it has come.
        task_id: the desk's own id of it, once it is there.
        skill: what who answers must be able to do; None: anybody may.
        meant_for: roster id of the one person asked; None: whoever may.
        step: how many steps of the escalation ladder it has climbed.
    """

    ticket_id: str
    decision_id: str
    kind: TicketKind
    suggestion: str
    lane: str
    signatures: int
    blind: bool
    opened_at: datetime
    due_at: datetime
    shown: Mapping[str, Any]
    state: TicketState = TicketState.WAITING
    task_id: str | None = None
    skill: str | None = None
    meant_for: str | None = None
    step: int = 0


def ticket_id_of(decision_id: str, kind: TicketKind) -> str:
    """The id of the one ticket of that kind about that decision."""
    return content_id("t", [decision_id, kind.value])
