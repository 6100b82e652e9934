"""Events as they happen, entries as they are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hitl_mlops.errors import InputError
from hitl_mlops.ids import canonical_json, instant

LONGEST_REF = 200


class Kind(StrEnum):
    """Every kind of entry the trail knows."""

    PROJECT_OPENED = "project.opened"
    POLICY_ADOPTED = "policy.adopted"
    DECISIONS_RECORDED = "decisions.recorded"
    DECISIONS_HALTED = "decisions.halted"
    DECISIONS_REVERSED = "decisions.reversed"
    CASES_QUARANTINED = "cases.quarantined"
    TICKETS_OPENED = "tickets.opened"
    QUESTIONS_CHOSEN = "questions.chosen"
    TICKETS_PUSHED = "tickets.pushed"
    TICKETS_ASKED_AGAIN = "tickets.asked_again"
    TICKETS_TIED = "tickets.tied"
    EXERCISES_OPENED = "exercises.opened"
    EXERCISES_CLOSED = "exercises.closed"
    REVIEWER_SUSPECTED = "reviewer.suspected"
    REVIEWER_CLEARED = "reviewer.cleared"
    GUIDELINE_ISSUE_OPENED = "guideline_issue.opened"
    GUIDELINE_ISSUE_CLOSED = "guideline_issue.closed"
    TICKETS_CLAIMED = "tickets.claimed"
    TICKETS_GIVEN_BACK = "tickets.given_back"
    TICKETS_REMINDED = "tickets.reminded"
    TICKETS_HANDED_UP = "tickets.handed_up"
    TICKETS_LEFT_WAITING = "tickets.left_waiting"
    TICKETS_EXPIRED = "tickets.expired"
    ANSWERS_COLLECTED = "answers.collected"
    ANSWERS_QUARANTINED = "answers.quarantined"
    ANSWERS_RELEASED = "answers.released"
    ANSWERS_DROPPED = "answers.dropped"
    RESOLUTIONS_MADE = "resolutions.made"
    RESOLUTIONS_WITHDRAWN = "resolutions.withdrawn"
    SCALE_MADE = "scale.made"
    OUTCOMES_TOLD = "outcomes.told"
    COMPLAINTS_MADE = "complaints.made"
    DATASET_COMMITTED = "dataset.committed"
    DRIFT_CHECKED = "drift.checked"
    RETRAINING_DECIDED = "retraining.decided"
    MODEL_REGISTERED = "model.registered"
    GATES_JUDGED = "gates.judged"
    APPROVAL_RECORDED = "approval.recorded"
    APPROVAL_REFUSED = "approval.refused"
    REGISTRY_CHANGED = "registry.changed"
    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_STEPPED = "rollout.stepped"
    ROLLOUT_ABORTED = "rollout.aborted"
    MODEL_PROMOTED = "model.promoted"
    MODEL_ROLLED_BACK = "model.rolled_back"
    ALIAS_MOVED = "alias.moved"
    TRIAL_STARTED = "trial.started"
    TRIAL_STEPPED = "trial.stepped"
    TRIAL_ENDED = "trial.ended"
    SWITCH_SET = "switch.set"
    SWITCH_LIFTED = "switch.lifted"
    BREAKER_OPENED = "breaker.opened"
    BREAKER_HALF_OPENED = "breaker.half_opened"
    BREAKER_CLOSED = "breaker.closed"
    BREAKER_RESET = "breaker.reset"
    DRILL_HELD = "drill.held"


SEALED_AT_ONCE = frozenset(
    {
        *(Kind.APPROVAL_RECORDED, Kind.MODEL_PROMOTED, Kind.MODEL_ROLLED_BACK),
        *(Kind.SWITCH_SET, Kind.SWITCH_LIFTED, Kind.BREAKER_RESET),
        *(Kind.BREAKER_OPENED, Kind.BREAKER_HALF_OPENED, Kind.BREAKER_CLOSED),
    }
)
"""Kinds after which a signed checkpoint is written without waiting."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, before it has a place in the trail.

    No personal data may stand here: people appear by their roster id, cases by our ids, bodies by a
    salted commitment.

    Attributes:
        kind: what happened.
        actor: who or what did it: `flow:collect`, `cli`, or a roster id.
        at: when, with zone.
        refs: what it is about, by role: `{"model": ["7"], "dataset": ["ds_…"]}`. `Trail.about` finds by
        these.
            Lists of equal length are read as rows: the first answer belongs to the first ticket, and so on;
            name an id again in each row it belongs to. A list of one belongs to every row.
        facts: figures and digests, JSON values only.
    """

    kind: Kind
    actor: str
    at: datetime
    refs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf of the trail.

    Attributes:
        sequence: its place, from 0, also inside `body`.
        body: the canonical bytes that were hashed; stored as they are, never written anew.
        leaf_hash: SHA-256(0x00 ‖ body), 32 bytes (RFC 6962 §2.1).
    """

    sequence: int
    body: bytes
    leaf_hash: bytes

    def read(self) -> dict[str, Any]:
        """The body as a dict: `v`, `seq`, `kind`, `actor`, `at`, `refs`, `facts`."""
        return dict(json.loads(self.body))


def entry_body(sequence: int, event: Event) -> bytes:
    """The canonical bytes of an event at its place.

    Raises:
        InputError: a value has no canonical form (NaN, a time without zone, an object that is not JSON).
    """
    body = {
        "v": 1,
        "seq": sequence,
        "kind": event.kind.value,
        "actor": event.actor,
        "at": instant(event.at),
        "refs": {role: list(ids) for role, ids in event.refs.items()},
        "facts": event.facts,
    }
    try:
        return canonical_json(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"The entry {event.kind.value} by {event.actor} cannot be written as JSON: {error}.",
            remedy="Put only text, finite numbers, booleans, null, lists and objects into its facts.",
        ) from error


def refs_of(body: Mapping[str, Any]) -> list[str]:
    """The ids that an entry names, each once, sorted: what the index of the trail holds for it."""
    return sorted({ref for ids in body["refs"].values() for ref in ids})


def checked_refs(event: Event) -> list[str]:
    """The ids that an event names, each once, sorted.

    Raises:
        InputError: an id is no text of 1 to 200 printable signs, so that some database could not index it.
    """
    found = {ref for ids in event.refs.values() for ref in ids}
    for ref in found:
        if not isinstance(ref, str) or not ref.isprintable() or not 0 < len(ref) <= LONGEST_REF:
            raise InputError(
                f"The entry {event.kind.value} refers to {ref!r}, which is no id.",
                remedy=f"Refer by ids of 1 to {LONGEST_REF} printable signs.",
            )
    return sorted(found)
