"""Known cases, exercises and answers for tests of oversight."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hitl_mlops.oversight.answered import Answered
from hitl_mlops.oversight.exercise import Exercise, Known, Source, Truth
from hitl_mlops.review.open import Deadlines, Shown, tickets_for
from hitl_mlops.review.ticket import Ticket, TicketKind
from tests.builders import NOW, a_case, a_decision


def a_known(
    name: str = "old-1", *, truth: str = "yes", seen_by: tuple[str, ...] = (), **changes: Any
) -> Known:
    """A past case whose truth is known; the model said yes, by .8."""
    decision = a_decision(case_id=name, **{"at": NOW - timedelta(days=30), **changes})
    case = a_case(case_id=name, inputs={"x": float(len(name))})
    return Known(decision, case, Truth(truth, Source.OUTCOME), frozenset(seen_by))


def a_waiting(shown: Shown, name: str = "c1001", **changes: Any) -> Ticket:
    """A ticket that waits for the desk, as the policy opens it."""
    decision = a_decision(case_id=name, **changes)
    [ticket] = tickets_for([decision], [], {name: a_case(case_id=name)}, shown, Deadlines(), now=NOW)
    return ticket


def an_exercise(name: str = "t_1", **changes: Any) -> Exercise:
    plain: dict[str, Any] = {
        "ticket_id": name,
        "kind": TicketKind.SEED,
        "decision_id": f"d_{name}",
        "truth": "yes",
        "suggestion": "no",
        "source": Source.OUTCOME,
        "meant_for": None,
        "opened_at": NOW,
    }
    return Exercise(**(plain | changes))


def an_answer(name: str = "t_1", person: str = "r1", **changes: Any) -> Answered:
    """An answer to the ticket, which suggested no."""
    plain: dict[str, Any] = {
        "key": f"{name}/{person}",
        "person": person,
        "account": f"{person}@x.org",
        "ticket_id": name,
        "decision_id": f"d_{name}",
        "kind": TicketKind.REVIEW,
        "shown": "no",
        "label": "yes",
        "escalated": False,
        "seconds": 5.0,
        "answered_at": NOW,
        "collected_at": NOW,
    }
    return Answered(**(plain | changes))
