"""Why an answer does not count: one table of plain words, the same in every screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from hitl_mlops.overrides.record import ScreenedAnswer
from hitl_mlops.review.answer import HANDED_UP, Answer


class Reason(StrEnum):
    """Every reason for which an answer is refused. They name no value: they stand in the trail."""

    UNKNOWN_TICKET = "the task belongs to no ticket of ours"
    UNKNOWN_REVIEWER = "the account is not on the roster, or not active"
    LACKS_SKILL = "the ticket asks for a skill that the reviewer does not have"
    MEANT_FOR_ANOTHER = "the ticket is meant for another person"
    CLAIMED_BY_ANOTHER = "another person had claimed the ticket"
    EDITED_BY_ANOTHER = "another account changed the answer after it was given"
    NO_CLASS = "no class was chosen"
    UNKNOWN_CLASS = "the class is not one of the task's"
    CONTRADICTION = "the decision and the class contradict each other"
    NO_RATIONALE = "the written reason is missing or too short"
    NO_TIME = "the desk measured no time for it"
    TOO_FAST = "it was given faster than a person can read"
    TOO_SLOW = "it took longer than a person stays on one case"
    FROM_THE_FUTURE = "it was given at a time that has not come yet"
    ALREADY_ANSWERED = "the same person has answered this ticket already"
    SELF_CONFIRMED = "whoever answered the case before cannot have the last word on it"
    OTHER_CONTENT = "its content changed while its time of change did not"


BINDING = frozenset(
    {
        Reason.UNKNOWN_TICKET,
        Reason.UNKNOWN_REVIEWER,
        Reason.NO_CLASS,
        Reason.UNKNOWN_CLASS,
        Reason.ALREADY_ANSWERED,
        Reason.SELF_CONFIRMED,
    }
)
"""What nobody can release an answer from: there would be no decision, person or class to count it for."""

BARRING = (
    Reason.LACKS_SKILL,
    Reason.MEANT_FOR_ANOTHER,
    Reason.CLAIMED_BY_ANOTHER,
    Reason.SELF_CONFIRMED,
)
"""What only ticket and person together tell."""


def must_name_a_class(answer: Answer) -> bool:
    """The answer is no use without a class: it neither passes on the task nor hands it up."""
    return not answer.skipped and answer.verdict not in HANDED_UP


def person_and_ticket(answer: Answer) -> tuple[str, str]:
    """What one answer is allowed for: (ticket id, account in lower case)."""
    return (answer.ticket_id or "", answer.reviewer.lower())


def refuse_repeats(
    answers: Sequence[Answer], reasons: Mapping[int, Sequence[Reason]], answered: frozenset[tuple[str, str]]
) -> list[ScreenedAnswer]:
    """Each answer with its reasons in the table's order, repeats refused.

    A repeat is an answer of someone who answered the same ticket before: in `answered`, or earlier in the
    batch by (answered_at, key) and without a reason against it. Who passed on a task has not answered it.

    Args:
        answers: the batch.
        reasons: position in the batch → reasons found so far; positions without any may be missing.
        answered: (ticket id, account) pairs known from before.
    """
    taken = set(answered)
    found = {place: set(reasons.get(place, ())) for place in range(len(answers))}
    for place in sorted(found, key=lambda at: (answers[at].answered_at, answers[at].key)):
        answer = answers[place]
        if answer.skipped:
            continue
        if person_and_ticket(answer) in taken:
            found[place].add(Reason.ALREADY_ANSWERED)
        elif not found[place]:
            taken.add(person_and_ticket(answer))
    return [
        ScreenedAnswer(answer, tuple(reason for reason in Reason if reason in found[place]))
        for place, answer in enumerate(answers)
    ]
