"""`hitl train`, `hitl gate`, `hitl approve`: a challenger, its judgement, a person's consent."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
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

REFUSED = 1
STYLES = {"pass": "green", "fail": "red", "inconclusive": "yellow", "error": "red"}


def add_to(app: typer.Typer) -> None:
    """The commands are part of the command line."""
    add_command(
        app, "train", train, examples=["hitl train", "hitl train --dataset 5", "hitl train --replay 2000"]
    )
    add_command(app, "gate", gate, examples=["hitl gate", "hitl gate 7 --json"])
    add_command(app, "approve", approve, examples=['hitl approve 7 --reason "better on the new scanner"'])


def train(
    dataset: Annotated[str, typer.Option(help="Dataset version: its number, digest or latest.")] = "latest",
    replay: Annotated[
        int | None,
        typer.Option(min=0, help="Learn from so many of the latest base rows, beside what was reviewed."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Learn only from rows before this day, in UTC."),
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Train a model on a dataset version and register it. The first one becomes champion."""
    recipe = {"replay": replay, "until": until and until.replace(tzinfo=UTC)}
    with working("Training"):
        version = open_project(project).train(
            dataset, **{key: one for key, one in recipe.items() if one is not None}
        )

    def told(console: Console) -> None:
        role = ", ".join(version.aliases) or "no alias"
        say(console, f"Version {version.version} of {version.name} ({role})", style="bold")
        figures = {name: value for name, value in version.metrics.items() if not name.startswith("recall.")}
        table(console, ("figure on held-back rows", "value"), sorted(figures.items()))
        if "champion" not in version.aliases:
            say(console, f"→ hitl gate {version.version}")

    answer(version, as_json=as_json, told=told)


def gate(
    version: Annotated[str, typer.Argument(help="Model version; left out: the challenger.")] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Judge a challenger by every gate. Exit code 1 unless all required ones pass."""
    with working("Judging"):
        report = open_project(project).judge(version or None)

    def told(console: Console) -> None:
        rows = [
            (one.name, one.says, "must" if one.required else "warns", one.reason) for one in report.results
        ]
        table(console, ("gate", "verdict", "weight", "why"), rows)
        from hitl_mlops.gates.render import tally

        say(
            console,
            f"Challenger {report.model_version}: {report.verdict.value} ({tally(report)})",
            style=f"bold {STYLES[report.verdict.value]}",
        )
        if report.verdict.value == "pass":
            say(console, f'→ hitl approve {report.model_version} --reason "…"')

    answer({**report.to_dict(), "digest": report.digest}, as_json=as_json, told=told)
    if report.verdict.value != "pass":
        raise typer.Exit(REFUSED)


def approve(
    version: Annotated[str, typer.Argument(help="Model version.")],
    reason: Annotated[str, typer.Option("--reason", help="Why you consent, in your words.")],
    by: Annotated[str, typer.Option(help="Your roster id or name; left out: your log-in name.")] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Give your consent to a model version. It is bound to bytes, gates and policy, and it expires.

    Behind MLflow's app you are whoever MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD log in.
    """
    name = by or getpass.getuser()
    approval = open_project(project).approve(version, reason=reason, by=name)

    def told(console: Console) -> None:
        if approval.claimed:
            say(console, f"{name} approved version {version} (claimed: nobody proved who it is).")
        else:
            say(console, f"Approved version {version}, proved: MLflow checked who you are.")
        say(console, f"→ hitl rollout start {version}")

    answer(approval, as_json=as_json, told=told)
