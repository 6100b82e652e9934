"""Decisions that people must see become tickets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.decisions.record import Case, Decision, ShadowPrediction
from hitl_mlops.decisions.task import Task
from hitl_mlops.review.interface import STANDARD_LANE, shown_values
from hitl_mlops.review.page_why import NOTHING_KNOWN, Insight
from hitl_mlops.review.ticket import Ticket, TicketKind, ticket_id_of
from hitl_mlops.review.tickets import TicketBook


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How soon a lane answers.

    Attributes:
        hours: lane → hours from opening to deadline.
        otherwise_hours: for lanes not named.
        skills: lane → what who answers must be able to do; lanes that anybody may answer are missing.
        blind_first: lanes where the first signature is given without the model's answer.
        stages: lane → skills of those who sign one after another.
        drawn_blind: decision id → whether nobody who is asked is shown the model's answer.
    """

    hours: Mapping[str, float] = field(default_factory=dict)
    otherwise_hours: float = 24.0
    skills: Mapping[str, str] = field(default_factory=dict)
    blind_first: AbstractSet[str] = frozenset()
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drawn_blind: Callable[[str], bool] = lambda _decision_id: False

    def due(self, lane: str, opened_at: datetime) -> datetime:
        """The deadline of a ticket of that lane."""
        return opened_at + timedelta(hours=self.hours.get(lane, self.otherwise_hours))


@dataclass(frozen=True, slots=True)
class Shown:
    """What is needed to show a case, beside the case.

    Attributes:
        task: which columns may leave.
        learned_from: model version → the dataset it was trained on; empty where unknown.
        picture: case → data URI; the empty text for tasks that are no images (`picture.picture_of`).
        pictures: case → its further pictures (`picture.pictures_beside`).
        insights: decisions and their cases by id → what helps to judge each. Asked once for all of them;
            decisions that are shown blind are left out. None: it is added before a ticket is put on the desk.
    """

    task: Task
    learned_from: Callable[[str], str] = lambda _version: ""
    picture: Callable[[Case], str] = lambda _case: ""
    pictures: Callable[[Case], Mapping[str, str]] = lambda _case: {}
    insights: Callable[[Sequence[Decision], Mapping[str, Case]], Callable[[Decision], Insight]] | None = None


def tickets_for(  # gathered by `open_tickets`
    decisions: Sequence[Decision],
    shadows: Sequence[ShadowPrediction],
    cases: Mapping[str, Case],
    shown: Shown,
    deadlines: Deadlines,
    *,
    asked: AbstractSet[str] = frozenset(),
    now: datetime,
) -> list[Ticket]:
    """The tickets that these decisions need, in the decisions' order.

    A review where the route asks for people; a spot check, which looks like a standard review, where the
    decision was drawn; else a blind shadow ticket where the model in the shadow said another class, at most
    one ticket a decision.

    Args:
        decisions: what was decided.
        shadows: what the model in the shadow said of them.
        cases: case id → case, for every decision.
        shown: what is needed to show a case.
        deadlines: how soon each lane answers.
        asked: decisions that a ticket asks about already; they get no shadow ticket.
        now: when the tickets are opened.
    """
    in_shadow = {one.decision_id: one.label for one in shadows}
    wanted = [(one, _kind(one, in_shadow.get(one.decision_id), asked)) for one in decisions]
    insight: Callable[[Decision], Insight] = _nothing_known
    if shown.insights is not None:
        seen = [one for one, kind in wanted if kind and not _is_blind(one, kind, deadlines)]
        insight = shown.insights(seen, {one.case_id: cases[one.case_id] for one in seen})
    return [
        _ticket(one, kind, cases[one.case_id], shown, deadlines, now, insight(one))
        for one, kind in wanted
        if kind is not None
    ]


def _nothing_known(_decision: Decision) -> Insight:
    return NOTHING_KNOWN


def _kind(decision: Decision, shadow: str | None, asked: AbstractSet[str]) -> TicketKind | None:
    if decision.spot_check:
        return TicketKind.SPOT_CHECK
    if decision.to_review:
        return TicketKind.REVIEW
    if shadow is not None and shadow != decision.label and decision.decision_id not in asked:
        return TicketKind.SHADOW
    return None


def _is_blind(decision: Decision, kind: TicketKind, deadlines: Deadlines) -> bool:
    return kind in (TicketKind.SHADOW, TicketKind.LEARNING) or deadlines.drawn_blind(decision.decision_id)


def _ticket(  # what a ticket is made of
    decision: Decision,
    kind: TicketKind,
    case: Case,
    shown: Shown,
    deadlines: Deadlines,
    now: datetime,
    insight: Insight = NOTHING_KNOWN,
) -> Ticket:
    lane = decision.route if kind is TicketKind.REVIEW else STANDARD_LANE
    blind = _is_blind(decision, kind, deadlines)
    stages = deadlines.stages.get(lane, ())
    return Ticket(
        ticket_id=ticket_id_of(decision.decision_id, kind),
        decision_id=decision.decision_id,
        kind=kind,
        suggestion=decision.label,
        lane=lane,
        signatures=max(1, decision.signatures, len(stages)),
        blind=blind,
        opened_at=now,
        due_at=deadlines.due(lane, now),
        skill=stages[0] if stages else deadlines.skills.get(lane),
        blind_first=lane in deadlines.blind_first,
        explained=blind or shown.insights is not None,
        stages=stages,
        shown=shown_values(
            decision,
            case,
            shown.task,
            lane=lane,
            learned_from=shown.learned_from(decision.model_version),
            image=shown.picture(case),
            pictures=shown.pictures(case),
            insight=insight,
            blind=blind,
        ),
    )


def open_tickets(  # noqa: PLR0913  # who keeps what was decided
    decisions: Sequence[Decision],
    shadows: Sequence[ShadowPrediction],
    cases: Sequence[Case],
    *,
    book: TicketBook,
    trail: Trail,
    database: Database,
    shown: Shown,
    deadlines: Deadlines,
    now: datetime,
    actor: str,
) -> list[Ticket]:
    """The tickets that these decisions need are in the book, with their entry; those that were new.

    Opening again opens nothing. Joins an open transaction, so that decisions and tickets are kept together.

    Raises:
        InputError: a picture cannot be read.
        BusyError: the database is locked.
    """
    with database.transaction():
        asked = book.asked_about(one.decision_id for one in decisions) if shadows else frozenset()
        by_id = {case.case_id: case for case in cases}
        wanted = tickets_for(decisions, shadows, by_id, shown, deadlines, asked=asked, now=now)
        return ask(wanted, book, trail, database, now=now, actor=actor)


def learning_tickets(
    decisions: Sequence[Decision],
    cases: Mapping[str, Case],
    shown: Shown,
    deadlines: Deadlines,
    *,
    now: datetime,
) -> list[Ticket]:
    """A blind ticket about each, asked to learn from; chosen by outcome, so that no rate counts it."""
    return [_ticket(one, TicketKind.LEARNING, cases[one.case_id], shown, deadlines, now) for one in decisions]


def ask(
    wanted: Sequence[Ticket],
    book: TicketBook,
    trail: Trail,
    database: Database,
    *,
    now: datetime,
    actor: str,
) -> list[Ticket]:
    """These tickets are in the book, with their entry; those that were new. Joins an open transaction."""
    with database.transaction():
        new = set(book.open(wanted))
        opened = [ticket for ticket in wanted if ticket.ticket_id in new]
        if opened:
            trail.append([opened_event(opened, now, actor)])
    return opened


def opened_event(tickets: Sequence[Ticket], now: datetime, actor: str) -> Event:
    """What the trail is told of tickets that were opened together."""
    return Event(
        kind=Kind.TICKETS_OPENED,
        actor=actor,
        at=now,
        refs={
            "ticket": [ticket.ticket_id for ticket in tickets],
            "decision": [ticket.decision_id for ticket in tickets],
        },
        facts={
            "kinds": dict(Counter(ticket.kind.value for ticket in tickets)),
            "lanes": dict(Counter(ticket.lane for ticket in tickets)),
        },
    )
