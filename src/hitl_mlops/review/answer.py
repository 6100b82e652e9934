"""One reviewer's reply, as the desk gives it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What the reviewer did with the model's answer."""

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"
    ESCALATE = "escalate"


ESCALATE = "escalate"
"""The reason code with which a reviewer passes the question on."""


def verdict_of(label: str | None, reason_code: str | None, model_label: str | None) -> Verdict | None:
    """What the answer did with the model's; None where no class was given or the model's was not shown.

    >>> verdict_of("no", "wrong_class", "yes").value, verdict_of("yes", "escalate", "yes").value
    ('edit', 'escalate')
    """
    if reason_code == ESCALATE:
        return Verdict.ESCALATE
    if label is None or model_label is None:
        return None
    return Verdict.ACCEPT if label == model_label else Verdict.EDIT


@dataclass(frozen=True, slots=True)
class Answer:
    """One revision of one reviewer's reply. Nothing in it has been checked yet.

    Attributes:
        desk: which desk and project, e.g. `labelstudio:7`, so that two instances never collide.
        annotation_id: the desk's id of the reply; an edit keeps it.
        revision: the desk's own time of last change, ISO 8601; a later text is a later revision.
        task_id: the desk's id of the ticket.
        ticket_id: our id, as it stands in the task's data; None where someone made the task by hand.
        reviewer: the desk's account of who completed it (e-mail).
        edited_by: the account that last changed it.
        label: the class chosen; None where none was.
        verdict: see `verdict_of`; None where the reviewer was not shown the model's answer.
        rationale: the written reason; empty where none was given.
        reason_code: the code picked; None where none was.
        seconds: lead time as the desk measured it; None where it did not.
        answered_at: when the reply was first given.
        skipped: the reviewer passed on the task.
        payload_hash: SHA-256 of the desk's canonical raw reply, hex.
    """

    desk: str
    annotation_id: str
    revision: str
    task_id: str
    ticket_id: str | None
    reviewer: str
    edited_by: str
    label: str | None
    verdict: Verdict | None
    rationale: str
    reason_code: str | None
    seconds: float | None
    answered_at: datetime
    skipped: bool
    payload_hash: str

    @property
    def key(self) -> str:
        """Names this revision and no other: `desk/annotation/revision`."""
        return f"{self.desk}/{self.annotation_id}/{self.revision}"
