"""A reviewer's flag freezes what is like the case: `guards.freeze_like` of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hitl_mlops.routing.kill_switch import KillSwitch
from hitl_mlops.routing.switches import LIKE, Order, Scope, Switch


@dataclass(frozen=True, slots=True)
class Flag:
    """A reviewer flagged the case of a decision.

    Attributes:
        decision_id: the decision.
        ticket_id: the ticket on which it was said.
        person: roster id of who said it.
    """

    decision_id: str
    ticket_id: str
    person: str


def freeze_flagged(flags: Sequence[Flag], tag: str, kill_switch: KillSwitch, now: datetime) -> list[Switch]:
    """What is like each flagged case is frozen; the switches that were set now.

    A person's flag of a decision counts once: lifted, it stays lifted, also when the answer is read again.

    Args:
        flags: all that reviewers flagged.
        tag: the reason code they did it by.
        kill_switch: freezes.
        now: the time of the freezing.
    """
    known = {(one.scope, one.by) for one in kill_switch.board.switches()} if flags else set()
    made: list[Switch] = []
    for flag in flags:
        scope = Scope(LIKE, flag.decision_id)
        if (scope, flag.person) not in known:
            known.add((scope, flag.person))
            order = Order(flag.person, f"{tag}, said on ticket {flag.ticket_id}", now)
            made.append(kill_switch.freeze(scope, order))
    return made
