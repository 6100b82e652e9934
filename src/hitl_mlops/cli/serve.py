"""`hitl serve` and `hitl token new|list|drop`: the decision service, and who may ask it."""

from __future__ import annotations

import os
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
)

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.gateway.tokens import Scope, TokenFile

USUAL_PORT = 8090
Name = Annotated[str, typer.Argument(help="The application that will hold it.")]


def add_to(app: typer.Typer) -> None:
    """The commands are part of the command line."""
    add_command(
        app, "serve", serve, examples=["hitl serve", "hitl serve --port 8090 --workers 2   # on PostgreSQL"]
    )
    group = add_group(app, "token", about="Who may ask the decision service, and for what.")
    add_command(group, "new", new, examples=["hitl token new webshop --scope decide --scope read"])
    add_command(group, "list", listed, examples=["hitl token list"])
    add_command(group, "drop", drop, examples=["hitl token drop webshop"])


def serve(
    host: Annotated[str, typer.Option(help="Where to listen; others than this machine need 0.0.0.0.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = USUAL_PORT,
    workers: Annotated[int, typer.Option(help="Processes; more than one is for PostgreSQL.", min=1)] = 1,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Answer applications that ask over HTTP.

    Each case is decided, routed and recorded before its answer leaves. Ctrl-C ends it, once what waits is
    decided.
    """
    for library in ("OMP", "OPENBLAS", "MKL"):  # for a few rows at once, threads cost more than they bring
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    from hitl_mlops.gateway.serving import demand_ready, run_service

    opened = open_project(project)
    tokens = demand_ready(opened, port=port, workers=workers)
    url = f"http://{host}:{port}"

    def told(console: Console) -> None:
        say(console, f"{url}  (what may be asked: {url}/docs; {tokens} tokens; Ctrl-C ends it)")

    answer({"url": url, "tokens": tokens}, as_json=as_json, told=told)
    run_service(opened, host=host, port=port, workers=workers)


def new(
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="decide, read, intervene, outcome, complain; may be given again. Left out: decide, read."
        ),
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make a token for an application. It is shown this once."""
    opened = open_project(project)
    secret = _tokens(project).make(name, _scopes(scope), opened.parts.clock())

    def told(console: Console) -> None:
        say(console, secret, style="bold")
        say(console, "It is shown this once. Send it as the header  Authorization: Bearer …")

    answer({"name": name, "token": secret}, as_json=as_json, told=told)


def listed(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show the tokens there are. Never the tokens themselves."""
    found = _tokens(project).all()

    def told(console: Console) -> None:
        rows = [(one.name, ", ".join(one.scopes), one.made_at[:16].replace("T", " ")) for one in found]
        table(console, ("token of", "allows", "since"), rows)

    kept = [{"name": one.name, "scopes": one.scopes, "made_at": one.made_at} for one in found]
    answer({"tokens": kept}, as_json=as_json, told=told)


def drop(name: Name, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Refuse an application's token from now on."""
    _tokens(project).drop(name)
    answer(
        {"dropped": name},
        as_json=as_json,
        told=lambda console: say(console, f"The token of {name} is refused from now on."),
    )


def _tokens(project: Path) -> TokenFile:
    from hitl_mlops.gateway.tokens import TokenFile

    return TokenFile(open_project(project).settings.state / "keys")


def _scopes(given: list[str] | None) -> list[Scope]:
    from hitl_mlops.errors import InputError
    from hitl_mlops.gateway.tokens import Scope

    known = [one.value for one in Scope]
    for name in given or ():
        if name not in known:
            raise InputError(f"There is no scope {name!r}.", remedy=f"Choose from {', '.join(known)}.")
    return [Scope(name) for name in given] if given else [Scope.DECIDE, Scope.READ]
