"""`hitl trial start|step|status|abort`: a policy on trial beside the one in force."""

from __future__ import annotations

from pathlib import Path
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

    from hitl_mlops.rollout.policy import RolloutPolicy
    from hitl_mlops.trials.compare import Arm, Compared
    from hitl_mlops.trials.trial import Trial

Reason = Annotated[str, typer.Option("--reason", help="Why, in your words.")]


def add_to(app: typer.Typer) -> None:
    """The group `trial` is part of the command line."""
    group = add_group(app, "trial", about="Two policies on live cases: how much oversight is enough.")
    add_command(
        group, "start", start, examples=['hitl trial start less.yaml --reason "spring has few errors"']
    )
    add_command(group, "step", step, examples=["hitl trial step"])
    add_command(group, "status", status, examples=["hitl trial status"])
    add_command(group, "abort", abort, examples=['hitl trial abort --reason "the season is over"'])


def start(
    policy: Annotated[Path, typer.Argument(help="The policy file to be tried.")],
    reason: Reason,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let a policy watch every case in the shadow. Then it routes some subjects, and more as evidence grows.

    What the file says now is tried, whatever it says later. It never comes in force by
    itself: once it is proven, you put it in the place of policy.yaml.
    """
    from hitl_mlops.errors import InputError

    opened = open_project(project)
    try:
        text = policy.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{policy} cannot be read: {error}.", remedy="Name the policy to try.") from error
    read = opened.parts.reads_policy(text, policy.name)
    trial = opened.trials.start(read, file=policy.name, text=text, reason=reason)
    answer(trial.way, as_json=as_json, told=lambda console: _tell_state(console, trial))


def step(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Look at the evidence once, and do what it says."""
    with working("Looking"):
        looked = open_project(project).trials.look()

    def told(console: Console) -> None:
        if looked is None:
            say(console, "No policy is on trial. → hitl trial start FILE")
            return
        say(console, f"{looked[0].action.value}: {looked[0].reason}", style="bold")

    value = None if looked is None else {"step": looked[0], "compared": looked[1]}
    answer(value, as_json=as_json, told=told)


def status(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show where the latest trial stands. With the evidence over time, and what people would be asked."""
    opened = open_project(project)
    trial, policy = opened.parts.trials.latest(), opened.verbs.rollout_policy
    found = None if trial is None else opened.trials.compared(trial)

    def told(console: Console) -> None:
        if trial is None or found is None:
            say(console, "There was no trial yet. → hitl trial start FILE")
            return
        _tell_state(console, trial)
        _tell_found(console, trial, found, policy)

    value = None if trial is None else {"trial": trial.way, "file": trial.file, "compared": found}
    answer(value, as_json=as_json, told=told)


def abort(reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """End the live trial. Every case goes by the policy in force."""
    trial = open_project(project).trials.abort(reason)
    answer(trial.way, as_json=as_json, told=lambda console: _tell_state(console, trial))


def _tell_state(console: Console, trial: Trial) -> None:
    way, stage = trial.way, trial.way.stage.value.replace("_", " ")
    proven = stage == "promoted"
    where = "proven" if proven else f"{stage}, {way.share_percent:g} % of subjects"
    say(console, f"{trial.file} on trial beside the policy in force: {where}", style="bold")
    say(console, way.reason)
    if proven:
        say(console, f"→ put {trial.file} in the place of policy.yaml, through the review that you give code")


def _tell_found(console: Console, trial: Trial, found: Compared, policy: RolloutPolicy) -> None:
    from hitl_mlops.cli.evidence_lines import curves, ladder, margin_line, still_needed

    evidence, way = found.evidence, trial.way
    say(console, ladder(way, policy.stages).replace("champion", "proven"))
    say(
        console,
        f"Of the {evidence.cases:,} cases that the policy in force routed, it asks people about "
        f"{found.asked_now:.1%}; {trial.file} would about {found.asked_then:.1%}.",
    )
    differing = evidence.labels + evidence.pending
    say(
        console,
        f"{differing:,} would no longer be asked about: {evidence.labels:,} are answered, and "
        f"{evidence.challenger_wrong:,} of these would have slipped; {evidence.pending:,} wait.",
    )
    rows = (
        ("lets slip no more than the margin → on", evidence.promote_e, evidence.promote_at),
        ("lets slip more than the margin → back", evidence.rollback_e, evidence.rollback_at),
    )
    table(console, ("evidence", "e-value", "bound"), rows)
    for line in (*curves(evidence), margin_line(evidence)):
        say(console, line)
    if found.on_trial.decisions:
        arms = (("in force", found.in_force), (trial.file, found.on_trial))
        heads = ("policy", "decisions", "people asked", "slips of all decisions, 95 %")
        table(console, heads, [_arm(name, arm) for name, arm in arms])
    if way.live:
        needed = list(still_needed(way, evidence, policy))
        say(console, "To go on it needs:" if needed else "It has all it needs to go on. → hitl trial step")
        for one in needed:
            say(console, f"· {one}")


def _arm(name: str, arm: Arm) -> tuple[str, str, str, str]:
    from hitl_mlops.kpis.report import told

    asked = "-" if arm.asked is None else f"{arm.asked:.1%}"
    return name, f"{arm.decisions:,}", asked, told(arm.slips)
