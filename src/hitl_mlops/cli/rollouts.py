"""`hitl rollout start|step|status|back|abort`: one challenger's way to champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from hitl_mlops.cli.output import (
    HERE,
    JsonOption,
    ProjectOption,
    add_command,
    add_group,
    answer,
    open_project,
    say,
    table,
    working,
)

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.rollout.guardrails import Breach
    from hitl_mlops.rollout.policy import RolloutPolicy
    from hitl_mlops.rollout.state import Evidence, Rollout

WIDTH = 40
SHOWN_TASKS = 20
Version = Annotated[str, typer.Argument(help="The challenger's version in MLflow.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in your words.")]


def add_to(app: typer.Typer) -> None:
    """The group `rollout` is part of the command line."""
    group = add_group(app, "rollout", about="Shadow, canary, promotion, and the way back.")
    add_command(group, "start", start, examples=["hitl rollout start 7"])
    add_command(group, "step", step, examples=["hitl rollout step"])
    add_command(group, "status", status, examples=["hitl rollout status"])
    add_command(group, "back", back, examples=['hitl rollout back --reason "refuses what it should not"'])
    add_command(group, "abort", abort, examples=['hitl rollout abort --reason "the scanner was replaced"'])


def start(
    version: Version,
    force: Annotated[
        str, typer.Option(help="Go past gates, approval and shadow into the canary, for this reason.")
    ] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let a challenger watch every case in the shadow. It must have passed its gates and be approved."""
    with working("Starting"):
        rollout = open_project(project).start_rollout(version, force=force or None)
    answer(rollout, as_json=as_json, told=lambda console: _tell_state(console, rollout))


def step(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Look at the evidence once, and do what it says."""
    with working("Looking"):
        look = open_project(project).step_rollout()

    def told(console: Console) -> None:
        if look.step is None:
            say(console, "No rollout is under way.")
            return
        say(console, f"{look.step.action.value}: {look.step.reason}", style="bold")
        _tell_state(console, replace(look.step.after, reason=""))

    answer(look, as_json=as_json, told=told)


def status(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show where the latest rollout stands. With the evidence over time, and what it still needs."""
    from hitl_mlops.routing.switches import frozen_by

    opened = open_project(project)
    policy = opened.verbs.rollout_policy
    rollout, evidence = opened.rollout_status()
    frozen = frozen_by(opened.switches())
    tickets = opened.awaited_tickets(evidence) if evidence is not None else []
    awaited = [one.task_id for one in tickets if one.task_id is not None]
    against: Sequence[Breach] = ()
    if rollout is not None and rollout.live and evidence is not None:
        against = opened.parts.rollout_watch.breaches(rollout, evidence, policy, opened.parts.clock())

    def told(console: Console) -> None:
        if frozen:
            say(console, f"No rollout advances: {frozen}. → hitl switches", style="yellow")
        if rollout is None:
            say(console, "There was no rollout yet. → hitl rollout start VERSION")
            return
        _tell_state(console, rollout)
        if evidence is not None:
            _tell_way(console, rollout, policy)
            _tell_evidence(console, evidence)
            if rollout.live:
                _tell_needs(console, rollout, evidence, policy)
                _tell_guardrails(console, [one for one in against if one.why != frozen])
                if evidence.pending:
                    _tell_awaited(console, awaited)

    value = {
        "rollout": rollout,
        "evidence": evidence,
        "frozen": frozen,
        "guardrails": against,
        "awaited_tasks": awaited,
    }
    answer(value, as_json=as_json, told=told)


def abort(reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """End the live rollout. The champion answers every case."""
    rollout = open_project(project).abort_rollout(reason)
    answer(rollout, as_json=as_json, told=lambda console: _tell_state(console, rollout))


def back(reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Let the champion before the present one answer again. From the next batch on, in every process.

    For the day on which a promoted model turns out bad. Ends a live rollout. Needs no
    server.
    """
    rollout = open_project(project).rollouts.bring_back(reason)

    def told(console: Console) -> None:
        say(
            console,
            f"Version {rollout.challenger} answers every case again, in place of {rollout.champion}.",
            style="bold",
        )
        say(console, f"→ hitl audit trace {rollout.champion}: how {rollout.champion} came to be champion")

    answer(rollout, as_json=as_json, told=told)


def _tell_state(console: Console, rollout: Rollout) -> None:
    forced = " (forced past its gates)" if rollout.forced else ""
    say(
        console,
        f"Challenger {rollout.challenger} against champion {rollout.champion or '-'}: {rollout.stage.value}, "
        f"{rollout.share_percent:g} % of subjects{forced}",
        style="bold",
    )
    if rollout.reason:
        say(console, rollout.reason)


def _tell_way(console: Console, rollout: Rollout, policy: RolloutPolicy) -> None:
    from hitl_mlops.cli.evidence_lines import ladder

    since = f"since {rollout.stage_at:%Y-%m-%d %H:%M} UTC"
    until = f", rolled back at {rollout.stage_at + policy.hold_at_most:%Y-%m-%d %H:%M} if undecided"
    say(console, f"{ladder(rollout, policy.stages)}   {since}{until if rollout.live else ''}")


def _tell_needs(console: Console, rollout: Rollout, evidence: Evidence, policy: RolloutPolicy) -> None:
    from hitl_mlops.cli.evidence_lines import still_needed

    needed = list(still_needed(rollout, evidence, policy))
    say(console, "To go on it needs:" if needed else "It has all it needs to go on. → hitl rollout step")
    for one in needed:
        say(console, f"· {one}")


def _tell_guardrails(console: Console, against: Sequence[Breach]) -> None:
    for one in against:
        effect = "sends it back" if one.action.value == "roll_back" else "holds it"
        say(console, f"Guardrail: {one.why}; this {effect}.", style="yellow")


def _tell_evidence(console: Console, evidence: Evidence) -> None:
    from hitl_mlops.cli.evidence_lines import curves, margin_line

    rows = (
        ("not worse → promote", evidence.promote_e, evidence.promote_at),
        ("harm → roll back", evidence.rollback_e, evidence.rollback_at),
    )
    table(
        console,
        ("evidence", "e-value", "bound", "on a log scale, from 1 to the bound"),
        [(name, value, bound, _bar(value, bound)) for name, value, bound in rows],
    )
    say(
        console,
        f"{evidence.cases} cases, {evidence.agreed} agreed, {evidence.labels} disagreements labelled, "
        f"{evidence.pending} waiting; wrong: challenger {evidence.challenger_wrong}, "
        f"champion {evidence.champion_wrong}.",
    )
    for line in (*curves(evidence), margin_line(evidence)):
        say(console, line)


def _tell_awaited(console: Console, tasks: list[str]) -> None:
    """Which tasks of Label Studio the evidence waits for; a few of many."""
    if tasks:
        more = f" and {len(tasks) - SHOWN_TASKS} more" if len(tasks) > SHOWN_TASKS else ""
        say(console, f"It waits for these tasks in Label Studio: {', '.join(tasks[:SHOWN_TASKS])}{more}.")
        say(console, "→ answer them, then hitl collect, hitl rollout step")
    else:
        say(console, "→ hitl review push, hitl collect, hitl rollout step")


def _bar(value: float, bound: float) -> str:
    from math import log

    full = min(1.0, max(0.0, log(max(value, 1e-9)) / log(bound)))
    filled = round(WIDTH * full)
    return "█" * filled + "·" * (WIDTH - filled)
