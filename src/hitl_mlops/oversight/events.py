"""What the trail is told of oversight: ids and figures, never what is true of an exercise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.ids import canonical_json, digest_of_reason, keyed_digest
from hitl_mlops.oversight.exercise import Exercise
from hitl_mlops.oversight.notices import Closing, GuidelineIssue, Suspicion


def exercises_event(opened: Sequence[Exercise], key: bytes, now: datetime, actor: str) -> Event:
    """How many of which kind, and a digest by key of what is known of them.

    Without the key nobody can try out which class it was.
    """
    told = sorted((one.ticket_id, one.decision_id, one.truth, one.suggestion) for one in opened)
    return Event(
        kind=Kind.EXERCISES_OPENED,
        actor=actor,
        at=now,
        refs={"ticket": [one.ticket_id for one in opened]},
        facts={
            "kinds": dict(Counter(one.kind.value for one in opened)),
            "digest": keyed_digest(key, canonical_json(told).decode()).hex(),
        },
    )


def closed_event(ticket_ids: Sequence[str], because: str, now: datetime, actor: str) -> Event:
    """Exercises are over: `answered`, or `not answered` for so long that nobody is asked any more."""
    refs, facts = {"ticket": list(ticket_ids)}, {"count": len(ticket_ids), "because": because}
    return Event(Kind.EXERCISES_CLOSED, actor=actor, at=now, refs=refs, facts=facts)


def suspected_event(one: Suspicion, actor: str) -> Event:
    """Seeds speak against somebody."""
    facts = {"seeds": one.seeds, "caught": one.caught, "e_value": one.e_value}
    refs = {"suspicion": [one.suspicion_id], "person": [one.person]}
    return Event(Kind.REVIEWER_SUSPECTED, actor=actor, at=one.at, refs=refs, facts=facts)


def cleared_event(one: Suspicion, word: Closing) -> Event:
    """A person talked to them."""
    refs = {"suspicion": [one.suspicion_id], "person": [one.person]}
    facts = {"reason_digest": digest_of_reason(word.reason)}
    return Event(Kind.REVIEWER_CLEARED, actor=word.by, at=word.at, refs=refs, facts=facts)


def issue_opened_event(one: GuidelineIssue, actor: str) -> Event:
    """People do not agree on a class; the class itself stays in the database."""
    facts = {"alpha": one.alpha, "low": one.low, "high": one.high, "cases": one.cases}
    refs = {"issue": [one.issue_id], **({"decision": list(one.decision_ids)} if one.decision_ids else {})}
    return Event(Kind.GUIDELINE_ISSUE_OPENED, actor=actor, at=one.opened_at, refs=refs, facts=facts)


def issue_closed_event(one: GuidelineIssue, word: Closing) -> Event:
    """A person changed the guideline, or said why not."""
    facts = {"reason_digest": digest_of_reason(word.reason)}
    return Event(
        Kind.GUIDELINE_ISSUE_CLOSED, actor=word.by, at=word.at, refs={"issue": [one.issue_id]}, facts=facts
    )
