"""People rule on refused answers: release or drop, under their name and with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.errors import BusyError, InputError, RefusedError
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.consensus import Vote, further_sheets, weigh
from hitl_mlops.overrides.decide import Settled, Step, settle
from hitl_mlops.overrides.events import ruled_event, settled_events
from hitl_mlops.overrides.may_answer import self_confirmed
from hitl_mlops.overrides.reasons import BINDING, person_and_ticket
from hitl_mlops.overrides.record import AnswerState, KeptAnswer
from hitl_mlops.overrides.screen import Known, Screen
from hitl_mlops.review.ticket import EXERCISES, Sheet


@dataclass(frozen=True, slots=True)
class Ruling:
    """A person's word on a refused answer.

    Attributes:
        by: roster id of the person; not the one who gave the answer.
        reason: why, in plain words; kept beside the answer, in the trail only as a digest.
        at: when.
    """

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The refused answers, and what people make of them.

    Attributes:
        book: where answers are kept.
        screen: what an answer must be to count.
        trail: where rulings are told.
        classes: labels that exist.
        reviewers: account (lower case) → roster id of the active people (`Collector.reviewers`).
    """

    book: AnswerBook
    screen: Screen
    trail: Trail
    classes: frozenset[str]
    reviewers: Mapping[str, str]

    def waiting(self) -> list[KeptAnswer]:
        """The answers that wait for a ruling, oldest first."""
        return self.book.quarantined()

    def release(self, key: str, ruling: Ruling) -> Settled:
        """The answer counts from now on, and its ticket is resolved anew. Released before: nothing happens.

        It takes the place of another content that the desk gave under the same revision.

        Raises:
            NotFoundError: no such answer.
            InputError: the ruling names no person or no reason.
            RefusedError: the answer's own reviewer rules on it, it no longer waits, or there is no ticket,
                person or class to count it for.
            BusyError: a collection was faster; nothing was changed.
        """
        with self.book.transaction():
            one = self._waiting(key, ruling, done=AnswerState.ACCEPTED)
            if one is None:
                return Settled()
            person = self.reviewers.get(one.answer.reviewer.lower())
            step = self._released(replace(one, person=person), ruling)
            self.book.write(step, ruling.at)
            told = ruled_event(Kind.ANSWERS_RELEASED, step.changed[0], ruling.by, ruling.at)
            self.trail.append([told, *settled_events(step.settled, ruling.by, ruling.at)])
        return step.settled

    def drop(self, key: str, ruling: Ruling) -> None:
        """The answer never counts, also if it is seen again. Dropped before: nothing happens.

        Raises:
            NotFoundError, InputError, RefusedError, BusyError: as `release`.
        """
        with self.book.transaction():
            one = self._waiting(key, ruling, done=AnswerState.DROPPED)
            if one is None:
                return
            dropped = _ruled(one, AnswerState.DROPPED, ruling)
            again = Settled(sheets=tuple(self._ask_another(one)))
            self.book.write(Step(0, changed=(dropped,), settled=again), ruling.at)
            told = ruled_event(Kind.ANSWERS_DROPPED, dropped, ruling.by, ruling.at)
            self.trail.append([told, *settled_events(again, ruling.by, ruling.at)])

    def _ask_another(self, dropped: KeptAnswer) -> list[Sheet]:
        """A sheet for somebody else, as the desk offers no sheet again that has an answer."""
        ticket = dropped.answer.ticket_id or ""
        background = self.book.background({ticket}, {})
        asked, standing = background.asked.get(ticket), background.standing.get(ticket)
        if asked is None or standing is not None or asked.kind in EXERCISES:
            return []
        votes = [Vote(one.key, one.person, one.answer) for one in background.elsewhere if one.person]
        outcome = weigh(asked, votes, background.scales.get(ticket))
        return further_sheets(replace(asked, spent=asked.spent + 1), outcome, votes)

    def _waiting(self, key: str, ruling: Ruling, done: AnswerState) -> KeptAnswer | None:
        """The answer, if the ruling may be made now; None if it was made before. Other writers wait."""
        if not ruling.by.strip() or not ruling.reason.strip():
            raise InputError(
                "A ruling needs a person and a reason.", remedy="Add --by PERSON --reason '…'.", key=key
            )
        one = self.book.answer(key)
        if one.state is done and one.ruled_by is not None:
            return None
        if one.state is not AnswerState.QUARANTINED:
            raise RefusedError(
                f"The answer {key} is {one.state}, not in quarantine.",
                remedy="Run `hitl quarantine list`: it shows what waits.",
                key=key,
            )
        if self.reviewers.get(one.answer.reviewer.lower()) == ruling.by:
            raise RefusedError(
                f"{ruling.by} gave the answer {key} and cannot rule on it.",
                remedy="Ask another person on the roster.",
                key=key,
            )
        if not self.book.move(one.answer.desk, self.book.watermark(one.answer.desk)):
            raise BusyError("A collection is being written.", remedy="Try again.", key=key)
        return one

    def _released(self, one: KeptAnswer, ruling: Ruling) -> Step:
        here = self.book.answers_of(one.answer.desk, [one.answer.task_id])
        background = self.book.background({one.answer.ticket_id or ""}, here)
        others = [*here.values(), *background.elsewhere]
        accepted = [other for other in others if other.state is AnswerState.ACCEPTED]
        same = [other for other in accepted if other.answer.annotation_id == one.answer.annotation_id]
        answered = frozenset(
            person_and_ticket(other.answer)
            for other in accepted
            if other not in same and not other.answer.skipped
        )
        asked, bars = frozenset(background.asked), self_confirmed([one.answer], background.bound)
        known = Known(self.classes, asked, self.reviewers, answered, ruling.at, bars)
        self._refuse_if_bound(one, known)
        changed = (
            _ruled(one, AnswerState.ACCEPTED, ruling),
            *(replace(other, state=AnswerState.SUPERSEDED) for other in same),
        )
        after = {other.key: other for other in (*others, *changed)}
        return Step(
            0,
            changed=changed,
            settled=settle([one.answer.ticket_id], after.values(), background, ruling.at),
        )

    def _refuse_if_bound(self, one: KeptAnswer, known: Known) -> None:
        [screened] = self.screen.screen([one.answer], known)
        binding = [str(reason) for reason in screened.reasons if reason in BINDING]
        if binding:
            raise RefusedError(
                f"The answer {one.key} cannot be released: {'; '.join(binding)}.",
                remedy="Mend that first (reviewers.yaml, the task's classes, the desk), or drop the answer.",
                key=one.key,
                reasons=binding,
            )


def _ruled(one: KeptAnswer, state: AnswerState, ruling: Ruling) -> KeptAnswer:
    return replace(one, state=state, ruled_by=ruling.by, ruling=ruling.reason)
