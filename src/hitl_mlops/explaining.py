"""Tickets get what helps to judge them before they are put on the desk, while nothing else waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hitl_mlops.errors import HitlError
from hitl_mlops.verbs import Verbs

if TYPE_CHECKING:
    from hitl_mlops.decisions.model import Model
    from hitl_mlops.decisions.record import Case, Decision
    from hitl_mlops.review.ticket import Ticket

AT_ONCE = 100
"""Tickets that are explained together and then kept; what a kill has to explain again."""


def explain_waiting(verbs: Verbs) -> int:
    """Every ticket that waits tells why the model said so and what became of similar cases; how many are new.

    One that cannot be explained says so, and is put on the desk all the same.
    """
    book, count = verbs.parts.tickets, 0
    models: dict[tuple[str, str], Model | None] = {}
    while waiting := book.unexplained(AT_ONCE):
        book.keep_explained(_explained(verbs, waiting, models))
        count += len(waiting)
    return count


def _explained(
    verbs: Verbs, waiting: Sequence[Ticket], models: dict[tuple[str, str], Model | None]
) -> dict[str, Mapping[str, object]]:
    """Ticket id → what its page shows."""
    from hitl_mlops.review.interface import insight_values
    from hitl_mlops.review.page_why import insights

    parts = verbs.parts
    decisions = parts.log.many(one.decision_id for one in waiting)
    cases: dict[str, Case] = parts.log.cases(one.case_id for one in decisions.values())
    answered = _that_answered(verbs, decisions.values(), models)
    told = parts.explainer.explain(answered, list(decisions.values()), cases)
    insight = insights(told, parts.past.similar(list(cases.values())))
    found: dict[str, Mapping[str, object]] = {}
    for ticket in waiting:
        decision, shown = decisions.get(ticket.decision_id), ticket.shown
        if decision is not None:
            now = insight_values(decision, parts.task, shown, insight(decision), lane=ticket.lane)
            shown = {**shown, **now}
        found[ticket.ticket_id] = shown
    return found


def _that_answered(
    verbs: Verbs, decisions: Iterable[Decision], models: dict[tuple[str, str], Model | None]
) -> list[Model]:
    """The models of these decisions, by the digests that answered; one that cannot be had is left out."""
    wanted = {(one.model_version, one.model_digest) for one in decisions}
    for version, digest in wanted - models.keys():
        try:
            models[version, digest] = verbs.parts.registry.load(version, digest=digest)
        except HitlError:
            models[version, digest] = None
    return [model for name in sorted(wanted) if (model := models[name]) is not None]
