"""What the answers add up to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hitl_mlops.review.answer import Answer


class AnswerState(StrEnum):
    """What became of an answer's revision."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"
    SUPERSEDED = "superseded"
    """A later revision came, or it was deleted on the desk."""


class Method(StrEnum):
    """How several answers became one."""

    SINGLE = "single"
    UNANIMOUS = "unanimous"
    MAJORITY = "majority"
    WEIGHTED = "weighted"
    DAWID_SKENE = "dawid_skene"
    ADJUDICATED = "adjudicated"


DIFFERED = frozenset({Method.MAJORITY, Method.WEIGHTED, Method.DAWID_SKENE})
"""Methods by which people who differed came to a class among themselves."""


@dataclass(frozen=True, slots=True)
class ScreenedAnswer:
    """An answer with every reason for which it was refused; none means accepted."""

    answer: Answer
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A revision of an answer as the book keeps it.

    Attributes:
        key: `Answer.key`; where the desk gave two contents under it, `#` and the start of its payload hash.
        answer: the revision, as the desk gave it.
        state: what became of it.
        reasons: why it was refused; a released answer keeps them.
        person: roster id of the reviewer; None where it was never accepted.
        collected_at: when it was first seen.
        ruled_by: who released or dropped it, roster id; None where no one had to.
        ruling: why, in that person's words.
    """

    key: str
    answer: Answer
    state: AnswerState
    reasons: tuple[str, ...]
    person: str | None
    collected_at: datetime
    ruled_by: str | None = None
    ruling: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a ticket's answers add up to. An override is one that differs from the model.

    Attributes:
        resolution_id: content hash of ticket, label, method, answer keys and how many the ticket had before.
        decision_id: the decision.
        ticket_id: the ticket.
        ticket_kind: review, spot_check, shadow or complaint: evidence and training read them differently. Of
            an adjudication, the kind of the ticket that it decides.
        label: the class people gave.
        model_label: the class the model gave.
        method: how the answers became one.
        answer_keys: the revisions that gave the label, by time, then key.
        reviewers: roster ids, in the order of their answers.
        reason_codes: of those answers, same order.
        resolved_at: when.
        for_training: nobody who gave the label kept it out of the training data.
    """

    resolution_id: str
    decision_id: str
    ticket_id: str
    ticket_kind: str
    label: str
    model_label: str
    method: Method
    answer_keys: tuple[str, ...]
    reviewers: tuple[str, ...]
    reason_codes: tuple[str | None, ...]
    resolved_at: datetime
    for_training: bool = True

    @property
    def override(self) -> bool:
        """People differ from the model."""
        return self.label != self.model_label


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collection brought.

    Attributes:
        pulled: revisions seen on the desk, also those known already.
        new: revisions not known before.
        accepted: of the new, those that passed the screen.
        quarantined: of the new, those that did not, with reasons.
        resolved: tickets that came to a resolution now.
        disagreements: tickets whose answers differ and wait for one more.
        withdrawn: resolutions that stood before and were taken back because an answer came, changed or went.
        ties: tickets that wait for an adjudicator.
        superseded: revisions that count no more: a later one came, or they are gone from the desk.
    """

    pulled: int
    new: int
    accepted: int
    quarantined: tuple[ScreenedAnswer, ...] = ()
    resolved: tuple[Resolution, ...] = ()
    disagreements: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    superseded: int = 0

    @property
    def overrides(self) -> int:
        """How many of the new resolutions differ from the model."""
        return sum(resolution.override for resolution in self.resolved)
