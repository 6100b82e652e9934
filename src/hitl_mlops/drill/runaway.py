"""Rehearsal: from one case to the next people overrule everything that the model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter

import pandas as pd

from hitl_mlops.decisions.record import Decision
from hitl_mlops.drill.record import Minutes, Rehearsal, Scenario, Verdict
from hitl_mlops.drill.room import Room, automatic
from hitl_mlops.routing.breaker import CALIBRATION_GAP, OVERRIDE_RATE, Breaker, BreakerRule, BreakerState
from hitl_mlops.routing.guard_rules import guard_rules
from hitl_mlops.routing.switches import Scope, covered

BATCH = 50
CALM_BATCHES, TRIAL_BATCHES = 4, 40
MOST_CASES = 6_000
HELD_WITHIN_S = 5.0
"""From the deciding answers on the desk to the first batch without automatic decisions in the scope."""


@dataclass(slots=True)
class Runaway:
    """What came of it so far.

    Attributes:
        decisions: since people began to overrule everything.
        answers: what they answered since then.
        released: of the decisions, those that went out without a person.
        opened: the breakers that opened.
        held_s: from the last answers on the desk to the first batch after them.
    """

    decisions: list[Decision] = field(default_factory=list)
    answers: int = 0
    released: int = 0
    opened: list[Breaker] = field(default_factory=list)
    held_s: float = 0.0


def rehearse(room: Room, *, most: int = MOST_CASES) -> Rehearsal:
    """A breaker opened, held and closed again, or the rehearsal says what did not."""
    rule, minutes = guard_rules(room.project.parts.policy).breaker, room.minutes
    watches = rule is not None and bool({OVERRIDE_RATE, CALIBRATION_GAP} & set(rule.bounds))
    with minutes.step(f"{CALM_BATCHES * BATCH} cases were decided; people agreed wherever they were asked."):
        room.crown()
        early = sum(len(_round(room, right=True)[1]) for _ in range(CALM_BATCHES))
    with minutes.step("From then on people overruled whatever they were asked."):
        runaway = _run_away(room, most=most if watches else CALM_BATCHES * BATCH)
    if rule is None or not watches:
        return _unguarded(room, runaway)
    minutes.demand("no breaker opens while people agree", limit="0", found=early, met=early == 0)
    _demand_opening(minutes, rule, runaway)
    if runaway.opened:
        _demand_hold(room, runaway)
        _demand_return(room, rule)
    room.demand_sound_trail()
    return _told(room, rule, runaway)


def _round(room: Room, *, right: bool) -> tuple[tuple[Decision, ...], list[Breaker], int, float]:
    """A batch came, people answered what they were asked, and the answers were collected.

    Gives its decisions, the breakers that changed, the answers, and when the collection began.
    """
    before = {one.breaker_id: one for one in room.project.parts.breakers.breakers()}
    decided = room.decide(room.draw(BATCH))
    room.project.push()
    truths = room.truths(decided)
    tickets = room.asked(decided)
    said = {
        one.decision_id: truths[one.decision_id] if right else room.world.wrong(one.suggestion)
        for one in tickets
    }
    answers = room.answer(tickets, said)
    began = perf_counter()
    room.project.collect()
    changed = [one for one in room.project.parts.breakers.breakers() if before.get(one.breaker_id) != one]
    return decided, changed, answers, began


def _run_away(room: Room, *, most: int) -> Runaway:
    runaway = Runaway()
    while len(runaway.decisions) < most and not runaway.opened:
        decided, runaway.opened, answers, began = _round(room, right=False)
        if runaway.opened:
            after = room.decide(room.draw(BATCH))
            runaway.held_s = perf_counter() - began
            runaway.decisions += after
        runaway.decisions += decided
        runaway.answers += answers
        runaway.released += len(automatic(decided))
    return runaway


def in_scopes(scopes: Sequence[Scope], decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions that lie in one of the scopes."""
    columns = pd.DataFrame([{**one.attributes, "label": one.label} for one in decisions])
    versions, routes = [one.model_version for one in decisions], [one.route for one in decisions]
    masks = [covered(scope, columns, versions, routes) for scope in scopes]
    return [one for place, one in enumerate(decisions) if any(mask[place] for mask in masks)]


def _demand_opening(minutes: Minutes, rule: BreakerRule, runaway: Runaway) -> None:
    scopes = [one.scope for one in runaway.opened]
    bounds = ", ".join(f"{name} > {bound.low:g}" for name, bound in rule.bounds.items())
    minutes.demand(
        "a breaker opens",
        limit=f"{bounds}, over the last {rule.window} answers",
        found=", ".join(map(str, scopes)) or f"none after {runaway.answers:,} answers",
        met=bool(scopes),
    )


def _demand_hold(room: Room, runaway: Runaway) -> None:
    scopes = [one.scope for one in runaway.opened]
    after = room.decide(room.draw(4 * BATCH))
    slipped = len(automatic(in_scopes(scopes, after)))
    room.minutes.demand(
        "nothing in its scope is automatic after the verdict",
        limit="0 decisions",
        found=slipped,
        met=slipped == 0,
    )
    room.minutes.demand(
        "from the deciding answers until it holds",
        limit=f"{HELD_WITHIN_S:g} s",
        found=f"{runaway.held_s:.2f} s",
        met=runaway.held_s <= HELD_WITHIN_S,
    )


def _demand_return(room: Room, rule: BreakerRule) -> None:
    """After its time people agree again: the trial closes it."""
    with room.minutes.step(f"{rule.opens_for} passed, and people agreed with what they were asked again."):
        room.clock.forward(rule.opens_for + timedelta(seconds=1))
        for _ in range(TRIAL_BATCHES):
            _round(room, right=True)
            standing = room.project.parts.breakers.breakers()
            if any(one.state is BreakerState.CLOSED for one in standing):
                break
    states = [one.state.value.replace("_", "-") for one in standing]
    room.minutes.demand(
        "after a good trial it closes",
        limit=f"{rule.trial} answers after {rule.opens_for}",
        found=", ".join(states),
        met=BreakerState.CLOSED.value in states,
    )


def _unguarded(room: Room, runaway: Runaway) -> Rehearsal:
    minutes = room.minutes
    return Rehearsal(
        Scenario.RUNAWAY_OVERRIDES,
        Verdict.UNGUARDED,
        "The policy has no breaker on overrides: nothing stops a model that people overrule. "
        f"{runaway.released:,} of {len(runaway.decisions):,} decisions went out without a person.",
        runaway.released,
        "decisions that went out without a person while people overruled everything",
        ("Notice it, and stop the models: hitl freeze.", "Write guards.breaker into the policy."),
        tuple(minutes.steps),
        (),
        {"answers": runaway.answers, "released": runaway.released},
    )


def _told(room: Room, rule: BreakerRule, runaway: Runaway) -> Rehearsal:
    minutes = room.minutes
    opened = bool(runaway.opened)
    told = (
        f"A breaker opened after {runaway.answers:,} answers and {len(runaway.decisions):,} decisions, "
        f"{runaway.released:,} of which had gone out without a person; it holds for {rule.opens_for}."
        if opened
        else f"No breaker opened, after {runaway.answers:,} answers."
    )
    return Rehearsal(
        Scenario.RUNAWAY_OVERRIDES,
        minutes.verdict(),
        told,
        runaway.released,
        "decisions that went out without a person before the breaker opened",
        (
            f"Answer {runaway.answers} tickets, as on any day.",
            "Nothing to stop it; find out why before it closes: hitl breakers.",
        ),
        tuple(minutes.steps),
        tuple(minutes.demands),
        {
            "answers_until_open": runaway.answers,
            "released_before": runaway.released,
            "held_after_s": round(runaway.held_s, 3),
            "opens_for_s": rule.opens_for.total_seconds(),
        },
    )
