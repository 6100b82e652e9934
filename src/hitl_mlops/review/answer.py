"""One reviewer's reply, as the desk gives it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What the reviewer did with the model's answer."""

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"
    ESCALATE = "escalate"


HANDED_UP = frozenset({Verdict.ESCALATE, Verdict.REJECT})


"""Verdicts that name no class: whoever gives one leaves the case to an adjudicator."""

ESCALATE = "escalate"
"""The reason code with which a reviewer passes the question on where the page asks for no decision."""
AGREE = "agree"
"""The reason code of who accepts; the page does not ask for one then."""
POLICY_VIOLATION = "policy_violation"
"""The error tag that counts as the reason code of that name, by which a policy may freeze similar cases."""


class ErrorTag(StrEnum):
    """What is wrong with the case or with the model's answer; several may hold."""

    FACTUAL = "factual"
    BIAS = "bias"
    OUT_OF_DISTRIBUTION = "out_of_distribution"
    AMBIGUOUS = "ambiguous"
    POLICY_VIOLATION = POLICY_VIOLATION


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
class Said:
    """What a reviewer put on the page.

    Attributes:
        label: the class picked; None where none was.
        rationale: the written reason.
        reason_code: the code picked; None where none was.
        stated: the decision picked; None where none was, or the page asks for none.
        error_tags: those ticked.
        for_training: what is said may be learned from.
    """

    label: str | None = None
    rationale: str = ""
    reason_code: str | None = None
    stated: Verdict | None = None
    error_tags: tuple[str, ...] = ()
    for_training: bool = True


def read_said(said: Said, model_label: str | None) -> dict[str, Any]:
    """The fields of `Answer` that a page amounts to, beside the model's answer that it showed.

    Who accepts has named the model's class, and agrees, without picking either. Who rejects or escalates
    names no class. Unknown tags are left out, the others stand in one order, each once.

    >>> read_said(Said(stated=Verdict.ACCEPT), "yes")["label"]
    'yes'

    Args:
        said: what was put on the page.
        model_label: the class that the page showed as the model's; None or empty where it showed none.
    """
    label, code = said.label, said.reason_code
    tags = tuple(tag.value for tag in ErrorTag if tag.value in said.error_tags)
    if said.stated is Verdict.ACCEPT:
        label, code = label or model_label or None, code or AGREE
    if POLICY_VIOLATION in tags:
        code = POLICY_VIOLATION
    handed_up = said.stated in HANDED_UP
    return {
        "label": None if handed_up else label,
        "verdict": said.stated if handed_up else verdict_of(label, said.reason_code, model_label),
        "stated": said.stated,
        "rationale": said.rationale,
        "reason_code": code,
        "error_tags": tags,
        "for_training": said.for_training,
    }


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
        label: the class chosen, also by accepting the model's; None where none was.
        verdict: what it did with the model's answer, by `read_said`; None where that was not shown.
        rationale: the written reason; empty where none was given.
        reason_code: the code picked; None where none was.
        seconds: lead time as the desk measured it; None where it did not.
        answered_at: when the reply was first given.
        skipped: the reviewer passed on the task.
        payload_hash: SHA-256 of the desk's canonical raw reply, hex.
        stated: the decision as it was picked on the page; None where none was. Where it is not the verdict,
            decision and class contradict each other.
        error_tags: what was said to be wrong, of `ErrorTag`, in its order.
        for_training: the reviewer did not keep it out of the training data.
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
    stated: Verdict | None = None
    error_tags: tuple[str, ...] = ()
    for_training: bool = True

    @property
    def contradicts_itself(self) -> bool:
        """The decision that was picked does not go with the class."""
        return None not in (self.stated, self.verdict) and self.stated is not self.verdict

    @property
    def key(self) -> str:
        """Names this revision and no other: `desk/annotation/revision`."""
        return f"{self.desk}/{self.annotation_id}/{self.revision}"
