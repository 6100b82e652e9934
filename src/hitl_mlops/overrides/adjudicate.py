"""Where people differ, or hand a question up, somebody above them is asked, and has the last word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from hitl_mlops.ids import content_id
from hitl_mlops.overrides.record import KeptAnswer
from hitl_mlops.review.interface import said_before
from hitl_mlops.review.open import Deadlines
from hitl_mlops.review.ticket import Ticket, TicketKind, TicketState, ticket_id_of
from hitl_mlops.routing.policy import Policy


def lane_above(policy: Policy, lane: str) -> str:
    """The lane that decides what one lane could not: the next of the escalation steps above it.

    Lanes of the policy rise as its routes do; those that only the escalation names, such as `supervisor`,
    stand above them in the order in which it names them. Above the last there is none: others of the same
    lane decide. Without escalation steps it is the closed route.

    >>> from hitl_mlops.routing.policy_file import parse_policy
    >>> said = "{routes: {auto: {confidence: '>= 0.9'}, standard: {}, senior: {}}, escalation: "
    >>> policy = parse_policy(said + "[{after: 50%, to: senior}, {after: 4h, to: supervisor}]}")
    >>> lane_above(policy, "standard"), lane_above(policy, "senior"), lane_above(policy, "supervisor")
    ('senior', 'supervisor', 'supervisor')
    """
    routes = [plan.name for plan in policy.routes]
    named = dict.fromkeys(step.to for step in policy.escalation if step.to is not None)
    rising = [*(name for name in routes if name in named), *(name for name in named if name not in routes)]
    order = [*routes, *(name for name in rising if name not in routes)]
    place = order.index(lane) if lane in order else -1
    above = [name for name in rising if order.index(name) > place]
    return above[0] if above else lane if lane in rising else policy.closed_route


def _step_of(policy: Policy, lane: str) -> int:
    """How many steps of the ladder lead to that lane: a late ticket of it climbs on from there."""
    return max((place + 1 for place, step in enumerate(policy.escalation) if step.to == lane), default=0)


def adjudication_of(tied: Ticket) -> str:
    """The id of the ticket by which the tied one is decided; stable, so that opening again finds it."""
    if tied.kind is TicketKind.ADJUDICATION:
        return content_id("t", [tied.ticket_id, TicketKind.ADJUDICATION.value])
    return ticket_id_of(tied.decision_id, TicketKind.ADJUDICATION)


def adjudications(
    tied: Iterable[Ticket],
    said: Mapping[str, Sequence[KeptAnswer]],
    policy: Policy,
    deadlines: Deadlines,
    *,
    known: AbstractSet[str] = frozenset(),
    now: datetime,
) -> list[Ticket]:
    """The tickets by which the tied ones are decided, each once.

    Whoever decides sees the case, what the others answered, and what the model said unless the tied ticket
    hid it; one signature is enough, and it needs a reason as any answer.

    Args:
        tied: tickets on which people differ, or which somebody handed up.
        said: ticket id → the answers to it that count.
        policy: which lane stands above which.
        deadlines: how soon each lane answers, and what that takes.
        known: ids of those that were opened before.
        now: when they are opened.
    """
    opened: dict[str, Ticket] = {}
    for ticket in tied:
        ticket_id, lane = adjudication_of(ticket), lane_above(policy, ticket.lane)
        if ticket_id in known or ticket_id in opened:
            continue
        is_route = any(plan.name == lane for plan in policy.routes)
        answers = [one.answer for one in said.get(ticket.ticket_id, ())]
        opened[ticket_id] = replace(
            ticket,
            ticket_id=ticket_id,
            kind=TicketKind.ADJUDICATION,
            lane=lane,
            signatures=1,
            opened_at=now,
            due_at=deadlines.due(lane, now),
            shown={**ticket.shown, "said_html": ticket.shown.get("said_html", "") + said_before(answers)},
            state=TicketState.WAITING,
            task_id=None,
            skill=deadlines.skills.get(lane, None if is_route else lane),
            meant_for=None,
            step=_step_of(policy, lane),
            blind_first=False,
            stages=(),
            decides=ticket.decides or ticket.kind,
        )
    return list(opened.values())
