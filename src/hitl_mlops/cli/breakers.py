"""`hitl breakers` and `hitl breakers reset`: what broke by itself, and closing it by a person's word."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

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
from hitl_mlops.cli.switches import By, Reason

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.routing.breaker import Breaker

_ABOUT = "Show the breakers that were ever open. Each with what it was judged by."


def add_to(app: typer.Typer) -> None:
    """The group `breakers` is part of the command line."""
    group = add_group(app, "breakers", about=_ABOUT, alone=breakers)
    add_command(group, "look", look, examples=["hitl breakers look"])
    add_command(
        group, "reset", reset, examples=['hitl breakers reset b1 --reason "the scanner was replaced"']
    )


def breakers(context: typer.Context, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show the breakers that were ever open. Each with what it was judged by."""
    if context.invoked_subcommand is not None:
        return
    kept = open_project(project).verbs.circuit.board.breakers()
    answer({"breakers": [_plain(one) for one in kept]}, as_json=as_json, told=lambda to: _show(to, kept))


def look(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Look at the answers so far. Breakers open, turn half-open or close; `hitl collect` does so too."""
    opened = open_project(project)
    changed, kept = opened.look_at_breakers(), opened.verbs.circuit.board.breakers()

    def told(console: Console) -> None:
        for one in changed:
            say(console, f"{one.breaker_id} ({one.scope}) is {_state(one)}.", style="bold")
        _show(console, kept)

    body = {"changed": [_plain(one) for one in changed], "breakers": [_plain(one) for one in kept]}
    answer(body, as_json=as_json, told=told)


def reset(
    breaker: Annotated[str, typer.Argument(help="The breaker, as `hitl breakers` names it.")],
    reason: Reason,
    by: By = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Close a breaker at once. Answers about earlier decisions open it no more."""
    opened = open_project(project)
    closed = opened.verbs.circuit.reset(breaker, opened.verbs.order(by or getpass.getuser(), reason))

    def told(console: Console) -> None:
        say(
            console,
            f"{closed.breaker_id} ({closed.scope}) is closed: the policy decides again.",
            style="bold",
        )

    answer(_plain(closed), as_json=as_json, told=told)


def _show(console: Console, kept: list[Breaker]) -> None:
    if not kept:
        say(console, "No breaker was ever open.")
        return
    table(console, ("breaker", "scope", "state", "since", "judged by", "answers"), map(_row, kept))
    if any(one.holds for one in kept):
        say(console, 'What they hold back goes to people. → hitl breakers reset ID --reason "…"')


def _row(one: Breaker) -> tuple[str | int, ...]:
    figures = ", ".join(f"{name} {value:.2f}" for name, value in one.figures.items())
    return one.breaker_id, str(one.scope), _state(one), f"{one.since:%Y-%m-%d %H:%M}", figures, one.answers


def _state(one: Breaker) -> str:
    until = f" until {one.until:%Y-%m-%d %H:%M}" if one.until is not None else ""
    return one.state.value.replace("_", "-") + until


def _plain(one: Breaker) -> dict[str, Any]:
    return {
        "breaker_id": one.breaker_id,
        "scope": str(one.scope),
        "state": one.state.value,
        "since": one.since,
        "until": one.until,
        "openings": one.openings,
        "figures": dict(one.figures),
        "answers": one.answers,
    }
