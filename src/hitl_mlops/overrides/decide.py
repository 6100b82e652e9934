"""From what the desk shows and what is kept to what must be kept now. Pure.

Whatever is killed, doubled or late on the way, the book ends where it would be had it read the desk once:
what is decided for a task depends on its present answers and on people's rulings, not on the road there.
Two things are remembered all the same: an answer that was accepted stays so when its reviewer leaves the
roster or loses a skill, and one that was refused is judged anew only when its task changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hitl_mlops.overrides.consensus import (
    Asked,
    Standing,
    Vote,
    further_sheets,
    resolution_of,
    still_stands,
    weigh,
)
from hitl_mlops.overrides.reasons import BARRING, Reason, person_and_ticket
from hitl_mlops.overrides.record import AnswerState, KeptAnswer, Resolution, ScreenedAnswer
from hitl_mlops.overrides.scale import Scale
from hitl_mlops.overrides.screen import Known
from hitl_mlops.review.answer import Answer
from hitl_mlops.review.desk import DeskTask
from hitl_mlops.review.ticket import EXERCISES, Sheet

ON_THE_DESK = frozenset({AnswerState.ACCEPTED, AnswerState.QUARANTINED})
"""States of answers that, as far as we know, the desk still shows."""


@dataclass(frozen=True, slots=True)
class Background:
    """What the book knows about the tickets of a page.

    Attributes:
        asked: ticket id → what was asked; tickets we never opened are missing.
        elsewhere: accepted answers to these tickets on tasks outside the page.
        standing: ticket id → the resolution that stands.
        earlier: ticket id → how many resolutions it ever had.
        bound: (ticket id, account) of who answered the case before, of tickets where others have the last
            word.
        scales: ticket id → how much each person's word weighs there; tickets of the majority are missing.
    """

    asked: Mapping[str, Asked]
    elsewhere: Sequence[KeptAnswer] = ()
    standing: Mapping[str, Resolution] = field(default_factory=dict)
    earlier: Mapping[str, int] = field(default_factory=dict)
    bound: frozenset[tuple[str, str]] = frozenset()
    scales: Mapping[str, Scale] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """How a page of the desk differs from what is kept.

    Attributes:
        pulled: revisions on the page.
        to_screen: key → answer, of every task with a difference; also those known already.
        gone: kept answers that the desk no longer shows.
        secret: keys under which the desk gave another content before.
    """

    pulled: int
    to_screen: Mapping[str, Answer]
    gone: tuple[KeptAnswer, ...]
    secret: frozenset[str]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of tickets.

    Attributes:
        made: resolutions that stand now.
        withdrawn: resolutions that stood before.
        disagreements: tickets on which people differ and one more is asked.
        ties: tickets that wait for an adjudicator.
        waiting: tickets that too few people have answered.
        sheets: on which more people are asked.
    """

    made: tuple[Resolution, ...] = ()
    withdrawn: tuple[Resolution, ...] = ()
    disagreements: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    sheets: tuple[Sheet, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """All that one page changes in the book.

    Attributes:
        pulled: revisions on the page.
        new: answers to insert.
        changed: kept answers with their new state.
        settled: what that means for their tickets.
    """

    pulled: int
    new: tuple[KeptAnswer, ...] = ()
    changed: tuple[KeptAnswer, ...] = ()
    settled: Settled = Settled()

    @property
    def empty(self) -> bool:
        """The book already says all this."""
        return not (self.new or self.changed)


def compare(page: Sequence[DeskTask], kept: Mapping[str, KeptAnswer]) -> Difference:
    """How the page differs from what is kept of its tasks; of a task that comes twice, the later reading."""
    of_task: dict[str, list[KeptAnswer]] = defaultdict(list)
    for one in kept.values():
        of_task[one.answer.task_id].append(one)
    to_screen: dict[str, Answer] = {}
    gone: list[KeptAnswer] = []
    secret: set[str] = set()
    pulled = 0
    for task in {task.task_id: task for task in page}.values():
        pulled += len(task.answers)
        shown = {_key(answer, kept): answer for answer in task.answers}
        doubted = {key: answer.key for key, answer in shown.items() if key != answer.key}
        absent = [
            one
            for one in of_task[task.task_id]
            if one.state in ON_THE_DESK and one.key not in shown and one.key not in doubted.values()
        ]
        if absent or any(key not in kept or kept[key].state is AnswerState.SUPERSEDED for key in shown):
            gone += absent
            secret |= doubted.keys()
            to_screen |= {key: answer for key, answer in shown.items() if not _ruled(kept.get(key))}
    return Difference(pulled, to_screen, tuple(gone), frozenset(secret))


def answered_before(
    difference: Difference, kept: Mapping[str, KeptAnswer], elsewhere: Iterable[KeptAnswer]
) -> frozenset[tuple[str, str]]:
    """(ticket id, account) pairs that have an accepted answer beside those that are to be screened."""
    apart = {one.key for one in difference.gone} | difference.to_screen.keys()
    staying = (one for one in kept.values() if one.state is AnswerState.ACCEPTED and one.key not in apart)
    return frozenset(
        person_and_ticket(one.answer) for one in (*staying, *elsewhere) if not one.answer.skipped
    )


def decide_collection(
    difference: Difference,
    screened: Sequence[ScreenedAnswer],
    kept: Mapping[str, KeptAnswer],
    background: Background,
    known: Known,
) -> Step:
    """What the page changes in the book.

    Args:
        difference: of `compare`.
        screened: the answers of `difference.to_screen`, in that order, with the screen's reasons.
        kept: key → answer of every task on the page.
        background: of every ticket on the page.
        known: what the answers were screened by.
    """
    judged = [
        _judged(key, one.answer, _reasons(key, one, difference, kept.get(key)), kept.get(key), known)
        for key, one in zip(difference.to_screen, screened, strict=True)
    ]
    new = tuple(one for one in judged if one.key not in kept)
    changed = tuple(one for one in judged if one.key in kept and one != kept[one.key]) + tuple(
        replace(one, state=AnswerState.SUPERSEDED) for one in difference.gone
    )
    after = {**kept, **{one.key: one for one in (*new, *changed)}}
    touched = {one.answer.ticket_id for one in (*new, *changed)}
    settled = settle(touched, [*after.values(), *background.elsewhere], background, known.now)
    return Step(difference.pulled, new, changed, settled)


def settle(
    tickets: Iterable[str | None], answers: Iterable[KeptAnswer], background: Background, now: datetime
) -> Settled:
    """What the accepted answers mean for the tickets; a resolution that still says so is left standing."""
    votes: dict[str, list[Vote]] = defaultdict(list)
    for one in answers:
        if one.state is AnswerState.ACCEPTED and one.answer.ticket_id and one.person:
            votes[one.answer.ticket_id].append(Vote(one.key, one.person, one.answer))
    made: list[Resolution] = []
    withdrawn: list[Resolution] = []
    sheets: list[Sheet] = []
    waiting: dict[Standing, list[str]] = defaultdict(list)
    for ticket in sorted({ticket for ticket in tickets if _resolves(background, ticket)}, key=str):
        asked, standing = background.asked[str(ticket)], background.standing.get(str(ticket))
        outcome = weigh(asked, votes[asked.ticket_id], background.scales.get(asked.ticket_id))
        waiting[outcome.standing].append(asked.ticket_id)
        sheets += further_sheets(asked, outcome, votes[asked.ticket_id])
        if standing is not None and still_stands(standing, outcome):
            continue
        if standing is not None:
            withdrawn.append(standing)
        resolution = resolution_of(asked, outcome, background.earlier.get(asked.ticket_id, 0), now)
        if resolution is not None:
            made.append(resolution)
    return Settled(
        tuple(made),
        tuple(withdrawn),
        tuple(waiting[Standing.DISAGREED]),
        tuple(waiting[Standing.TIED]),
        tuple(waiting[Standing.WAITING]),
        tuple(sheets),
    )


def _resolves(background: Background, ticket: str | None) -> bool:
    """It was asked to know what is right, not to see how people judge."""
    asked = background.asked.get(str(ticket))
    return asked is not None and asked.kind not in EXERCISES


def _key(answer: Answer, kept: Mapping[str, KeptAnswer]) -> str:
    """Names the revision; apart from the one that is kept if that has another content."""
    known = kept.get(answer.key)
    if known is None or known.answer.payload_hash == answer.payload_hash:
        return answer.key
    return f"{answer.key}#{answer.payload_hash[:16]}"


def _ruled(one: KeptAnswer | None) -> bool:
    return one is not None and one.ruled_by is not None and one.state is not AnswerState.SUPERSEDED


def _reasons(
    key: str, screened: ScreenedAnswer, difference: Difference, before: KeptAnswer | None
) -> tuple[str, ...]:
    """The screen's reasons, less what does not hold against this answer, and what only the history tells."""
    waived: set[str] = set()
    if before is not None and before.state is AnswerState.ACCEPTED:
        waived |= {Reason.UNKNOWN_REVIEWER, *BARRING}
    if key in difference.secret:
        waived.add(Reason.ALREADY_ANSWERED)
    reasons = tuple(str(reason) for reason in screened.reasons if reason not in waived)
    return (*reasons, Reason.OTHER_CONTENT.value) if key in difference.secret else reasons


def _judged(
    key: str, answer: Answer, reasons: tuple[str, ...], before: KeptAnswer | None, known: Known
) -> KeptAnswer:
    person = before.person if before else None
    return KeptAnswer(
        key=key,
        answer=answer,
        state=AnswerState.QUARANTINED if reasons else AnswerState.ACCEPTED,
        reasons=reasons,
        person=person if reasons else known.reviewers.get(answer.reviewer.lower(), person),
        collected_at=before.collected_at if before else known.now,
    )
