"""What may still be said of a decision. Pure: records in, a record out, or a refusal in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hitl_mlops.decisions.record import Decision
from hitl_mlops.errors import InputError, RefusedError
from hitl_mlops.ids import canonical_json, instant
from hitl_mlops.recourse.record import (
    Complaint,
    How,
    Outcome,
    Request,
    TakenBack,
    Word,
    complaint_id_of,
    digest_of,
)
from hitl_mlops.review.ticket import TicketKind, ticket_id_of
from hitl_mlops.routing.policy import Intervention

LONGEST_REASON = 2_000
LONGEST_NAME = 200
LONGEST_KEY = 200
CLOCKS_DIFFER = timedelta(minutes=5)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


def halt(decision: Decision, standing: TakenBack | None, word: Word) -> TakenBack:
    """The decision, halted; halted before, it stays as it was.

    Raises:
        InputError: no person or no reason.
        RefusedError: it does not run: nothing begins before people decide, it is done already, or its time is
            over: `data["reversible_until"]`.
    """
    _check(word)
    if standing is not None and standing.how is How.HALTED:
        return standing
    if decision.intervention is Intervention.BEFORE:
        raise RefusedError(
            f"{decision.decision_id} cannot be halted: on the route {decision.route} nothing begins before "
            "people have decided.",
            remedy="Answer its ticket; once people have decided, send a complaint.",
        )
    if decision.intervention is Intervention.AFTER:
        raise RefusedError(
            f"{decision.decision_id} cannot be halted: on the route {decision.route} it is done at once.",
            remedy=f"Reverse it {_until(decision)}." if decision.reversible_until else "Send a complaint.",
        )
    _check_in_time(decision, word.at, "halted")
    return TakenBack(decision.decision_id, How.HALTED, word)


def reverse(decision: Decision, standing: TakenBack | None, word: Word) -> TakenBack:
    """The decision, reversed; reversed before, it stays as it was.

    Raises:
        InputError: no person or no reason.
        RefusedError: it is not done, cannot be undone, or its time is over: `data["reversible_until"]`.
    """
    _check(word)
    if standing is not None and standing.how is How.REVERSED:
        return standing
    name = decision.decision_id
    if decision.intervention is Intervention.DURING:
        raise RefusedError(
            f"{name} cannot be reversed: on the route {decision.route} it is halted while it runs.",
            remedy="Halt it; once it is done, send a complaint.",
        )
    if decision.intervention is Intervention.BEFORE:
        raise RefusedError(
            f"{name} cannot be reversed: on the route {decision.route} people decide first, and their word "
            "holds.",
            remedy="Answer its ticket; once people have decided, send a complaint.",
        )
    if decision.reversible_until is None:
        raise RefusedError(
            f"{name} cannot be reversed: the policy gives the route {decision.route} no time for it.",
            remedy="Send a complaint; for decisions to come, set reversible_for in policy.yaml.",
        )
    _check_in_time(decision, word.at, "reversed")
    return TakenBack(name, How.REVERSED, word)


def revise(told: Outcome, before: Sequence[Outcome], classes: Collection[str]) -> Outcome:
    """The outcome as it is to be kept: the latest revision where it says the same, else a further one.

    Args:
        told: what is said now; its revision does not count.
        before: the revisions there are, oldest first.
        classes: the labels of the project.

    Raises:
        InputError: the label is no class, the time lies ahead or is no sensible one, or there is no source.
    """
    if told.label not in classes:
        raise InputError(
            f"{told.label[:80]!r} is no class of this project.",
            remedy=f"Choose from {', '.join(sorted(classes)[:20])}.",
            label=told.label,
        )
    check_text(told.source, "source", LONGEST_NAME)
    if not EARLIEST <= told.at <= told.told_at + CLOCKS_DIFFER:
        raise InputError(
            "The outcome's time lies ahead."
            if told.at > told.told_at
            else "The outcome's time is too early.",
            remedy="Send when it happened, with its offset: 2026-03-01T12:00:00+00:00.",
        )
    latest = before[-1] if before else None
    if latest is not None and (latest.label, latest.at, latest.source) == (told.label, told.at, told.source):
        return latest
    number = 1 if latest is None else latest.revision + 1
    return replace(told, revision=number)


def complain(
    decision: Decision,
    before: Sequence[Complaint],
    word: Word,
    request: Request | None,
    *,
    within: timedelta,
) -> Complaint:
    """The complaint; made before, it stays as it was.

    Args:
        decision: what it is about.
        before: the complaints about it so far.
        word: who complains, and why.
        request: by which a repetition is known; None: by person and reason.
        within: how long after the decision a complaint is heard.

    Raises:
        InputError: no person or no reason.
        RefusedError: the window is over: `data["until"]`.
    """
    _check(word)
    complaint_id = complaint_id_of(decision.decision_id, word, request)
    for one in before:
        if one.complaint_id == complaint_id:
            return one
    until = decision.at + within
    if word.at > until:
        raise RefusedError(
            f"A complaint about {decision.decision_id} could be made until {_told(until)}; that is over.",
            remedy="Tell what really happened as an outcome instead.",
            until=instant(until),
        )
    ticket_id = ticket_id_of(f"{decision.decision_id} {complaint_id}", TicketKind.COMPLAINT)
    return Complaint(complaint_id, decision.decision_id, word, ticket_id)


def request_of(key: str | None, sender: str, said: Sequence[str]) -> Request | None:
    """The request by which a repetition is known; None without a key.

    Args:
        key: of the sender's choice.
        sender: whose key it is: two senders may choose the same.
        said: all that the request says.

    Raises:
        InputError: the key is no text of 1 to 200 printable signs.
    """
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise InputError(
            "The Idempotency-Key is no text of 1 to 200 printable signs.", remedy="Send a UUID of your own."
        )
    return Request(
        digest_of(canonical_json([sender, key]).decode()), digest_of(canonical_json(said).decode())
    )


def check_moment(moment: datetime, now: datetime) -> None:
    """Something can have happened at that moment.

    Raises:
        InputError: it has no zone, lies ahead by more than clocks differ, or before 1900.
    """
    if moment.tzinfo is None:
        fact = "The outcome's time has no zone."
    elif moment > now + CLOCKS_DIFFER:
        fact = "The outcome's time lies ahead."
    elif moment < EARLIEST:
        fact = "The outcome's time is too early."
    else:
        return
    raise InputError(fact, remedy="Send when it happened, with its offset: 2026-03-01T12:00:00+00:00.")


def check_text(text: str, what: str, longest: int) -> None:
    """The text can be kept and read.

    Raises:
        InputError: it is blank or too long, or holds signs that are no text.
    """
    if not text.strip() or len(text) > longest:
        raise InputError(
            f"The {what} is {'empty' if not text.strip() else 'too long'}.",
            remedy=f"Send a {what} of 1 to {longest:,} signs.",
        )
    if "\0" in text or text != text.encode("utf-8", "ignore").decode():
        raise InputError(f"The {what} holds signs that are no text.", remedy="Write it in plain words.")


def _check(word: Word) -> None:
    check_text(word.by, "person", LONGEST_NAME)
    check_text(word.reason, "reason", LONGEST_REASON)


def _check_in_time(decision: Decision, moment: datetime, what: str) -> None:
    until = decision.reversible_until
    if until is not None and moment > until:
        raise RefusedError(
            f"{decision.decision_id} could be {what} {_until(decision)}; that is over.",
            remedy="Send a complaint: a supervisor decides.",
            reversible_until=instant(until),
        )


def _until(decision: Decision) -> str:
    until = decision.reversible_until
    return "" if until is None else f"until {_told(until)}"


def _told(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
