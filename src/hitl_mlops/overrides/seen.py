"""What people said of the latest decisions, as the breakers weigh it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.record import Decision
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.routing.breaker import ERROR_RATE, Breaker, BreakerRule, Seen
from hitl_mlops.routing.conditions import spell
from hitl_mlops.routing.guards import held_by
from hitl_mlops.routing.switches import EVERYTHING, LABEL, MODEL, Scope

LOOKED_BACK = 20
"""Where each value has a breaker, so many windows of answers are read for all of them together."""
NO_VALUE = "missing"
"""The value of a scope whose decisions have none."""


def gather_seen(
    book: AnswerBook,
    log: DecisionLog,
    rule: BreakerRule,
    kept: Sequence[Breaker],
    outcomes: Callable[[Collection[str]], Mapping[str, str]],
) -> list[Seen]:
    """The latest answered decisions, in the order they were answered.

    Only tickets that were drawn with the stored π count. One window of them is read, or twenty where there
    are breakers for several scopes, or one waits for its trial.

    Args:
        book: what people said.
        log: what they said it of.
        rule: how many count, and what has breakers.
        kept: breakers that were open before.
        outcomes: decision ids → the class that proved right, for those of which it is known.
    """
    single = rule.per == EVERYTHING and not any(one.holds for one in kept)
    latest = book.latest_resolutions(rule.window * (1 if single else LOOKED_BACK))
    found = log.many(one.decision_id for one in latest)
    proved = outcomes(found) if ERROR_RATE in rule.bounds else {}
    names = {rule.per} | {one.scope.name for one in kept}
    return [
        _seen(found[one.decision_id], one, names, proved.get(one.decision_id))
        for one in latest
        if one.decision_id in found
    ]


def _seen(decision: Decision, said: Resolution, names: Collection[str], right: str | None) -> Seen:
    answered = bool(decision.label)
    return Seen(
        at=decision.at,
        scopes=frozenset(_scope(decision, name) for name in names),
        overridden=said.override,
        failed=not answered or right not in (None, decision.label),
        confidence=decision.confidence if answered else None,
        pi=decision.pi,
        held_by=held_by(decision.reasons),
    )


def _scope(decision: Decision, name: str) -> Scope:
    if name == EVERYTHING:
        return Scope()
    own = {MODEL: decision.model_version, LABEL: decision.label or None}
    value = own[name] if name in own else decision.attributes.get(name)
    return Scope(name, NO_VALUE if value is None else spell(value))
