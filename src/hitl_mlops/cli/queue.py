"""`hitl review escalate`: late tickets climb the ladder of the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hitl_mlops.cli.output import (
    HERE,
    JsonOption,
    ProjectOption,
    add_command,
    answer,
    open_project,
    say,
    table,
    working,
)

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.queueing.escalate import Climbed

SHOWN = 40


def add_to_group(group: typer.Typer) -> None:
    """Part of the group `review`."""
    add_command(
        group, "escalate", escalate, examples=["hitl review escalate --dry-run", "hitl review escalate"]
    )


def escalate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would climb.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let late tickets climb the ladder of policy.yaml. The flow `escalate` does it every few minutes.

    Answers are collected first. Each step is an entry of the trail; run again, nothing happens. Where Label
    Studio is down, tickets climb all the same, and it is told the next time.
    """
    from hitl_mlops.queues import Queues

    with working("Looking at deadlines"):
        climbed = Queues(open_project(project).verbs).escalate(dry_run=dry_run)
    answer(climbed, as_json=as_json, told=lambda console: _tell_climbed(console, climbed))


def _tell_climbed(console: Console, climbed: Climbed) -> None:
    from hitl_mlops.review.moves import What

    if climbed.moves:
        columns = ("ticket", "step", "", "lane", "was due")
        rows = [
            (
                one.ticket_id,
                one.step,
                one.what.replace("_", " "),
                one.lane,
                f"{one.due_at:%Y-%m-%d %H:%M}",
            )
            for one in climbed.moves[:SHOWN]
        ]
        table(console, columns, rows)
    counts = [f"{climbed.count(what)} {what.replace('_', ' ')}" for what in What if climbed.count(what)]
    if climbed.dry_run:
        say(console, f"Would be: {', '.join(counts)}." if counts else "Nothing would climb.", style="bold")
    else:
        say(console, f"Steps: {', '.join(counts)}." if counts else "Nothing climbed.", style="bold")
    for note in climbed.notes:
        say(console, note, style="yellow")
    if climbed.not_shown:
        say(console, f"{climbed.not_shown} of them the desk does not show yet. → hitl review escalate")
