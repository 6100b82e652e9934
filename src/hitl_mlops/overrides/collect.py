"""Answers are collected from a desk exactly once, whatever is killed when.

The poll is the truth. Each page is compared with what is kept, screened, decided (`decide`), and written in
one transaction with its trail entries and the watermark. A reading may be written only if nobody wrote since
it was begun (`Watermark.generation`); else it is made again: two collectors at once are slower, never wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hitl_mlops.audit.trail import Trail
from hitl_mlops.errors import BusyError, TransientError
from hitl_mlops.ids import instant
from hitl_mlops.overrides.book import AnswerBook, Watermark
from hitl_mlops.overrides.decide import Step, answered_before, compare, decide_collection
from hitl_mlops.overrides.deletions import DeletionPolicy, refuse_mass_deletion
from hitl_mlops.overrides.events import events_of
from hitl_mlops.overrides.may_answer import barred, self_confirmed
from hitl_mlops.overrides.record import Collected
from hitl_mlops.overrides.screen import Known, Screen
from hitl_mlops.overrides.tally import Tally
from hitl_mlops.review.desk import BEGINNING, Cursor, Desk, DeskTask
from hitl_mlops.review.roster import Roster

READINGS_LOST_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class CollectPolicy:
    """How a desk is read.

    Attributes:
        overlap_s: how far behind the watermark each pull begins, in seconds: changes may become visible late,
            and the desk's clock may be set back.
        sweep_every_s: how often all is read again and deleted tasks are looked for, in seconds.
        deletions: how much a sweep may take back unasked.
    """

    overlap_s: float = 300.0
    sweep_every_s: float = 86_400.0
    deletions: DeletionPolicy = field(default_factory=DeletionPolicy)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Collector:
    """Brings a desk's answers into the book.

    Attributes:
        desk: where people answer.
        book: where answers are kept.
        screen: what an answer must be to count.
        trail: where it is told.
        classes: labels that exist.
        roster: who may answer.
        policy: how the desk is read.
        clock: our time.
        actor: who collects, in the trail.
    """

    desk: Desk
    book: AnswerBook
    screen: Screen
    trail: Trail
    classes: frozenset[str]
    roster: Roster = field(default_factory=Roster)
    policy: CollectPolicy = field(default_factory=CollectPolicy)
    clock: Callable[[], datetime] = _utc_now
    actor: str = "flow:collect"

    def collect(self) -> Collected:
        """What changed on the desk since the last time is kept, and its tickets are resolved anew.

        The first pull reads all tasks with replies; the first sweep is due a day later.

        Raises:
            ServiceDownError: the desk stopped answering. What was kept until then stays, and running it again
                goes on from there; `data["collected"]` tells how much that is.
            BusyError: other writers were faster a hundred times in a row.
            RefusedError: a sweep is due, and refused as `sweep` says.
        """
        mark = self.book.watermark(self.desk.name)
        if mark.cursor is None:
            return self._run(None, swept=False)
        if (
            mark.swept_at is None
            or (self.clock() - mark.swept_at).total_seconds() >= self.policy.sweep_every_s
        ):
            return self.sweep()
        return self._run(behind(mark.cursor, self.clock(), self.policy.overlap_s), swept=False)

    def sweep(self, *, accept_deletions: bool = False) -> Collected:
        """All is read again from the beginning, and answers on deleted tasks are withdrawn.

        This also finds what a desk's clock hid when it was set back by more than the overlap.

        Raises:
            RefusedError: most resolutions would be taken back, as when a project was emptied or restored from
                an old backup, and `accept_deletions` is not set; nothing was changed.
            ServiceDownError, BusyError: as `collect`.
        """
        return self._run(BEGINNING, swept=True, accept_deletions=accept_deletions)

    def reviewers(self) -> Mapping[str, str]:
        """Account (lower case) → roster id of who may answer; without a roster the desk's user ids."""
        if self.roster.people:
            return self.roster.active_accounts()
        return {account.lower(): f"u{user_id}" for account, user_id in self.desk.people().items()}

    def _run(self, since: Cursor | None, *, swept: bool, accept_deletions: bool = False) -> Collected:
        tally = Tally()
        try:
            if swept and not accept_deletions:
                refuse_mass_deletion(self.desk, self.book, self.policy.deletions)
            reviewers = self.reviewers()
            self._read(since, reviewers, tally)
            if swept:
                self._find_deleted(reviewers, tally)
        except TransientError as error:
            raise type(error)(
                f"{error.fact} {tally.new} new answers in {tally.pages} pages had been kept by then.",
                remedy=f"{error.remedy} Then run `hitl collect` again: it goes on from there.".strip(),
                **{**error.data, "collected": tally.collected()},
            ) from error
        return tally.collected()

    def _read(self, since: Cursor | None, reviewers: Mapping[str, str], tally: Tally) -> None:
        """Every page from `since` on is kept; a page that another writer overtook is read again."""
        lost = 0
        mark = self.book.watermark(self.desk.name)
        pages = self.desk.changes(since)
        while (page := next(pages, None)) is not None:
            if not page:
                continue
            reached = max(task.cursor for task in page)
            now = self.clock()
            step = self._decide(page, reviewers, now)
            farther = _farther(mark.cursor, reached, now)
            kept = self._keep(step, replace(mark, cursor=farther, swept_at=mark.swept_at or now), now)
            if kept is None:
                lost = _one_more_lost(lost)
                mark, pages = self.book.watermark(self.desk.name), self.desk.changes(since)
            else:
                lost, mark, since = 0, kept, reached
                tally.add(step)

    def _find_deleted(self, reviewers: Mapping[str, str], tally: Tally) -> None:
        """Answers on tasks that are gone from the desk are withdrawn, and the sweep is noted."""
        lost = 0
        while True:
            mark = self.book.watermark(self.desk.name)
            deleted = self.book.task_ids(self.desk.name) - set(self.desk.task_ids())
            now = self.clock()
            page = [DeskTask(task_id, None, "", ()) for task_id in sorted(deleted)]
            step = self._decide(page, reviewers, now)
            if self._keep(step, replace(mark, swept_at=now), now) is not None:
                tally.add(step)
                return
            lost = _one_more_lost(lost)

    def _decide(self, page: Sequence[DeskTask], reviewers: Mapping[str, str], now: datetime) -> Step:
        """Gather, screen, decide; writes nothing."""
        kept = self.book.answers_of(self.desk.name, [task.task_id for task in page])
        difference = compare(page, kept)
        if not (difference.to_screen or difference.gone):
            return Step(difference.pulled)
        here = [*difference.to_screen.values(), *(one.answer for one in kept.values())]
        background = self.book.background({one.ticket_id for one in here if one.ticket_id}, kept)
        answered = answered_before(difference, kept, background.elsewhere)
        to_screen = list(difference.to_screen.values())
        moves = self.book.moves_of(background.asked)
        claims = self.book.claims_of(background.asked)
        bars = barred(to_screen, background.asked, moves, self.roster, reviewers, claims)
        bars |= self_confirmed(to_screen, background.bound)
        known = Known(self.classes, frozenset(background.asked), reviewers, answered, now, bars)
        screened = self.screen.screen(to_screen, known)
        return decide_collection(difference, screened, kept, background, known)

    def _keep(self, step: Step, reached: Watermark, now: datetime) -> Watermark | None:
        """Rows, trail entries and watermark are kept together; None, nothing kept, if others wrote since."""
        if step.empty and self.book.watermark(self.desk.name) == reached:
            return reached
        with self.book.transaction():
            if not self.book.move(self.desk.name, reached):
                return None
            self.book.write(step, now)
            self.trail.append(events_of(step, self.actor, now))
        return replace(reached, generation=reached.generation + 1)


def behind(cursor: Cursor, now: datetime, overlap_s: float) -> Cursor:
    """The place to begin a pull: `overlap_s` before the watermark, or before now if that is earlier.

    >>> behind(Cursor("2026-01-02T00:10:00.000000Z", 7), datetime(2026, 1, 2, 1, tzinfo=UTC), 300.0)
    Cursor(changed_at='2026-01-02T00:05:00.000000Z', task_id=0)
    """
    moment = min(datetime.fromisoformat(cursor.changed_at), now) - timedelta(seconds=overlap_s)
    return Cursor(_as_on_the_desk(moment, cursor), 0)


def _farther(mark: Cursor | None, reached: Cursor, now: datetime) -> Cursor:
    """The later of the two, never later than our own time: a desk that runs ahead would hide what follows."""
    ours = Cursor(_as_on_the_desk(now, reached), 0)
    return min(max(mark or reached, reached), ours)


def _as_on_the_desk(moment: datetime, like: Cursor) -> str:
    text = instant(moment)
    return text.replace("+00:00", "Z") if like.changed_at.endswith("Z") else text


def _one_more_lost(lost: int) -> int:
    if lost + 1 >= READINGS_LOST_AT_MOST:
        raise BusyError(
            f"Other collections were faster {READINGS_LOST_AT_MOST} times in a row.",
            remedy="Let them finish. Nothing was lost or doubled.",
        )
    return lost + 1
