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


LAST_WORD = frozenset({TicketKind.ADJUDICATION, TicketKind.COMPLAINT})
"""Kinds by which a supervisor decides what others answered differently, or what somebody complains of."""


class TicketState(StrEnum):
    """How far a ticket has come."""

    WAITING = "waiting"
    """In the outbox: not yet on the desk."""
    OPEN = "open"
    """On the desk."""
    TIED = "tied"
    """People differ or handed it up: an adjudicator is asked."""
    RESOLVED = "resolved"
    EXPIRED = "expired"
    """Nobody answered until the last timer ended; an answer that comes all the same counts."""
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question put to people about one decision.

    Each person who is asked finds it on a sheet of the desk of their own, so that nobody sees what another
    answered: the first sheet is copy 1.

    Attributes:
        ticket_id: stable for decision and kind, so that opening again finds it.
        decision_id: the decision asked about.
        kind: why people are asked. A reviewer never sees it.
        suggestion: the class that the model answered; empty where it gave none.
        lane: the route, `standard`, `senior`, …; spot checks and shadow tickets look like `standard`.
        signatures: how many distinct people must agree, ≥ 1.
        blind: the model's answer is not shown on this sheet.
        opened_at: when it was opened.
        due_at: the deadline.
        shown: all that the desk may display, and nothing else (see `interface.shown_values`).
        state: how far it has come.
        task_id: the desk's own id of it, once it is there.
        skill: what who answers must be able to do; None: anybody may.
        meant_for: roster id of the one person asked; None: whoever may.
        step: how many steps of the escalation ladder it has climbed.
        blind_first: the model's answer is not shown on the first sheet, and is on the others.
        stages: skills of those who sign one after another; empty where all are asked at once.
        copy: which of its sheets this is, from 1.
        decides: of an adjudication, the kind of the ticket that it decides: what its resolution counts as, so
            that hard cases are not missing from the figures.
        explained: it shows what helps to judge it; False: that is added before it is put on the desk.
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
    blind_first: bool = False
    stages: tuple[str, ...] = ()
    copy: int = 1
    decides: TicketKind | None = None
    explained: bool = True

    @property
    def sheet_id(self) -> str:
        """Names this sheet of the desk and no other."""
        return sheet_id_of(self.ticket_id, self.copy)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A further sheet of a ticket, for one more person.

    Attributes:
        ticket_id: the ticket.
        copy: its number, from 2.
        blind: the model's answer is not shown.
        skill: what who answers must be able to do; None: as the ticket says.
        task_id: the desk's id of it, once it is there.
        said_html: what is told of the answers before; empty where nothing is.
        closed: the desk offers it to nobody any more.
    """

    ticket_id: str
    copy: int
    blind: bool
    skill: str | None = None
    task_id: str | None = None
    said_html: str = ""
    closed: bool = False


def sheet_id_of(ticket_id: str, copy: int) -> str:
    """The id of a sheet: the ticket's own for the first.

    >>> sheet_id_of("t_1", 1), sheet_id_of("t_1", 2)
    ('t_1', 't_1/2')
    """
    return ticket_id if copy == 1 else f"{ticket_id}/{copy}"


def first_sheets(ticket: Ticket) -> list[Sheet]:
    """The further sheets that a ticket has from the first: one for each signature that is asked at once."""
    signatures = 1 if ticket.stages else ticket.signatures
    return [Sheet(ticket.ticket_id, copy, ticket.blind) for copy in range(2, signatures + 1)]


def ticket_id_of(decision_id: str, kind: TicketKind) -> str:
    """The id of the one ticket of that kind about that decision."""
    return content_id("t", [decision_id, kind.value])
