"""Late tickets climb, each step together with its entry in the trail; then the desk is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.callbacks.book import CallbackBook
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import TransientError
from hitl_mlops.ids import instant
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.queueing.ladder import CLIMBING, Ladder, climb
from hitl_mlops.review.desk import Desk
from hitl_mlops.review.moves import Move, MoveBook, What
from hitl_mlops.review.ticket import Ticket, TicketState
from hitl_mlops.review.tickets import TicketBook

AT_ONCE = 100
"""Tickets whose steps are kept in one transaction."""
_KINDS: Mapping[What, Kind] = {
    What.REMINDED: Kind.TICKETS_REMINDED,
    What.HANDED_UP: Kind.TICKETS_HANDED_UP,
    What.LEFT_WAITING: Kind.TICKETS_LEFT_WAITING,
    What.EXPIRED: Kind.TICKETS_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Climbed:
    """What a look at the ladder did.

    Attributes:
        moves: the steps taken, of each ticket in order; with `dry_run` those that would be.
        dry_run: nothing was changed.
        not_shown: tickets whose last step the desk does not show yet.
        notes: what could not be done now, and is done next time.
        has_ladder: the policy says what becomes of late tickets.
    """

    moves: tuple[Move, ...] = ()
    dry_run: bool = False
    not_shown: int = 0
    notes: tuple[str, ...] = ()
    has_ladder: bool = True

    def count(self, what: What) -> int:
        """How many steps did that."""
        return sum(move.what is what for move in self.moves)


@dataclass(frozen=True, slots=True)
class Escalator:
    """Moves late tickets.

    Attributes:
        ladder: the steps of the policy in force.
        tickets, moves, answers: the books.
        desk: asks for where tickets are answered; raises ServiceDownError where it is down.
        trail: where each step is told.
        callbacks: applications that want to know of a decision.
        database: what the books share.
        actor: who acts.
    """

    ladder: Ladder
    tickets: TicketBook
    moves: MoveBook
    answers: AnswerBook
    desk: Callable[[], Desk]
    trail: Trail
    callbacks: CallbackBook
    database: Database
    actor: str

    def due(self, now: datetime) -> list[tuple[Ticket, list[Move]]]:
        """Each ticket that has steps to take by now, with them; the earliest due first."""
        if not self.ladder.rungs:
            return []
        found = [(ticket, climb(ticket, self.ladder, now)) for ticket in self.moves.unanswered(CLIMBING)]
        late = [(ticket, moves) for ticket, moves in found if moves]
        return sorted(late, key=lambda pair: (pair[1][0].due_at, pair[0].ticket_id))

    def climb(self, now: datetime) -> list[Move]:
        """Every ticket stands where it must by now; the steps that were taken. Again: nothing happens."""
        taken: list[Move] = []
        for piece in _pieces(self.due(now)):
            with self.database.transaction():
                kept = [
                    move
                    for ticket, moves in piece
                    if self.moves.take(moves, before=ticket.step)
                    for move in moves
                ]
                if kept:
                    self.trail.append([self._event(move) for move in kept])
                    self._announce(kept, now)
                taken += kept
        return taken

    def show(self) -> list[str]:
        """The desk shows where tickets lie now, and offers no expired one; what it could not do, in words."""
        pending = self.moves.not_shown()
        states = {one.ticket_id: one.state for one in self.tickets.by_ids(one.ticket_id for one in pending)}
        tasks = self.tickets.tasks([one.ticket_id for one in pending])
        of: dict[TicketState, list[Move]] = {state: [] for state in TicketState}
        for one in pending:
            of[states[one.ticket_id]].append(one)
        over, moved = of.pop(TicketState.EXPIRED), of.pop(TicketState.OPEN)
        del of[TicketState.WAITING]  # what is not on the desk yet is pushed as it lies by then
        done = [one for which in of.values() for one in which]
        notes: list[str] = []
        try:
            desk = self.desk()
            desk.hand({task: _shown(one) for one in moved for task in tasks[one.ticket_id]})
            done += moved
            desk.close([task for one in over for task in tasks[one.ticket_id]])
            done += over
        except TransientError as error:
            notes.append(error.fact)
        for until in {one.happened_at for one in done}:
            self.moves.mark_shown([one.ticket_id for one in done if one.happened_at == until], until)
        return notes

    def _announce(self, moves: Sequence[Move], now: datetime) -> None:
        """Applications are told of decisions that nobody will make any more."""
        decisions = {move.decision_id for move in moves if move.what is What.EXPIRED}
        ended = self.moves.ended(decisions) if decisions else {}
        answered = self.answers.resolutions_of(list(ended)) if ended else {}
        causes = {name: one.move_id for name, one in ended.items() if name not in answered}
        if causes:
            self.callbacks.announce(causes, now)

    def _event(self, move: Move) -> Event:
        refs = {"ticket": [move.ticket_id], "decision": [move.decision_id]}
        facts = {
            "step": move.step,
            "lane": move.lane,
            "skill": move.skill,
            "due_at": instant(move.due_at),
            "ladder": move.ladder,
            "policy_version": self.ladder.version,
        }
        return Event(_KINDS[move.what], self.actor, move.happened_at, refs, facts)


def _shown(move: Move) -> dict[str, str]:
    shown = {"lane": move.lane}
    return shown if move.until is None else {**shown, "due": move.until.strftime("%Y-%m-%d %H:%M %Z")}


def _pieces(late: list[tuple[Ticket, list[Move]]]) -> Iterator[list[tuple[Ticket, list[Move]]]]:
    for start in range(0, len(late), AT_ONCE):
        yield late[start : start + AT_ONCE]
