"""`hitl audit verify|trace`: the trail proves itself, and tells where a version came from."""

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
    working,
)

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.audit.trace import Stop

TAMPERED = 1


def add_to(app: typer.Typer) -> None:
    """The group `audit` is part of the command line."""
    group = add_group(app, "audit", about="Prove the trail, and trace where a version came from.")
    add_command(group, "verify", verify, examples=["hitl audit verify"])
    add_command(group, "export", export, examples=["hitl audit export trail-of-november"])
    add_command(group, "trace", trace, examples=["hitl audit trace 7", "hitl audit trace DECISION --onward"])


def export(
    folder: Annotated[Path, typer.Argument(help="The folder to write; it must not exist.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write the trail for an auditor. All that proves it is there, and a program that checks it."""
    with working("Exporting"):
        written = open_project(project).export_trail(folder)

    def told(console: Console) -> None:
        say(console, f"{written.entries:,} entries under {written.checkpoints:,} checkpoints in {folder}.")
        say(console, f"→ {written.command}")

    value = {"folder": str(written.folder), "entries": written.entries, "command": written.command}
    answer(value, as_json=as_json, told=told)


def verify(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Check the trail against its signed checkpoints. What is wrong is named, with exit code 1."""
    with working("Verifying"):
        verification = open_project(project).verify_trail()

    def told(console: Console) -> None:
        trail = verification.trail
        if verification.sound:
            say(
                console,
                f"Sound: {trail.size:,} entries, {trail.sealed:,} sealed, {trail.checkpoints:,} checkpoints, "
                "and every stored decision is what was recorded.",
                style="green",
            )
        for problem in trail.problems:
            place = "" if problem.place is None else f"Entry {problem.place}: "
            say(console, f"{place}{problem.what}", style="red")
        for sentence in verification.changed:
            say(console, sentence, style="red")

    answer(verification, as_json=as_json, told=told)
    if not verification.sound:
        raise typer.Exit(TAMPERED)


def trace(
    ref: Annotated[
        str, typer.Argument(help="A model version, dataset digest, resolution, ticket or decision.")
    ],
    onward: Annotated[bool, typer.Option("--onward", help="What came of it, not what led to it.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show the road that led to a version, or on from it. Down to the people it learned from."""
    with working("Tracing"):
        road = open_project(project).trace(ref, onward=onward)

    def told(console: Console) -> None:
        for depth, stop in road.walk():
            _tell_stop(console, depth, stop)

    answer(road, as_json=as_json, told=told)


def _tell_stop(console: Console, depth: int, stop: Stop) -> None:
    indent = "   " * depth
    say(console, f"{indent}{stop.role} {stop.ref}", style="bold")
    for step in stop.steps:
        beside = ", ".join(f"{role} {', '.join(ids[:3])}" for role, ids in step.beside.items() if ids)
        say(
            console,
            f"{indent}   {step.at[:19]}  {step.kind}  by {step.actor}{'  · ' + beside if beside else ''}",
        )
    for role, count in stop.more.items():
        say(console, f"{indent}   … and {count:,} more of {role}")
