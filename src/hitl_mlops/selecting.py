"""The verb: people are asked about decisions to learn from, as far as the week's hours allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.errors import BusyError, ConfigurationError
from hitl_mlops.ids import parse_instant
from hitl_mlops.review.budget import MEASURED_OVER, WEEK, Room, room_left, selection_policy
from hitl_mlops.review.candidates import unasked
from hitl_mlops.review.interface import STANDARD_LANE
from hitl_mlops.review.open import ask, learning_tickets
from hitl_mlops.review.selection import Candidates, FloatArray, IntArray, Selection, select
from hitl_mlops.review.ticket import TicketKind, ticket_id_of
from hitl_mlops.verbs import Verbs

if TYPE_CHECKING:
    from hitl_mlops.audit.entry import Entry
    from hitl_mlops.rollout.state import Rollout

SELECTION = "selection"
"""What the entries of the trail are about that tell of such choices."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Selected:
    """What people are asked to learn from.

    Attributes:
        version: the model whose decisions they are.
        since: the decisions of this time and later could be chosen.
        candidates: how many could have been.
        at_random: decisions that were drawn, each candidate with probability `pi`.
        in_doubt: decisions chosen by doubt, impact and diversity.
        pi: probability with which each candidate was to be drawn.
        hours: what their answers will take.
        room: what the week had left before.
        opened: tickets that are new; 0 after a dry run.
    """

    version: str
    since: datetime
    candidates: int
    at_random: tuple[str, ...]
    in_doubt: tuple[str, ...]
    pi: float
    hours: float
    room: Room
    opened: int = 0

    @property
    def count(self) -> int:
        """How many questions."""
        return len(self.at_random) + len(self.in_doubt)


@dataclass(frozen=True, slots=True)
class Selecting:
    """Questions to learn from."""

    verbs: Verbs

    def room(self) -> Room:
        """What is left of the week."""
        parts = self.verbs.parts
        now = parts.clock()
        answers = parts.answers.timed(now - MEASURED_OVER)
        hours = selection_policy(parts.policy).hours_per_week
        each = max(1, len(self.verbs.deadlines.stages.get(STANDARD_LANE, ())))
        awaited = parts.tickets.answers_awaited()
        return room_left(hours, answers, awaited, now=now, answers_each=each)

    def select(self, at_most: int | None = None, *, dry_run: bool = False) -> Selected:
        """Blind tickets about decisions that nobody was asked about are open, with their entry in the trail.

        They are the champion's of the last seven days. No more are opened than fit into what is left of the
        week. A dry run chooses what the next call would, and writes nothing.

        Args:
            at_most: how many; None: what is left of the week.
            dry_run: nothing is written.

        Raises:
            ConfigurationError: neither the policy names a budget nor the caller a number.
            NotFoundError: there is no champion yet.
            BusyError: somebody else chose at the same time, or too many tickets wait for the desk.
        """
        room = self.room()
        if room.fits is None and at_most is None:
            raise ConfigurationError(
                "policy.yaml names no hours for questions to learn from.",
                remedy="Write review: {budget_hours_per_week: 5} there, or give a number: "
                "hitl review select --at-most 50.",
            )
        wanted = min(number for number in (room.fits, at_most) if number is not None)
        if not dry_run:
            self.verbs.demand_room()
        return self._chosen(wanted, room, dry_run=dry_run)

    def daily(self) -> Selected | None:
        """`select` of a seventh of the week's hours; None without a budget, without room, or twice a day.

        Raises:
            NotFoundError, BusyError: as `select`.
        """
        room, told = self.room(), self._told()
        now = self.verbs.parts.clock()
        if not room.fits or room.hours is None or (told and now - _at(told[-1]) < DAY):
            return None
        return self.select(max(1, room.fitting(room.hours / WEEK.days)))

    def _told(self) -> list[Entry]:
        return list(self.verbs.parts.trail.about(SELECTION))

    def _chosen(self, wanted: int, room: Room, *, dry_run: bool) -> Selected:
        parts, champion, name = self.verbs.parts, self.verbs.champion(), str(len(self._told()))
        now = parts.clock()
        since = now - WEEK
        candidates = unasked(
            parts.log.store.blocks(since=since), champion.challenger, parts.tickets.asked_since(since)
        )
        found = select(
            candidates,
            wanted,
            key=parts.policy_key,
            name=name,
            features=lambda rows: self._features(candidates, rows),
            random_share=selection_policy(parts.policy).random_share,
        )
        selected = _selected(found, candidates, champion, room, since)
        return selected if dry_run or not found.rows else self._open(selected, name, now)

    def _features(self, candidates: Candidates, rows: IntArray) -> FloatArray | None:
        from hitl_mlops.training.features import features_of

        parts, names = self.verbs.parts, [candidates.names[row] for row in rows.tolist()]
        decided = parts.log.many(names)
        cases = parts.log.cases(one.case_id for one in decided.values())
        return features_of(inputs_frame([cases[decided[name].case_id] for name in names]), parts.task)

    def _open(self, selected: Selected, name: str, now: datetime) -> Selected:
        parts, verbs = self.verbs.parts, self.verbs
        decided = parts.log.many((*selected.at_random, *selected.in_doubt))
        cases = parts.log.cases(one.case_id for one in decided.values())
        chosen = [decided[one] for one in (*selected.at_random, *selected.in_doubt)]
        wanted = learning_tickets(chosen, cases, verbs.shown, verbs.deadlines, now=now)
        with parts.database.transaction(first=True):
            if str(len(self._told())) != name:
                raise BusyError("Somebody else chose questions at the same time.", remedy="Try again.")
            opened = ask(wanted, parts.tickets, parts.trail, parts.database, now=now, actor=verbs.actor)
            parts.trail.append([_event(selected, verbs.actor, now)])
        return replace(selected, opened=len(opened))


def _selected(
    found: Selection, candidates: Candidates, champion: Rollout, room: Room, since: datetime
) -> Selected:
    return Selected(
        version=champion.challenger,
        since=since,
        candidates=found.candidates,
        at_random=tuple(candidates.names[row] for row in found.at_random),
        in_doubt=tuple(candidates.names[row] for row in found.in_doubt),
        pi=found.pi,
        hours=room.hours_of(len(found.rows)),
        room=room,
    )


def _event(selected: Selected, actor: str, now: datetime) -> Event:
    drawn = [ticket_id_of(one, TicketKind.LEARNING) for one in selected.at_random]
    return Event(
        kind=Kind.QUESTIONS_CHOSEN,
        actor=actor,
        at=now,
        refs={"series": [SELECTION], "model": [selected.version]},
        facts={
            "candidates": selected.candidates,
            "since": selected.since,
            "pi": selected.pi,
            "drawn": drawn,
            "in_doubt": len(selected.in_doubt),
            "hours": round(selected.hours, 4),
            "left_h": None if selected.room.left_h is None else round(selected.room.left_h, 4),
        },
    )


def _at(entry: Entry) -> datetime:
    return parse_instant(entry.read()["at"])
