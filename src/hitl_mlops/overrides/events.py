"""What the trail is told of collections and rulings: ids, figures and digests, never what people wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.ids import canonical_json, sha256_hex
from hitl_mlops.overrides.decide import Settled, Step
from hitl_mlops.overrides.reasons import Reason
from hitl_mlops.overrides.record import AnswerState, KeptAnswer, Resolution


def events_of(step: Step, actor: str, now: datetime) -> list[Event]:
    """The entries of one step, in the order of its parts; none for an empty one."""
    refused = [one for one in (*step.new, *step.changed) if one.state is AnswerState.QUARANTINED]
    found = [] if step.empty else [_collected(step, actor, now)]
    if refused:
        found.append(_quarantined(refused, actor, now))
    return found + settled_events(step.settled, actor, now)


def settled_events(settled: Settled, actor: str, now: datetime) -> list[Event]:
    """The entries of what became of tickets: what was withdrawn, what was made, who else is asked."""
    kinds = (
        (Kind.RESOLUTIONS_WITHDRAWN, settled.withdrawn),
        (Kind.RESOLUTIONS_MADE, settled.made),
    )
    more = dict.fromkeys(sheet.ticket_id for sheet in settled.sheets)
    asked = ((Kind.TICKETS_ASKED_AGAIN, more), (Kind.TICKETS_TIED, settled.ties))
    return [
        *(_resolutions(kind, which, actor, now) for kind, which in kinds if which),
        *(Event(kind, actor, now, refs={"ticket": [*which]}) for kind, which in asked if which),
    ]


def ruled_event(kind: Kind, one: KeptAnswer, by: str, now: datetime) -> Event:
    """The entry of a release or a drop: who, which answer, and a digest of the reason given."""
    return Event(
        kind,
        actor=by,
        at=now,
        refs={
            "answer": [one.key],
            "person": [by],
            **({"ticket": [str(one.answer.ticket_id)]} if _is_ours(one) else {}),
        },
        facts={
            "payload": one.answer.payload_hash,
            "refused_for": list(one.reasons),
            "ruling_digest": sha256_hex(canonical_json([one.key, one.answer.payload_hash, one.ruling])),
        },
    )


def answers_digest(answers: Iterable[KeptAnswer]) -> str:
    """SHA-256 over [key, payload hash, state] of the answers, sorted: what the rows must still give."""
    return sha256_hex(
        canonical_json(sorted([one.key, one.answer.payload_hash, one.state.value] for one in answers))
    )


def _collected(step: Step, actor: str, now: datetime) -> Event:
    answers = (*step.new, *step.changed)
    # What a task says of its ticket is anybody's text until the ticket is known to be ours.
    ours = sorted((one.key, one.answer.ticket_id) for one in answers if _is_ours(one))
    states = Counter(one.state.value for one in answers)
    return Event(
        Kind.ANSWERS_COLLECTED,
        actor,
        now,
        refs={"answer": [key for key, _ in ours], "ticket": [str(ticket) for _, ticket in ours]},
        facts={"new": len(step.new), "states": dict(states), "digest": answers_digest(answers)},
    )


def _quarantined(refused: Sequence[KeptAnswer], actor: str, now: datetime) -> Event:
    return Event(
        Kind.ANSWERS_QUARANTINED,
        actor,
        now,
        refs={"answer": sorted(one.key for one in refused)},
        facts={"reasons": dict(Counter(reason for one in refused for reason in one.reasons))},
    )


def _resolutions(kind: Kind, which: Sequence[Resolution], actor: str, now: datetime) -> Event:
    rows = [
        (one.resolution_id, one.decision_id, one.ticket_id, key, person)
        for one in which
        for key, person in zip(one.answer_keys, one.reviewers, strict=True)
    ]
    roles = ("resolution", "decision", "ticket", "answer", "person")
    return Event(
        kind,
        actor,
        now,
        refs=dict(zip(roles, map(list, zip(*rows, strict=True)), strict=True)),
        facts={"count": len(which), "overrides": sum(one.override for one in which)},
    )


def _is_ours(one: KeptAnswer) -> bool:
    return one.answer.ticket_id is not None and Reason.UNKNOWN_TICKET not in one.reasons
