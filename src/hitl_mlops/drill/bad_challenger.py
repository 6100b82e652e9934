"""Rehearsal: a challenger that errs 8 % of the time is forced into the canary; the champion errs 5 %."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import perf_counter

from hitl_mlops.drill.canary import BATCH, Canary, standing, stream
from hitl_mlops.drill.record import Rehearsal, Scenario
from hitl_mlops.drill.room import Room
from hitl_mlops.errors import RefusedError
from hitl_mlops.rollout.state import Evidence, Rollout, Stage

CHAMPION_ERRS, CHALLENGER_ERRS = 0.05, 0.08
MOST_CASES = 8_000
"""So many cases at the most; then nobody answers any more, and the deadline of the stage must do it."""
ROLLBACK_WITHIN_S = 5.0
"""From the deciding answer on the desk to the first batch in which the challenger answers nothing."""


def rehearse(room: Room, *, most: int = MOST_CASES) -> Rehearsal:
    """The challenger was rolled back by itself, or the rehearsal says that it was not."""
    minutes, project = room.minutes, room.project
    with minutes.step(
        "A champion that errs 5 % of the time serves; a challenger that errs 8 % is registered."
    ):
        room.crown(0.0, CHAMPION_ERRS)
        canary = Canary(room.register(CHAMPION_ERRS, CHAMPION_ERRS + CHALLENGER_ERRS))
    with minutes.step("Starting it without gates and approval was tried."):
        refused = _refused(lambda: project.start_rollout(canary.version))
    minutes.demand(
        "without gates and approval it does not start", limit="refused", found=_word(refused), met=refused
    )
    with minutes.step("It was forced into the canary, and cases came until the evidence decided."):
        project.start_rollout(canary.version, force="a drill: a bad challenger is let in")
        ended, evidence = stream(room, canary, most)
    if ended.live:
        ended, evidence = _at_the_deadline(room, canary, most)
    return _told(room, canary, ended, evidence)


def _refused(start: Callable[[], object]) -> bool:
    try:
        start()
    except RefusedError:
        return True
    return False


def _word(refused: bool) -> str:
    return "refused" if refused else "it started"


def _at_the_deadline(room: Room, canary: Canary, most: int) -> tuple[Rollout, Evidence]:
    """The stage's time has passed, and one look was taken."""
    span = room.project.verbs.rollout_policy.hold_at_most
    with room.minutes.step(f"The evidence did not decide on {most:,} cases; {span} passed."):
        room.clock.forward(span + timedelta(seconds=1))
        began = perf_counter()
        room.project.step_rollout()
        after = room.decide(room.draw(BATCH))
        canary.verdict_s = perf_counter() - began
        canary.count(room, after)
    return standing(room)


def _told(room: Room, canary: Canary, ended: Rollout, evidence: Evidence) -> Rehearsal:
    minutes, policy = room.minutes, room.project.verbs.rollout_policy
    back = ended.stage is Stage.ROLLED_BACK
    minutes.demand(
        "it is rolled back and never promoted",
        limit=f"evidence of harm {policy.rollback_at:g}, or undecided for {policy.hold_at_most}",
        found=ended.reason or ended.stage.value,
        met=back,
    )
    minutes.demand(
        "from the deciding answer to 0 % of traffic",
        limit=f"{ROLLBACK_WITHIN_S:g} s",
        found=f"{canary.verdict_s:.2f} s",
        met=back and canary.verdict_s <= ROLLBACK_WITHIN_S,
    )
    room.demand_sound_trail()
    answered = len(canary.answered)
    told = (
        f"It answered {answered:,} of {evidence.cases:,} decisions, {canary.harmed} of them automatic and "
        f"wrong, before it was {'rolled back' if back else ended.stage.value} after {evidence.labels} labels."
    )
    return Rehearsal(
        Scenario.BAD_CHALLENGER,
        minutes.verdict(),
        told,
        answered,
        "decisions that the bad challenger made",
        (
            f"Answer {evidence.labels} tickets on which the two models differed, beside those of any day.",
            "Nothing to roll it back: that happened by itself.",
        ),
        tuple(minutes.steps),
        tuple(minutes.demands),
        {
            "cases": evidence.cases,
            "labels": evidence.labels,
            "answers": canary.answers,
            "answered_by_challenger": answered,
            "wrong_and_automatic": canary.harmed,
            "verdict_to_zero_s": round(canary.verdict_s, 3),
        },
    )
