"""`hitl drill`: rehearse on a copy what goes wrong, and tell how it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    tell_progress,
    working,
)
from hitl_mlops.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.drill.hold import Held
    from hitl_mlops.drill.record import Rehearsal, Scenario

REFUSED = 1
STYLES = {"passed": "green", "failed": "red", "unguarded": "yellow"}
WHICH = "bad-challenger, drift, label-studio-down, mlflow-down or runaway-overrides; left out: all."


def add_to(app: typer.Typer) -> None:
    """The command is part of the command line."""
    add_command(
        app,
        "drill",
        drill,
        examples=["hitl drill", "hitl drill bad-challenger", "hitl drill mlflow-down --real"],
    )


def drill(
    scenario: Annotated[list[str] | None, typer.Argument(help=WHICH, show_default=False)] = None,
    real: Annotated[
        bool, typer.Option("--real", help="Start a Label Studio and an MLflow for it, instead of twins.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The report, as Markdown; left out: drills/TIME.md in the project's folder."),
    ] = None,
    seed: Annotated[int, typer.Option(help="What chance is drawn from; the same draws the same.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the copies in the folder .hitl.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Rehearse what goes wrong, on a copy. Exit code 1 if one rehearsal did not go as it must.

    The project's own data, models, tickets and servers are not touched. Its trail is told that a drill was
    held, with the figures and a digest of the report.
    """
    chosen = _scenarios(scenario or [])
    opened = open_project(project)
    held = _hold(opened, chosen, real=real, out=out, seed=seed, keep=keep)
    answer(_plain(held), as_json=as_json, told=lambda console: _tell(console, held))
    if not held.drill.passed:
        raise typer.Exit(REFUSED)


def _scenarios(words: list[str]) -> list[Scenario]:
    from hitl_mlops.drill.record import Scenario

    known = [one.value for one in Scenario]
    unknown = sorted(set(words) - set(known))
    if unknown:
        raise InputError(
            f"There is no rehearsal {', '.join(unknown)}.", remedy=f"Choose from {', '.join(known)}."
        )
    return [one for one in Scenario if not words or one.value in words]


def _hold(
    opened: Any, chosen: list[Scenario], *, real: bool, out: Path | None, seed: int, keep: bool
) -> Held:
    from hitl_mlops.drill.hold import folder_of_copies, hold, outside_world
    from hitl_mlops.drill.hold import keep as keep_report

    with (
        working("Rehearsing") as show,
        folder_of_copies(opened.settings.state, keep=keep) as folder,
        outside_world(folder, real=real, tell=show) as outside,
    ):
        found = hold(opened, chosen, outside, folder, seed=seed, progress=show)
        if keep:
            tell_progress(f"The copies are kept in {folder}")
    report = out or opened.settings.folder / "drills" / f"{found.held_at:%Y-%m-%dT%H%M%SZ}.md"
    return keep_report(opened, found, report)


def _tell(console: Console, held: Held) -> None:
    from hitl_mlops.drill.report import honest

    for sentence in honest(held.drill):
        say(console, sentence, style="dim")
    rows = [
        (one.scenario.value, one.verdict.value, f"{one.seconds:.1f}", one.affected)
        for one in held.drill.rehearsals
    ]
    table(console, ("rehearsal", "verdict", "seconds", "decisions affected"), rows)
    for one in held.drill.rehearsals:
        _tell_one(console, one, in_full=len(rows) == 1)
    say(console, f"The report: {held.report}; the trail holds its digest {held.digest}.")


def _tell_one(console: Console, one: Rehearsal, *, in_full: bool) -> None:
    say(console, f"{one.scenario.value}: {one.verdict.value}", style=f"bold {STYLES[one.verdict.value]}")
    say(console, f"  {one.told}")
    say(console, f"  A person: {' '.join(one.people)}" if one.people else "  A person: nothing.")
    if in_full and one.demands:
        shown = [(each.says, each.limit, each.found, each.met) for each in one.demands]
        table(console, ("must hold", "limit", "found", "met"), shown)
    for each in one.demands:
        if not each.met:
            say(console, f"  not met: {each.says} (limit {each.limit}, found {each.found})", style="red")


def _plain(held: Held) -> dict[str, Any]:
    drill = held.drill
    return {
        "passed": drill.passed,
        "project": drill.project,
        "held_at": drill.held_at,
        "policy_hash": drill.policy_hash,
        "real_servers": drill.real,
        "seed": drill.seed,
        "report": str(held.report),
        "report_digest": held.digest,
        "rehearsals": [{**_fields(one), "seconds": round(one.seconds, 3)} for one in drill.rehearsals],
    }


def _fields(one: Rehearsal) -> dict[str, Any]:
    from dataclasses import fields

    return {field.name: getattr(one, field.name) for field in fields(one)}
