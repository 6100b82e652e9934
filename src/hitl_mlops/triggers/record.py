"""What the trail is told of a look, and what it tells of earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hitl_mlops.audit.entry import Entry, Event, Kind
from hitl_mlops.ids import parse_instant
from hitl_mlops.training.registry import RETRAINING
from hitl_mlops.triggers.decide import Decided
from hitl_mlops.triggers.findings import Finding

FIGURES = 6
"""Digits of a figure in the trail."""


def decided_event(decided: Decided, *, cause: str, champion: str, actor: str) -> Event:
    """The trail's event of a look: the answer, what every trigger said, and what was done or asked."""
    facts = {
        "answer": decided.answer.name.lower(),
        "cause": cause,
        "reasons": list(decided.reasons),
        "findings": [_finding(one) for one in decided.findings],
        "tasks": [
            {"act": one.act.value, "scope": one.scope, "automatic": one.automatic, "waits": one.waits}
            for one in decided.tasks
        ],
    }
    refs = {"series": [RETRAINING], "champion": [champion]}
    return Event(Kind.RETRAINING_DECIDED, actor, decided.at, refs, facts)


def _finding(one: Finding) -> dict[str, Any]:
    value = None if one.value is None else float(f"{one.value:.{FIGURES}g}")
    return {
        "trigger": one.trigger.value,
        "state": one.state.value,
        "value": value,
        "bound": float(f"{one.bound:.{FIGURES}g}"),
        "severe": one.severe,
        "widespread": one.widespread,
        "slices": list(one.slices),
    }


def last_decided(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """The facts of the last look in the trail; None before the first."""
    told = (entry.read() for entry in reversed(entries))
    return next((dict(one["facts"]) for one in told if one["kind"] == Kind.RETRAINING_DECIDED), None)


def standing_in(facts: dict[str, Any] | None) -> frozenset[str]:
    """Names of the triggers that had fired at that look."""
    return frozenset(one["trigger"] for one in (facts or {}).get("findings", ()) if one["state"] == "fired")


def says_the_same(facts: dict[str, Any] | None, event: Event) -> bool:
    """The look came to what the last one did: the same answer, for the same triggers, with the same acts."""
    return facts is not None and _gist(facts) == _gist(event.facts)


def _gist(facts: Any) -> Any:
    states = [(one["trigger"], one["state"], one["severe"], one["slices"]) for one in facts["findings"]]
    tasks = [(one["act"], one["scope"], one["automatic"], bool(one["waits"])) for one in facts["tasks"]]
    return facts["answer"], states, tasks


def retrained_at(entries: Sequence[Entry]) -> datetime | None:
    """When a challenger was last registered; None where none ever was."""
    told = (entry.read() for entry in reversed(entries))
    times = (one["at"] for one in told if one["kind"] == Kind.MODEL_REGISTERED and one["facts"]["champion"])
    latest = next(times, None)
    return parse_instant(latest) if latest else None
