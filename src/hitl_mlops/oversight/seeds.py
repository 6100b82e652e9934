"""Which known cases become seeds: secret questions whose suggestion is wrong. Pure.

A seed stands beside a ticket that waits for the desk and looks like it: of the same route, in the same lane,
with the same deadline, decided by the same model at the same time, under an id of the same form. So nobody
can tell it by anything but the case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from hitl_mlops.decisions.record import Decision
from hitl_mlops.ids import keyed_fraction, keyed_id
from hitl_mlops.oversight.exercise import Known
from hitl_mlops.oversight.policy import OversightPolicy
from hitl_mlops.review.interface import STANDARD_LANE
from hitl_mlops.review.ticket import SAMPLED, Ticket, TicketKind


@dataclass(frozen=True, slots=True)
class Pool:
    """What seeds are chosen from, and for whom.

    Attributes:
        known: cases whose truth is known.
        used: decisions that were a seed before; none is twice.
        active: roster ids of those who may answer; empty: whoever has an account.
        fast: those of them who answer faster than difficulty explains.
        able: skill → those of them who have it; None asks for none.
    """

    known: Sequence[Known]
    used: AbstractSet[str] = frozenset()
    active: Collection[str] = ()
    fast: Collection[str] = ()
    able: Callable[[str | None], Collection[str]] | None = None

    def may_answer(self, skill: str | None) -> frozenset[str]:
        """Roster ids of those who may answer a ticket that asks for the skill."""
        return frozenset(self.active if self.able is None else self.able(skill))


@dataclass(frozen=True, slots=True)
class Seed:
    """One seed to be opened.

    Attributes:
        ticket_id: its own.
        beside: the ticket that it looks like.
        known: the case that it is made of.
        decision: what its page says that the model said: never the truth.
        meant_for: roster id of who is asked; None: whoever may.
    """

    ticket_id: str
    beside: Ticket
    known: Known
    decision: Decision
    meant_for: str | None = None


@dataclass(slots=True)
class _Drawer:
    pool: Pool
    key: bytes
    taken: set[str] = field(default_factory=set)

    def one(self, ticket: Ticket, like: Decision, person: str | None) -> Seed | None:
        """The seed beside that ticket; None where no known case is like it and new to who is asked."""
        ticket_id = keyed_id("t", self.key, TicketKind.SEED, ticket.ticket_id, person or "")
        fitting = [
            one
            for one in self.pool.known
            if one.decision.route == like.route
            and one.decision.decision_id not in self.taken
            and self._is_new(one, person, ticket.skill)
        ]
        fitting.sort(key=lambda one: self._rank(one, ticket_id))
        for one in fitting:
            told = wrong_suggestion(one, ticket.lane)
            if told is not None:
                self.taken.add(one.decision.decision_id)
                return Seed(ticket_id, ticket, one, _as_now(told, like), person)
        return None

    def _is_new(self, one: Known, person: str | None, skill: str | None) -> bool:
        """Somebody who may get it has not seen it; the person, where one is asked."""
        people = self.pool.may_answer(skill)
        if person is not None:
            return person in people and person not in one.seen_by
        return not self.pool.active or not people <= one.seen_by

    def _rank(self, one: Known, ticket_id: str) -> tuple[int, float]:
        return len(one.seen_by), keyed_fraction(self.key, "pick", ticket_id, one.decision.decision_id)


def drawn(ticket_ids: Iterable[str], policy: OversightPolicy, key: bytes, pool: Pool) -> list[str]:
    """Those of the tickets that are to have a seed beside them, by their ids alone."""
    more = _more_for_each(policy, pool)
    return [one for one in ticket_ids if _drawn_for(one, policy, key, pool, more)]


def choose_seeds(
    tickets: Sequence[Ticket],
    decisions: Mapping[str, Decision],
    pool: Pool,
    policy: OversightPolicy,
    key: bytes,
) -> list[Seed]:
    """The seeds that stand beside these tickets, in their order: so many as the policy's share, drawn by key.

    The same tickets always have the same seeds beside them. Only tickets of routes and spot checks that ask
    one person and show the model's answer have any. Somebody who answers fast gets `when_fast` times as many,
    meant for them.

    Args:
        tickets: those that wait for the desk.
        decisions: decision id → decision, for the tickets; without it a ticket has no seed.
        pool: what seeds are made of.
        policy: how many.
        key: the project's policy key.
    """
    drawer, found = _Drawer(pool, key, set(pool.used)), []
    more = _more_for_each(policy, pool)
    for ticket in tickets:
        like = decisions.get(ticket.decision_id)
        for person in _whom(ticket, policy, key, pool, more) if like is not None else ():
            seed = drawer.one(ticket, like, person) if like is not None else None
            found += [seed] if seed is not None else []
    return found


def wrong_suggestion(known: Known, lane: str = STANDARD_LANE) -> Decision | None:
    """The decision as a page may tell it that suggests a wrong class; None where there is none.

    Where the model was wrong, that is what it said. Where it was right, it is said to have taken the
    runner-up: both classes change places with their probabilities, so that confidence and order stay those
    of a real answer. Above `standard`, where pages tell the rules that fired, none of them may name the
    class that is hidden.
    """
    decision = known.decision
    if not known.model_was_right:
        return decision
    if lane != STANDARD_LANE and any(_names(reason, decision.label) for reason in decision.reasons):
        return None
    others = decision.alternatives(1)
    if not others:
        return None
    label, probability = others[0]
    swapped = {**decision.probabilities, label: decision.confidence, decision.label: probability}
    return replace(decision, label=label, probabilities=swapped)


def _as_now(told: Decision, like: Decision) -> Decision:
    """As if it had been decided together with that decision."""
    return replace(
        told,
        at=like.at,
        model_version=like.model_version,
        model_digest=like.model_digest,
        policy_hash=like.policy_hash,
        arm=like.arm,
        spot_check=like.spot_check,
        signatures=like.signatures,
    )


def _whom(ticket: Ticket, policy: OversightPolicy, key: bytes, pool: Pool, more: float) -> list[str | None]:
    """For whom seeds stand beside the ticket; None: for whoever may answer."""
    asks_anybody = ticket.signatures == 1 and ticket.meant_for is None and ticket.step == 0
    asks_anybody &= not (ticket.blind_first or ticket.stages or ticket.copy > 1)
    if ticket.kind not in SAMPLED or ticket.blind or not asks_anybody:
        return []
    return _drawn_for(ticket.ticket_id, policy, key, pool, more)


def _drawn_for(
    ticket_id: str, policy: OversightPolicy, key: bytes, pool: Pool, more: float
) -> list[str | None]:
    found: list[str | None] = []
    if keyed_fraction(key, TicketKind.SEED, ticket_id) < policy.seed_share:
        found.append(None)
    fast = sorted(set(pool.fast))
    found += [one for one in fast if keyed_fraction(key, TicketKind.SEED, ticket_id, one) < more]
    return found


def _more_for_each(policy: OversightPolicy, pool: Pool) -> float:
    """Seeds meant for one who is fast, as a share of all tickets: of those they answer their part."""
    people = max(len(set(pool.active)), 1)
    return min(policy.seed_share * (policy.when_fast - 1) / people, 1.0)


def _names(reason: str, label: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(label)}(?![\w.])", reason) is not None
