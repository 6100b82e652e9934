"""Exercises that are due become tickets, mixed among those that wait for the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.errors import InputError
from hitl_mlops.oversight.alias import alias_of
from hitl_mlops.oversight.calibration import Calibration
from hitl_mlops.oversight.exercise import Exercise
from hitl_mlops.oversight.seeds import Seed
from hitl_mlops.review.open import Deadlines, Shown, learning_tickets, tickets_for
from hitl_mlops.review.page_why import NOTHING_KNOWN, Insight, explanation_html
from hitl_mlops.review.ticket import Ticket, TicketKind

Opened = tuple[Ticket, Exercise]


@dataclass(frozen=True, slots=True)
class Disguise:
    """How an exercise is made to look like any ticket.

    Attributes:
        shown: what is needed to show a case.
        deadlines: how soon each lane answers.
        key: the project's policy key.
        is_taken: whether a case has that id.
        insight: seed → what helps to judge it, as its page tells it (`told_insight`).
        directed: a ticket can be meant for one person; else whoever finds it answers it.
    """

    shown: Shown
    deadlines: Deadlines
    key: bytes
    is_taken: Callable[[str], bool]
    insight: Callable[[Seed], Insight] = lambda _seed: NOTHING_KNOWN
    directed: bool = True

    def case(self, case: Case, like: str, ticket_id: str) -> Case | None:
        """The case under another id, of the form of `like`; None where there is none to be had."""
        alias = alias_of(like, self.key, ticket_id, self.is_taken)
        if alias is None:
            return None
        column = self.shown.task.id
        named = {column: alias} if column is not None else {}
        return replace(
            case,
            case_id=alias,
            inputs=_renamed(case.inputs, named),
            attributes=_renamed(case.attributes, named),
        )


def seed_ticket(seed: Seed, like: str, disguise: Disguise) -> Opened | None:
    """The ticket of a seed, and what is known of it; None where it would differ from the one beside it.

    Its page is made as any page is, from a decision that says another class; nothing on it says which.

    Args:
        seed: which case stands beside which ticket.
        like: id of the case of that ticket.
        disguise: how it is made to look like one.
    """
    beside, known = seed.beside, seed.known
    case = disguise.case(known.case, like, seed.ticket_id)
    if case is None:
        return None
    told, insight = replace(seed.decision, case_id=case.case_id), disguise.insight(seed)
    shown = replace(disguise.shown, insights=lambda _decisions, _cases: lambda _decision: insight)
    try:
        made = tickets_for([told], [], {case.case_id: case}, shown, disguise.deadlines, now=beside.opened_at)
    except InputError:  # a picture that is gone
        return None
    if [_form(one, shown) for one in made] != [_form(beside, shown)]:
        return None
    ticket = replace(
        made[0],
        shown={**made[0].shown, **_in_common(beside)},
        ticket_id=seed.ticket_id,
        kind=TicketKind.SEED,
        due_at=beside.due_at,
        meant_for=seed.meant_for if disguise.directed else None,
    )
    return ticket, Exercise(
        ticket_id=ticket.ticket_id,
        kind=TicketKind.SEED,
        decision_id=known.decision.decision_id,
        truth=known.truth.label,
        suggestion=seed.decision.label,
        source=known.truth.source,
        meant_for=seed.meant_for,
        opened_at=ticket.opened_at,
    )


def calibration_ticket(one: Calibration, like: str, disguise: Disguise, now: datetime) -> Opened | None:
    """The blind ticket of a calibration exercise, and what is known of it; None where its page fails.

    Args:
        one: which case, for whom.
        like: id of a case that has just come.
        disguise: how it is made to look like one.
        now: when it is opened.
    """
    decision = one.known.decision
    case = disguise.case(one.known.case, like, one.ticket_id)
    if case is None:
        return None
    told = replace(decision, case_id=case.case_id, signatures=1)
    try:
        [made] = learning_tickets([told], {case.case_id: case}, disguise.shown, disguise.deadlines, now=now)
    except InputError:
        return None
    ticket = replace(
        made,
        ticket_id=one.ticket_id,
        kind=TicketKind.CALIBRATION,
        meant_for=one.person if disguise.directed else None,
        signatures=1,
        stages=(),
        skill=None,
    )
    return ticket, Exercise(
        ticket_id=ticket.ticket_id,
        kind=TicketKind.CALIBRATION,
        decision_id=decision.decision_id,
        truth=one.known.truth.label,
        suggestion=decision.label,
        source=one.known.truth.source,
        meant_for=one.person,
        opened_at=now,
    )


def newest_case_id(decisions: Sequence[Decision]) -> str:
    """The id of the case that was decided last; the empty text without any."""
    return max(decisions, key=lambda one: (one.at, one.decision_id)).case_id if decisions else ""


def told_insight(seed: Seed, insight: Insight) -> Insight:
    """What helps to judge the case, of the model's own answer, in the words of the suggestion.

    Where both classes changed places, what spoke for the one is told of the other: a suggestion that most
    parts speak against would give itself away.
    """
    own = seed.known.decision.label
    if insight.explanation is None or seed.decision.label == own:
        return insight
    return replace(insight, explanation=replace(insight.explanation, against=own))


def plain_decision(seed: Seed) -> Decision:
    """What the model really said of the case, as if it had said so now."""
    own = seed.known.decision
    return replace(seed.decision, label=own.label, probabilities=own.probabilities)


def _form(ticket: Ticket, shown: Shown) -> tuple[object, ...]:
    """All by which somebody at the desk could tell two kinds of tickets apart."""
    unexplained = explanation_html(None, shown.task.masking)
    explained = unexplained not in str(ticket.shown.get("why_html", ""))
    asked = (ticket.lane, ticket.skill, ticket.signatures, ticket.stages, ticket.step)
    return *asked, ticket.blind, ticket.blind_first, explained, sorted(ticket.shown)


def _in_common(beside: Ticket) -> dict[str, object]:
    """What the pages of cases that were decided together have in common, as the ticket beside it tells it."""
    return {name: beside.shown[name] for name in ("provenance_html",) if name in beside.shown}


def _renamed(values: Mapping[str, object], named: Mapping[str, str]) -> dict[str, object]:
    return {name: named.get(name, value) for name, value in values.items()}
