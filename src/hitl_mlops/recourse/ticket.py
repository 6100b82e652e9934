"""A complaint becomes a question to a supervisor, who sees all there is."""

from __future__ import annotations

from datetime import datetime
from html import escape

from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.recourse.policy import RecoursePolicy
from hitl_mlops.recourse.record import Complaint
from hitl_mlops.review.interface import shown_values
from hitl_mlops.review.open import Deadlines, Shown
from hitl_mlops.review.ticket import Ticket, TicketKind

_NOTE = '<div style="font-size:13px;margin-top:4px">{}</div>'


def ticket_for(
    complaint: Complaint,
    decision: Decision,
    case: Case,
    *,
    policy: RecoursePolicy,
    shown: Shown,
    deadlines: Deadlines,
    held: str | None,
) -> Ticket:
    """The ticket of a complaint: what the model said, what people said, and why somebody complains.

    Args:
        complaint: why people are asked again.
        decision: what it is about.
        case: its case.
        policy: which lane answers.
        shown: what is needed to show a case.
        deadlines: how soon each lane answers.
        held: the class that people gave before; None where they gave none.
    """
    now: datetime = complaint.word.at
    values = shown_values(
        decision,
        case,
        shown.task,
        lane=policy.lane,
        learned_from=shown.learned_from(decision.model_version),
        image=shown.picture(case),
        pictures=shown.pictures(case),
    )
    reason = shown.task.masking.text(complaint.word.reason)
    people = "" if held is None else f" People said: <b>{escape(held)}</b>."
    note = _NOTE.format(f"There is a complaint: {escape(reason)}{people}")
    return Ticket(
        ticket_id=complaint.ticket_id,
        decision_id=decision.decision_id,
        kind=TicketKind.COMPLAINT,
        suggestion=decision.label,
        lane=policy.lane,
        signatures=policy.signatures,
        blind=False,
        explained=False,
        opened_at=now,
        due_at=deadlines.due(policy.lane, now),
        skill=deadlines.skills.get(policy.lane),
        shown={**values, "said_html": note},
    )
