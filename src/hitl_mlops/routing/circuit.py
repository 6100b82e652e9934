"""The verbs: look at the breakers and reset one, each change kept together with its entry of the trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.ids import digest_of_reason
from hitl_mlops.routing.breaker import (
    Breaker,
    BreakerRule,
    BreakerState,
    Seen,
    first_opening,
    reset,
    stepped,
)
from hitl_mlops.routing.breaker_board import BreakerBoard, next_breaker_id
from hitl_mlops.routing.kill_switch import Transaction, check_order, scope_facts
from hitl_mlops.routing.switches import Order

_KINDS = {
    BreakerState.OPEN: Kind.BREAKER_OPENED,
    BreakerState.HALF_OPEN: Kind.BREAKER_HALF_OPENED,
    BreakerState.CLOSED: Kind.BREAKER_CLOSED,
}


@dataclass(frozen=True, slots=True)
class Circuit:
    """Takes decisions out of the models' hands when people overrule them too often.

    Attributes:
        board: where breakers are kept.
        trail: where each change is told, with a checkpoint at once.
        transaction: opens what board and trail share, `database.transaction`.
        key: the project's policy key; the trail holds the value of an attribute only under it.
    """

    board: BreakerBoard
    trail: Trail
    transaction: Transaction
    key: bytes

    def look(
        self, rule: BreakerRule | None, seen: Sequence[Seen], now: datetime, *, actor: str
    ) -> list[Breaker]:
        """Every breaker stands as the evidence has it; those that changed, once for each change.

        Of two who look at once the second finds what the first has kept, so that nothing is changed twice.

        Args:
            rule: when breakers open and close; None: they stay as they are.
            seen: answered decisions, in the order they were answered.
            now: the time of the look.
            actor: who looks, in the trail.
        """
        if rule is None or not list(_changes(self.board.breakers(), seen, rule, now)):
            return []
        with self.transaction():
            self.board.hold()
            changed = list(_changes(self.board.breakers(), seen, rule, now))
            for one in changed:
                self.board.keep(one)
            self.trail.append([self._event(_KINDS[one.state], one, actor, now) for one in changed])
        return changed

    def reset(self, breaker_id: str, order: Order) -> Breaker:
        """The breaker is closed by a person's word.

        Raises:
            InputError: the order names no person or no reason.
            NotFoundError: there is no such breaker.
            RefusedError: it is closed already.
        """
        check_order(order)
        with self.transaction():
            self.board.hold()
            closed = reset(self.board.get(breaker_id), order.at)
            self.board.keep(closed)
            event = self._event(Kind.BREAKER_RESET, closed, order.by, order.at)
            self.trail.append([_with_reason(event, order.reason)])
        return closed

    def _event(self, kind: Kind, one: Breaker, actor: str, now: datetime) -> Event:
        facts = scope_facts(one.scope, self.key) | {
            "figures": dict(one.figures),
            "answers": one.answers,
            "openings": one.openings,
        }
        return Event(kind, actor, now, {"breaker": [one.breaker_id]}, facts)


def _changes(
    kept: Sequence[Breaker], seen: Sequence[Seen], rule: BreakerRule, now: datetime
) -> Iterator[Breaker]:
    for one in kept:
        yield from _steps_of(one, seen, rule, now)
    known = {one.scope for one in kept}
    scopes = {scope for one in seen for scope in one.scopes if scope.name == rule.per} - known
    opened = list(kept)
    for scope in sorted(scopes, key=str):
        first = first_opening(scope, next_breaker_id(opened), seen, rule, now)
        if first is not None:
            opened.append(first)
            yield first


def _steps_of(breaker: Breaker, seen: Sequence[Seen], rule: BreakerRule, now: datetime) -> Iterator[Breaker]:
    for _ in BreakerState:  # from one state to another at most, and never round in a circle
        after = stepped(breaker, seen, rule, now)
        if after == breaker:
            return
        breaker = after
        yield breaker


def _with_reason(event: Event, reason: str) -> Event:
    facts = {**event.facts, "reason_digest": digest_of_reason(reason)}
    return Event(event.kind, event.actor, event.at, event.refs, facts)
