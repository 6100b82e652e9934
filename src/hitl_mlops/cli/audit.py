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
SHOWN_BESIDE, SHOWN_DIGEST = 3, len("sha256:") + 8
UNSHOWN = ("bytes", "policy")
"""Digests that stand at every step and say nothing to the eye; `--json` has them."""


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
        came = "What came of" if onward else "What led to"
        say(console, f"{came} {_named(road)}:")
        for depth, stop in road.walk():
            _tell_stop(console, depth, stop)
        other, back = ("what led to it", "") if onward else ("what came of it", " --onward")
        say(console, f"→ hitl audit trace {ref}{back}  ({other})")

    answer(road, as_json=as_json, told=told)


def _named(stop: Stop) -> str:
    """What it is and its id; of a dataset its number too."""
    if stop.role != "dataset":
        return f"{stop.role} {_short(stop.ref)}"
    number = next((step.facts["number"] for step in stop.steps if "number" in step.facts), "")
    return f"dataset {number} ({stop.ref})"


def _short(ref: str) -> str:
    return f"{ref[:SHOWN_DIGEST]}…" if ref.startswith("sha256:") else ref


def _tell_stop(console: Console, depth: int, stop: Stop) -> None:
    indent = "   " * depth
    say(console, f"{indent}{_named(stop)}", style="bold")
    for step in stop.steps:
        beside = ", ".join(
            f"{role} {', '.join(map(_short, ids[:SHOWN_BESIDE]))}"
            for role, ids in step.beside.items()
            if ids and role not in UNSHOWN
        )
        say(
            console,
            f"{indent}   {step.at[:19]}  {step.kind}  by {step.actor}{'  · ' + beside if beside else ''}",
        )
    for role, count in stop.more.items():
        say(console, f"{indent}   … and {count:,} more of {role}")
