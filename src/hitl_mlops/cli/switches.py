"""`hitl freeze|unfreeze|switches`: decisions are taken out of the models' hands, and given back."""

from __future__ import annotations

import getpass
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
)

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.routing.switches import Switch

Reason = Annotated[str, typer.Option("--reason", help="Why, in your words.")]
By = Annotated[
    str, typer.Option(help="Your roster id or account; left out: your log-in name.", show_default=False)
]
ScopeOption = Annotated[
    str,
    typer.Option(help="everything, model=3, label=yes, route=auto, like=d_…, or an attribute: branch=north."),
]


def add_to(app: typer.Typer) -> None:
    """The commands are part of the command line."""
    add_command(
        app,
        "freeze",
        freeze,
        examples=[
            'hitl freeze --reason "odd answers since noon"',
            'hitl freeze --scope branch=north --reason "broken scanner"',
        ],
    )
    add_command(app, "unfreeze", unfreeze, examples=['hitl unfreeze s1 --reason "the scanner was replaced"'])
    add_command(app, "switches", switches, examples=["hitl switches"])


def freeze(
    reason: Reason,
    scope: ScopeOption = "everything",
    by: By = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Send every decision in the scope to people. From the next batch on, in every process.

    Needs neither MLflow nor Label Studio. Holds until it is lifted, over restarts too.
    """
    switch = open_project(project).freeze(scope, reason=reason, by=by or getpass.getuser())

    def told(console: Console) -> None:
        covered = f"what has {switch.scope}" if switch.scope.value else "everything"
        say(console, f"{switch.switch_id} is on: {covered} goes to people.", style="bold")
        say(console, f'→ hitl unfreeze {switch.switch_id} --reason "…"')

    answer(_plain(switch), as_json=as_json, told=told)


def unfreeze(
    switch: Annotated[str, typer.Argument(help="The switch, as `hitl switches` names it.")],
    reason: Reason,
    by: By = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Lift a switch. What another switch covers stays frozen; decisions already with people stay there."""
    opened = open_project(project)
    lifted = opened.unfreeze(switch, reason=reason, by=by or getpass.getuser())
    left = [one for one in opened.switches() if one.is_on]

    def told(console: Console) -> None:
        say(console, f"{lifted.switch_id} ({lifted.scope}) is off.", style="bold")
        still = f"Still on: {', '.join(f'{one.switch_id} ({one.scope})' for one in left)}."
        say(console, still if left else "The policy decides again.")

    answer(_plain(lifted) | {"still_on": [one.switch_id for one in left]}, as_json=as_json, told=told)


def switches(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show what is frozen and what was. Oldest first, with who and why; and breakers that are not closed."""
    opened = open_project(project)
    kept, broken = opened.switches(), opened.verbs.circuit.board.standing()

    def told(console: Console) -> None:
        if kept:
            table(console, ("switch", "scope", "state", "set", "by", "why"), map(_row, kept))
        else:
            say(console, "Nothing was ever frozen.")
        if broken:
            named = ", ".join(f"{one.breaker_id} ({one.scope})" for one in broken)
            say(console, f"Held back by breakers: {named}. → hitl breakers", style="bold")

    body = {"switches": [_plain(one) for one in kept], "breakers": [one.breaker_id for one in broken]}
    answer(body, as_json=as_json, told=told)


def _row(one: Switch) -> tuple[str, ...]:
    state = f"lifted {one.lifted_at:%Y-%m-%d %H:%M} by {one.lifted_by}" if one.lifted_at else "on"
    return one.switch_id, str(one.scope), state, f"{one.at:%Y-%m-%d %H:%M}", one.by, one.reason


def _plain(one: Switch) -> dict[str, Any]:
    return {
        "switch_id": one.switch_id,
        "scope": str(one.scope),
        "is_on": one.is_on,
        "by": one.by,
        "reason": one.reason,
        "at": one.at,
        "lifted_by": one.lifted_by,
        "lifted_reason": one.lifted_reason,
        "lifted_at": one.lifted_at,
    }
