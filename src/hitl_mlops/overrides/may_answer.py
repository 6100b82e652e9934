"""Whether the person who answered a ticket is one whom it asks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from hitl_mlops.overrides.consensus import Asked
from hitl_mlops.overrides.reasons import Reason, person_and_ticket
from hitl_mlops.review.answer import Answer
from hitl_mlops.review.claims import Claim
from hitl_mlops.review.moves import Move
from hitl_mlops.review.roster import Roster


def barred(
    answers: Iterable[Answer],
    asked: Mapping[str, Asked],
    moves: Mapping[str, Sequence[Move]],
    roster: Roster,
    reviewers: Mapping[str, str],
    claims: Mapping[str, Sequence[Claim]],
) -> dict[Reason, frozenset[str]]:
    """Reason → keys of the answers of people whom their ticket does not ask; without any, nothing.

    What counts is what the ticket asked for when the answer was given: it may have climbed since. An unknown
    ticket or person is no matter of this: the screen has a reason of its own for it. Without a roster nobody
    is known to lack a skill.

    Args:
        answers: the answers.
        asked: ticket id → what is asked.
        moves: ticket id → its steps on the escalation ladder.
        roster: who can do what.
        reviewers: account (lower case) → roster id of who may answer.
        claims: task id → the claims on that sheet.
    """
    reasons = (Reason.LACKS_SKILL, Reason.MEANT_FOR_ANOTHER, Reason.CLAIMED_BY_ANOTHER)
    found: dict[Reason, set[str]] = {reason: set() for reason in reasons}
    for answer in answers:
        ticket, person = asked.get(answer.ticket_id or ""), reviewers.get(answer.reviewer.lower())
        if ticket is None or person is None:
            continue
        known = roster.named(person)
        skill = ticket.skill_for(answer.task_id, moves.get(ticket.ticket_id, ()), answer.answered_at)
        if known is not None and not known.can(skill):
            found[Reason.LACKS_SKILL].add(answer.key)
        if ticket.meant_for not in (None, person):
            found[Reason.MEANT_FOR_ANOTHER].add(answer.key)
        holders = {one.person for one in claims.get(answer.task_id, ()) if one.holds(answer.answered_at)}
        if holders and person not in holders:
            found[Reason.CLAIMED_BY_ANOTHER].add(answer.key)
    return {reason: frozenset(keys) for reason, keys in found.items() if keys}


def self_confirmed(
    answers: Iterable[Answer], bound: AbstractSet[tuple[str, str]]
) -> dict[Reason, frozenset[str]]:
    """`Reason.SELF_CONFIRMED` → keys of the answers of people who answered the case before; else nothing.

    Args:
        answers: the answers.
        bound: (ticket id, account in lower case) of those people, of tickets where others have the last word.
    """
    keys = frozenset(answer.key for answer in answers if person_and_ticket(answer) in bound)
    return {Reason.SELF_CONFIRMED: keys} if keys else {}
