"""Sheets are handed out, given back and shown on the desk, each with its entry in the trail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import InputError, NotFoundError, RefusedError, TransientError
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.queueing.hand_out import ClaimPolicy, Free, hand_out
from hitl_mlops.review.claims import Claim, ClaimBook, Ending
from hitl_mlops.review.desk import Desk
from hitl_mlops.review.moves import MoveBook
from hitl_mlops.review.roster import Person, Roster
from hitl_mlops.review.ticket import EXERCISES, LAST_WORD, Sheet, Ticket, TicketKind, TicketState
from hitl_mlops.review.tickets import TicketBook

MET_WITHIN = timedelta(days=30)
"""How far back it is looked who answered with whom."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What handing out did.

    Attributes:
        made: claims that begin now.
        ended: claims that are over, with why.
        free: sheets that nobody has.
        pages: name on the desk → where that person finds what is theirs.
        notes: what could not be done now, and is done next time.
    """

    made: tuple[Claim, ...] = ()
    ended: tuple[Claim, ...] = ()
    free: int = 0
    pages: Mapping[str, tuple[str, ...]] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandOut:
    """Hands sheets to people.

    Attributes:
        policy: how.
        roster: to whom.
        risk: lane → place in the order of rising oversight; lanes not named stand above.
        languages: decision ids → language of each case that has one.
        tickets, moves, claims, answers: the books.
        desk: asks for where sheets are answered; raises ServiceDownError where it is down.
        trail: where it is told.
        database: what the books share.
        key: the project's policy key.
        actor: who acts where no person does.
        seen: decision ids → roster ids of who answered about each: an exercise of it is not for them.
    """

    policy: ClaimPolicy
    roster: Roster
    risk: Mapping[str, int]
    languages: Callable[[Sequence[str]], Mapping[str, str]]
    tickets: TicketBook
    moves: MoveBook
    claims: ClaimBook
    answers: AnswerBook
    desk: Callable[[], Desk]
    trail: Trail
    database: Database
    key: bytes
    actor: str
    seen: Callable[[Sequence[str]], Mapping[str, Collection[str]]] = lambda _decisions: {}

    def run(self, now: datetime, *, to: str | None = None, count: int | None = None) -> Handed:
        """What lapsed is free again, and free sheets are somebody's; again: nothing happens.

        Args:
            now: the time.
            to: roster id of the one person who asks for work; None: everybody gets some.
            count: how many that person wants at the most; None: as many as they may hold.

        Raises:
            NotFoundError: nobody active on the roster has that id.
        """
        people = self.roster.people if to is None else (self._wants(to, count),)
        with self.database.transaction(first=True):
            self.claims.turn()
            sheets = self._sheets()
            ended = self._end_over(sheets, now)
            standing = [one for one in self.claims.standing() if one.holds(now)]
            free = self._free(sheets, standing)
            held = Counter(one.person for one in standing)
            if to is not None and count is not None:
                limit = min(held[to] + count, people[0].at_most)
                people = (replace(people[0], at_most=limit),)
            met = self.claims.met(now - MET_WITHIN)
            made = hand_out(free, people, held, met, self.policy, key=self.key, now=now)
            self.claims.make(made)
            self._tell(Kind.TICKETS_CLAIMED, made, to or self.actor, now, {})
        pages, notes = self._show(made)
        return Handed(tuple(made), tuple(ended), len(free) - len(made), pages, tuple(notes))

    def give_back(self, person: str, ticket_ids: Sequence[str], now: datetime) -> list[Claim]:
        """That person has these tickets no more; where none is named, none at all. The claims that ended.

        Raises:
            RefusedError: they do not have one of the tickets.
        """
        with self.database.transaction(first=True):
            self.claims.turn()
            theirs = [one for one in self.claims.standing() if one.person == person and one.holds(now)]
            have = {one.ticket_id for one in theirs}
            if missing := [one for one in ticket_ids if one not in have]:
                raise RefusedError(
                    f"{person} does not have {', '.join(missing)}.",
                    remedy="Run `hitl review status`: it shows who has what.",
                )
            back = [one for one in theirs if not ticket_ids or one.ticket_id in ticket_ids]
            self.claims.end(back, Ending.GIVEN_BACK, now)
            self._tell(Kind.TICKETS_GIVEN_BACK, back, person, now, {"because": Ending.GIVEN_BACK.value})
        self._show(())
        return back

    def _wants(self, name: str, count: int | None) -> Person:
        person = self.roster.named(name)
        if person is None or not person.active:
            raise NotFoundError(
                f"Nobody active in reviewers.yaml has the id {name!r}.",
                remedy="Give the `id` of the roster, not the account.",
            )
        if count is not None and count < 1:
            raise InputError("Nobody can claim fewer than one ticket.", remedy="Write --count 5.")
        return person

    def _sheets(self) -> list[tuple[Ticket, Sheet]]:
        """Every sheet on the desk whose ticket is open."""
        open_ = [one for one in self.moves.unanswered(tuple(TicketKind)) if one.state is TicketState.OPEN]
        of = {one.ticket_id: one for one in open_}
        first = [(one, Sheet(one.ticket_id, 1, one.blind, task_id=one.task_id)) for one in open_]
        further = [(of[one.ticket_id], one) for one in self.tickets.sheets(of)]
        return [(ticket, sheet) for ticket, sheet in (*first, *further) if sheet.task_id is not None]

    def _end_over(self, sheets: Sequence[tuple[Ticket, Sheet]], now: datetime) -> list[Claim]:
        """Claims whose sheet was answered, whose time ended, or whose ticket went to others, are over."""
        given = self.claims.given([ticket.ticket_id for ticket, _ in sheets])
        unanswered = {
            str(sheet.task_id): ticket.skill if sheet.skill is None else sheet.skill
            for ticket, sheet in sheets
            if str(sheet.task_id) not in {task for task, _ in given.get(ticket.ticket_id, ())}
        }
        over: dict[Ending, list[Claim]] = {ending: [] for ending in Ending}
        for one in self.claims.standing():
            person = self.roster.named(one.person)
            if one.task_id not in unanswered:
                over[Ending.DONE].append(one)
            elif one.until <= now:
                over[Ending.EXPIRED].append(one)
            elif person is None or not person.active or not person.can(unanswered[one.task_id]):
                over[Ending.MOVED].append(one)
        for ending, which in over.items():
            self.claims.end(which, ending, now)
            if ending is not Ending.DONE:
                self._tell(Kind.TICKETS_GIVEN_BACK, which, self.actor, now, {"because": ending.value})
        return [replace(one, ended_at=now, ending=ending) for ending, which in over.items() for one in which]

    def _free(self, sheets: Sequence[tuple[Ticket, Sheet]], standing: Sequence[Claim]) -> list[Free]:
        ids = sorted({ticket.ticket_id for ticket, _ in sheets})
        given, of_task = self.claims.given(ids), self.claims.of(ids)
        languages = self.languages([ticket.decision_id for ticket, _ in sheets])
        barred = self._barred([ticket.ticket_id for ticket, _ in sheets if ticket.kind in LAST_WORD])
        seen = self.seen([ticket.decision_id for ticket, _ in sheets if ticket.kind in EXERCISES])
        held = {one.task_id for one in standing}
        found: list[Free] = []
        for ticket, sheet in sheets:
            task, answered = str(sheet.task_id), given.get(ticket.ticket_id, [])
            if task in held or task in {one for one, _ in answered}:
                continue
            with_ = {one.person for one in standing if one.ticket_id == ticket.ticket_id}
            with_ |= {person for _, person in answered if person is not None}
            lapsed = {one.person for one in of_task.get(task, ()) if one.ending is Ending.EXPIRED}
            found.append(
                Free(
                    ticket_id=ticket.ticket_id,
                    task_id=task,
                    lane=ticket.lane,
                    suggestion=ticket.suggestion,
                    due_at=ticket.due_at,
                    risk=self.risk.get(ticket.lane, len(self.risk)),
                    skill=ticket.skill if sheet.skill is None else sheet.skill,
                    meant_for=ticket.meant_for,
                    language=languages.get(ticket.decision_id),
                    with_=frozenset(with_),
                    barred=barred.get(ticket.ticket_id, frozenset())
                    | frozenset(seen.get(ticket.decision_id, ()) if ticket.kind in EXERCISES else ()),
                    lapsed=frozenset(lapsed),
                )
            )
        return found

    def _barred(self, ticket_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Ticket id → people who answered the case before, and cannot have the last word on it."""
        if not ticket_ids:
            return {}
        ids = {one.account.lower(): one.person_id for one in self.roster.people}
        bound = self.answers.answered_by(list(self.answers.asked(ticket_ids).values()))
        return {
            name: frozenset(ids[account] for ticket, account in bound if ticket == name and account in ids)
            for name in ticket_ids
        }

    def _show(self, made: Iterable[Claim]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """The desk shows who has what; else what it did not take."""
        pending = self.claims.not_shown()
        holder = {one.task_id: one.person for one in pending if one.ended_at is None}
        done = {one.task_id for one in pending if one.ending is Ending.DONE}
        changes = {
            one.task_id: {"for": self.roster.label(holder.get(one.task_id, ""))}
            for one in pending
            if one.task_id in holder or one.task_id not in done
        }
        try:
            desk = self.desk()
            desk.hand(changes)
            names = sorted({self.roster.label(one.person) for one in made})
            pages = desk.tabs(names) if names else {}
        except TransientError as error:
            return {}, [error.fact]
        self.claims.mark_shown(pending)
        return pages, []

    def _tell(
        self, kind: Kind, which: Sequence[Claim], actor: str, now: datetime, facts: Mapping[str, str]
    ) -> None:
        if which:
            refs = {
                "ticket": [one.ticket_id for one in which],
                "person": [one.person for one in which],
            }
            self.trail.append([Event(kind, actor, now, refs, {"count": len(which), **facts})])
