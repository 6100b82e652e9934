"""`hitl quarantine list|release|drop`: answers that the screen refused, and what people make of them."""

from __future__ import annotations

import getpass
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
)

if TYPE_CHECKING:
    from rich.console import Console

Key = Annotated[str, typer.Argument(help="Key of the answer, as `hitl quarantine list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in your words.")]
By = Annotated[
    str, typer.Option(help="Your roster id or name; left out: your log-in name.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    """The group `quarantine` is part of the command line."""
    group = add_group(app, "quarantine", about="Answers that the screen refused.")
    add_command(group, "list", waiting, examples=["hitl quarantine list"])
    add_command(
        group, "release", release, examples=['hitl quarantine release KEY --reason "read twice, it is right"']
    )
    add_command(group, "drop", drop, examples=['hitl quarantine drop KEY --reason "clicked by accident"'])


def waiting(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show the answers that wait for a ruling. Oldest first, each with every reason."""
    kept = open_project(project).quarantined()

    def told(console: Console) -> None:
        if not kept:
            say(console, "No answer is quarantined.")
            return
        rows = [
            (
                one.key,
                one.answer.reviewer,
                one.answer.label,
                f"{one.collected_at:%Y-%m-%d %H:%M}",
                "; ".join(one.reasons),
            )
            for one in kept
        ]
        table(console, ("answer", "by", "label", "since", "why"), rows)
        say(console, f'→ hitl quarantine release {kept[0].key} --reason "…"')
        say(console, f'→ hitl quarantine drop {kept[0].key} --reason "…"')

    answer({"answers": kept}, as_json=as_json, told=told)


def release(
    key: Key, reason: Reason, by: By = "", project: ProjectOption = HERE, as_json: JsonOption = False
) -> None:
    """Let a refused answer count. Its ticket is resolved anew; not for the one who gave it."""
    open_project(project).release(key, by=by or getpass.getuser(), reason=reason)
    answer(
        {"answer": key, "state": "released"},
        as_json=as_json,
        told=lambda console: say(console, f"The answer {key} counts from now on. → hitl dataset build"),
    )


def drop(
    key: Key, reason: Reason, by: By = "", project: ProjectOption = HERE, as_json: JsonOption = False
) -> None:
    """Let a refused answer never count. Its ticket stays open for another."""
    open_project(project).drop(key, by=by or getpass.getuser(), reason=reason)
    answer(
        {"answer": key, "state": "dropped"},
        as_json=as_json,
        told=lambda console: say(console, f"The answer {key} does not count."),
    )
