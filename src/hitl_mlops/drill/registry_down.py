"""Rehearsal: MLflow is down while a good challenger is due for more, and while a bad one does harm."""

from __future__ import annotations

from time import perf_counter

from hitl_mlops.decisions.record import Decision
from hitl_mlops.drill.canary import Canary, standing, stream
from hitl_mlops.drill.record import Rehearsal, Scenario
from hitl_mlops.drill.room import Room, server_is_missed
from hitl_mlops.outcomes import Look
from hitl_mlops.rollout.state import Action, Evidence, Stage

CHAMPION_ERRS, WORSE = 0.04, 0.40
BATCH = 250
MOST_CASES = 5_000


def rehearse(room: Room) -> Rehearsal:
    """The pinned copies served and nothing was promoted, or the rehearsal says what happened instead."""
    minutes, project = room.minutes, room.project
    with minutes.step("A champion serves; a challenger that never errs is in the canary's first stage."):
        room.crown(0.0, CHAMPION_ERRS)
        good = room.register(0.0, 0.0)
        project.start_rollout(good, force="a drill: a challenger that is due for more")
        serving = project.serving()
        pinned = {(one.version, one.digest) for one in (serving.champion, serving.challenger) if one}
    with minutes.step(
        "MLflow was stopped; cases came, and people answered, until the challenger was due for more."
    ):
        room.outside.stop_registry()
        decided, due = _until_due(room)
    strange = sum((one.model_version, one.model_digest) not in pinned for one in decided)
    minutes.demand(
        "decisions go on by the pinned copies, and by no other bytes",
        limit="0 decisions by others",
        found=f"{strange} of {len(decided):,}",
        met=bool(decided) and strange == 0,
    )
    _demand_nothing_moves(room, good)
    with minutes.step("MLflow came back, and one look was taken."):
        room.outside.start_registry()
        began = perf_counter()
        look = project.step_rollout()
        back_s = perf_counter() - began
    moved = look.step is not None and look.step.action is Action.ADVANCE
    minutes.demand(
        "once it is back, the rollout goes on",
        limit="advanced, unless a guardrail holds it" if due else "held, as the evidence does not suffice",
        found=look.step.reason if look.step is not None else "there was none",
        met=moved == due or _is_held(look),
    )
    harmful = _harm(room)
    room.demand_sound_trail()
    return Rehearsal(
        Scenario.MLFLOW_DOWN,
        minutes.verdict(),
        f"{len(decided):,} decisions were made by the pinned copies meanwhile, nothing was promoted; a "
        f"harmful challenger was rolled back without MLflow after {len(harmful.answered)} decisions.",
        len(decided),
        "decisions made while MLflow was down",
        (
            "Start MLflow again: hitl up.",
            "Nothing to catch up: the next look goes on where the last one stood.",
        ),
        tuple(minutes.steps),
        tuple(minutes.demands),
        {
            "decided_meanwhile": len(decided),
            "by_other_bytes": strange,
            "harmful_answered": len(harmful.answered),
            "harmful_verdict_to_zero_s": round(harmful.verdict_s, 3),
            "goes_on_after_s": round(back_s, 3),
        },
    )


def _is_held(look: Look) -> bool:
    """A guardrail of the policy keeps it from more, which is not MLflow's doing."""
    step = look.step
    return step is not None and step.action is Action.HOLD and "though due for more" in step.reason


def _until_due(room: Room) -> tuple[list[Decision], bool]:
    """What was decided without the registry, and whether the evidence asks for the next share in the end."""
    decided: list[Decision] = []
    project = room.project
    at_least = project.verbs.rollout_policy.at_least
    while len(decided) < MOST_CASES:
        batch = room.decide(room.draw(BATCH))
        decided += batch
        room.answer_all(batch)
        project.collect()
        _, evidence = standing(room)
        if _is_due(evidence, at_least):
            return decided, True
    return decided, False


def _is_due(evidence: Evidence, at_least: int) -> bool:
    return evidence.promote_e >= evidence.promote_at and evidence.served >= at_least


def _demand_nothing_moves(room: Room, version: str) -> None:
    minutes, project = room.minutes, room.project
    stands = standing(room)[0]
    with minutes.step("A look, a training and an approval were tried."):
        tried = (
            project.step_rollout,
            project.train,
            lambda: project.approve(version, reason="a drill", by="drill"),
        )
        missed = sum(server_is_missed(act) for act in tried)
    same = standing(room)[0] == stands
    minutes.demand(
        "nothing is promoted, trained or approved",
        limit="3 of 3 say that it is down, the rollout stands",
        found=f"{missed} of 3, it {'stands' if same else 'moved'}",
        met=missed == len(tried) and same,
    )


def _harm(room: Room) -> Canary:
    """Another challenger, which does harm while the registry is down, and what it came to."""
    minutes, project = room.minutes, room.project
    project.abort_rollout("the drill goes on with another challenger")
    harmful = Canary(room.register(CHAMPION_ERRS, CHAMPION_ERRS + WORSE))
    project.start_rollout(harmful.version, force="a drill: a challenger that does harm")
    with minutes.step("A challenger that errs 40 % of the time was forced, and MLflow was stopped again."):
        project.serving()
        room.outside.stop_registry()
        ended, _ = stream(room, harmful, MOST_CASES, looks=False)
    minutes.demand(
        "harm is rolled back without MLflow",
        limit="rolled back",
        found=ended.reason,
        met=ended.stage is Stage.ROLLED_BACK,
    )
    room.outside.start_registry()
    project.step_rollout()
    return harmful
