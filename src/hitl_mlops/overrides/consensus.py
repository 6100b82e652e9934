"""What a ticket's answers add up to. Pure: the order in which answers arrive does not matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hitl_mlops.ids import content_id
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.overrides.scale import Scale, Weighing
from hitl_mlops.review.answer import HANDED_UP, Answer
from hitl_mlops.review.interface import said_before
from hitl_mlops.review.moves import Move, skill_asked
from hitl_mlops.review.ticket import LAST_WORD, Sheet, TicketKind

TIE_BREAKERS = 3
"""With fewer people than this who differ, one more is asked before an adjudicator is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A ticket as far as its answers are concerned.

    Attributes:
        ticket_id: ours.
        decision_id: the decision asked about.
        kind: why people were asked.
        signatures: how many distinct people must agree, ≥ 1.
        model_label: the class the model gave.
        skill: what who answers must be able to do; None: anybody may.
        meant_for: roster id of the one person asked; None: whoever may.
        stages: skills of those who sign one after another; empty where all are asked at once.
        sheets: how many sheets of the desk it has.
        spent: on how many of them an answer was dropped, so that nobody finds them any more.
        blind: nobody who is asked is shown what the model said.
        decides: of an adjudication, the kind of the ticket that it decides.
        skills: task id of a sheet → what who answers there must be able to do, where it is not `skill`.
    """

    ticket_id: str
    decision_id: str
    kind: TicketKind
    signatures: int
    model_label: str
    skill: str | None = None
    meant_for: str | None = None
    stages: tuple[str, ...] = ()
    sheets: int = 1
    spent: int = 0
    blind: bool = False
    decides: TicketKind | None = None
    skills: Mapping[str, str] = field(default_factory=dict)

    def skill_for(self, task_id: str, moves: Sequence[Move], at: datetime) -> str | None:
        """What who answered on that sheet at that moment had to be able to do; `moves`: its steps so far."""
        return self.skills.get(task_id, skill_asked(moves, self.skill, at))


@dataclass(frozen=True, slots=True)
class Vote:
    """An accepted answer and the roster id of who gave it. `key` names the revision as it is kept."""

    key: str
    person: str
    answer: Answer


class Standing(StrEnum):
    """How far a ticket's answers have come."""

    WAITING = "waiting"
    """Too few people have answered."""
    RESOLVED = "resolved"
    DISAGREED = "disagreed"
    """People differ, or weigh too little, and one more can settle it."""
    TIED = "tied"
    """People differ or someone handed it up: an adjudicator must decide."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the answers add up to.

    Attributes:
        standing: how far they have come.
        label: the class people gave; None unless resolved.
        method: how the answers became one; None unless resolved.
        supporters: the answers that gave that class, by time, then key; empty unless resolved.
        people: how many distinct people answered.
    """

    standing: Standing
    label: str | None = None
    method: Method | None = None
    supporters: tuple[Vote, ...] = ()
    people: int = 0

    @property
    def answer_keys(self) -> tuple[str, ...]:
        """The revisions that count."""
        return tuple(vote.key for vote in self.supporters)


def weigh(asked: Asked, votes: Iterable[Vote], scale: Scale | None = None) -> Outcome:
    """What the accepted answers of a ticket add up to.

    A class wins when as many distinct people as the ticket needs signatures gave it, and more than half of
    all who answered; by a scale, when it is right with the scale's certainty. People who skipped are not
    counted; of several answers of one person the earliest is. Those who differ, or weigh too little, wait
    for one more; three who still do, a tie, a rejection and an escalation wait for an adjudicator. Nobody,
    or too few: waiting.

    Args:
        asked: the ticket.
        votes: the answers that count.
        scale: how much each person's word weighs; None: all alike. An adjudicator's is never weighed.
    """
    ballots = _one_each(votes)
    people = len(ballots)
    if any(vote.answer.verdict in HANDED_UP for vote in ballots):
        return Outcome(Standing.TIED, people=people)
    if people < asked.signatures or not ballots:
        return Outcome(Standing.WAITING, people=people)
    counts = Counter(str(vote.answer.label) for vote in ballots)
    chances = None if asked.kind in LAST_WORD or scale is None else _chances(ballots, scale)
    order = {label: (chances or {}).get(label, 0.0) for label in counts}
    label, most = min(counts.items(), key=lambda pair: (-order[pair[0]], -pair[1], pair[0]))
    certain = 2 * most > people if scale is None or chances is None else chances[label] >= scale.certainty
    if most < asked.signatures or not certain:
        settled_by_one = people < max(TIE_BREAKERS, asked.signatures + 1) and not asked.stages
        more = settled_by_one and (chances is not None or _one_more_settles(asked, most, people))
        return Outcome(Standing.DISAGREED if more else Standing.TIED, people=people)
    supporters = tuple(vote for vote in ballots if vote.answer.label == label)
    method = _method(asked, ballots, supporters)
    if scale is not None and chances is not None and method is Method.MAJORITY:
        method = Method(scale.method.value)
    return Outcome(Standing.RESOLVED, label, method, supporters, people)


def _chances(ballots: Sequence[Vote], scale: Scale) -> dict[str, float] | None:
    """Class → the chance that it is right; None where the majority decides."""
    if scale.method is Weighing.MAJORITY:
        return None
    return scale.chances([(vote.person, str(vote.answer.label)) for vote in ballots])


def further_sheets(asked: Asked, outcome: Outcome, votes: Iterable[Vote]) -> list[Sheet]:
    """The sheets that the ticket still lacks, so that those can answer on whom its outcome waits.

    Where people differ, one more is asked, who is not shown what the model said. Of stages, the next is, who
    is told what was said before.
    """
    if outcome.standing is Standing.DISAGREED:
        wanted, blind = outcome.people + 1, True
    elif outcome.standing is Standing.WAITING:
        wanted, blind = outcome.people + 1 if asked.stages else asked.signatures, asked.blind
    else:
        return []
    skill = said = None
    if asked.stages:
        skill = asked.stages[min(outcome.people, len(asked.stages) - 1)]
        said = said_before([vote.answer for vote in _one_each(votes)])
    return [
        Sheet(asked.ticket_id, copy, blind, skill, said_html=said or "")
        for copy in range(asked.sheets + 1, wanted + asked.spent + 1)
    ]


def resolution_of(asked: Asked, outcome: Outcome, earlier: int, now: datetime) -> Resolution | None:
    """The resolution an outcome stands for; None unless it is resolved.

    Args:
        asked: the ticket.
        outcome: what its answers add up to.
        earlier: how many resolutions the ticket had before, also withdrawn ones: making one again after
            a withdrawal gives it a new id.
        now: when it is resolved.
    """
    if outcome.label is None or outcome.method is None:
        return None
    identity = [asked.ticket_id, outcome.label, outcome.method.value, list(outcome.answer_keys), earlier]
    return Resolution(
        resolution_id=content_id("res", identity),
        decision_id=asked.decision_id,
        ticket_id=asked.ticket_id,
        ticket_kind=(asked.decides or asked.kind).value,
        label=outcome.label,
        model_label=asked.model_label,
        method=outcome.method,
        answer_keys=outcome.answer_keys,
        reviewers=tuple(vote.person for vote in outcome.supporters),
        reason_codes=tuple(vote.answer.reason_code for vote in outcome.supporters),
        resolved_at=now,
        for_training=all(vote.answer.for_training for vote in outcome.supporters),
    )


def still_stands(standing: Resolution, outcome: Outcome) -> bool:
    """The resolution says what the answers say now."""
    return (standing.label, standing.method, standing.answer_keys) == (
        outcome.label,
        outcome.method,
        outcome.answer_keys,
    )


def _one_each(votes: Iterable[Vote]) -> list[Vote]:
    """The earliest answer of each person who took part, by time, then key."""
    taking_part = (
        vote
        for vote in votes
        if not vote.answer.skipped and (vote.answer.label is not None or vote.answer.verdict in HANDED_UP)
    )
    first: dict[str, Vote] = {}
    for vote in sorted(taking_part, key=lambda one: (one.answer.answered_at, one.key)):
        first.setdefault(vote.person, vote)
    return list(first.values())


def _one_more_settles(asked: Asked, most: int, people: int) -> bool:
    return most + 1 >= asked.signatures and 2 * (most + 1) > people + 1


def _method(asked: Asked, ballots: list[Vote], supporters: tuple[Vote, ...]) -> Method:
    if asked.kind is TicketKind.ADJUDICATION:
        return Method.ADJUDICATED
    if len(supporters) < len(ballots):
        return Method.MAJORITY
    return Method.SINGLE if len(ballots) == 1 else Method.UNANIMOUS
