"""The escalation ladder, and how far a ticket has to climb it by now. Pure.

Where a ticket stands depends on when it was opened and on its deadline, and not on how often anybody looked:
who looks late finds the same steps, each with the time at which it was due.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hitl_mlops.ids import content_id
from hitl_mlops.review.moves import REJECTING, Move, What
from hitl_mlops.review.roster import RUNGS, Tier
from hitl_mlops.review.ticket import Ticket, TicketKind
from hitl_mlops.routing.policy import Escalation, Policy

CLIMBING = REJECTING | {TicketKind.SPOT_CHECK, TicketKind.COMPLAINT}
"""Kinds that climb. A spot check looks like a review, so it does; nobody waits for the others."""
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder.

    Attributes:
        share: of the time allowed that has passed; None where `past` counts.
        past: time past the deadline; None where `share` counts.
        lane: where it goes; None: it stays.
        skill: what is asked of whoever answers it there; None: nothing, or it stays.
        what: what the step does.
    """

    share: float | None
    past: timedelta | None
    lane: str | None
    skill: str | None
    what: What

    def due(self, opened_at: datetime, due_at: datetime) -> datetime:
        """When the step is due for a ticket of that opening and deadline; `NEVER` beyond the calendar."""
        try:
            if self.share is not None:
                return opened_at + self.share * (due_at - opened_at)
            return due_at + (self.past or timedelta(0))
        except OverflowError:
            return NEVER


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps of one policy.

    Attributes:
        rungs: in the order in which they are climbed; nothing comes after one that expires.
        ladder_id: names their content.
        version: the policy's number.
    """

    rungs: tuple[Rung, ...] = ()
    ladder_id: str = ""
    version: int = 0

    def moments(self, opened_at: datetime, due_at: datetime) -> list[datetime]:
        """When each step is due; never earlier than the one before it."""
        found: list[datetime] = []
        for rung in self.rungs:
            moment = rung.due(opened_at, due_at)
            found.append(max(found[-1], moment) if found else moment)
        return found


def ladder_of(policy: Policy) -> Ladder:
    """The ladder of a policy; a word that is no route is a skill, and the name of its lane."""
    skills = {plan.name: plan.skill for plan in policy.routes}
    rungs: list[Rung] = []
    for step in policy.escalation:
        rungs.append(_rung(step, skills))
        if rungs[-1].what is What.EXPIRED:
            break
    content = [[one.share, _seconds(one.past), one.lane, one.skill, one.what.value] for one in rungs]
    return Ladder(tuple(rungs), content_id("ladder", content), policy.version)


def climb(ticket: Ticket, ladder: Ladder, now: datetime) -> list[Move]:
    """The steps that the ticket has yet to take by now, in order; none where it stands as it must.

    Args:
        ticket: unanswered; its deadline does not move.
        ladder: the steps.
        now: the time.
    """
    if ticket.kind not in CLIMBING or not ladder.rungs:
        return []
    moments = ladder.moments(ticket.opened_at, ticket.due_at)
    standing = ticket
    moves: list[Move] = []
    for place, due_at in enumerate(moments):
        what = _what(ladder.rungs[place], ticket.kind)
        # One that expired is open again where its late answer was taken back: then it expires again.
        if due_at <= now and (place >= ticket.step or what is What.EXPIRED):
            until = moments[place + 1] if place + 1 < len(moments) else None
            moves.append(_move(standing, ladder, place, what, due_at, until, now))
            standing = replace(standing, lane=moves[-1].lane, skill=moves[-1].skill)
    return moves


def _what(rung: Rung, kind: TicketKind) -> What:
    """What the step does; a complaint is heard, however late."""
    is_heard = rung.what is What.EXPIRED and kind is TicketKind.COMPLAINT
    return What.LEFT_WAITING if is_heard else rung.what


def _move(
    ticket: Ticket,
    ladder: Ladder,
    place: int,
    what: What,
    due_at: datetime,
    until: datetime | None,
    now: datetime,
) -> Move:
    lane, skill = _handed(ticket, ladder.rungs[place])
    stays = what is What.HANDED_UP and (lane, skill) == (ticket.lane, ticket.skill)
    return Move(
        ticket_id=ticket.ticket_id,
        decision_id=ticket.decision_id,
        step=place + 1,
        what=What.REMINDED if stays else what,
        lane=lane,
        skill=skill,
        skill_before=ticket.skill,
        due_at=due_at,
        happened_at=now,
        until=until,
        ladder=ladder.ladder_id,
    )


def _handed(ticket: Ticket, rung: Rung) -> tuple[str, str | None]:
    """Lane and skill after the step: the rung's, unless the ticket asks for a higher tier already."""
    if rung.lane is None or (_tier(rung.skill) < _tier(ticket.skill)):
        return ticket.lane, ticket.skill
    return rung.lane, rung.skill


def _tier(skill: str | None) -> Tier:
    """The tier that the skill is; of one that is none, the specialists', who have such skills."""
    return Tier.REVIEWER if skill is None else RUNGS.get(skill, Tier.SPECIALIST)


def _rung(step: Escalation, skills: Mapping[str, str | None]) -> Rung:
    if step.to is not None:
        skill = skills.get(step.to, step.to)
        return Rung(step.after_frac, step.after, step.to, skill, What.HANDED_UP)
    what = What.REMINDED if step.remind else What.EXPIRED if step.then == "reject" else What.LEFT_WAITING
    return Rung(step.after_frac, step.after, None, None, what)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
