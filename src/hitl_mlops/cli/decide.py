"""`hitl decide FILE`: a table of cases in, decisions recorded and routed."""

from __future__ import annotations

from collections import Counter
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
    working,
)

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.outcomes import Decided

SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """The command is part of the command line."""
    add_command(
        app,
        "decide",
        decide,
        examples=["hitl decide new_loans.csv", "hitl decide new_loans.csv --strict --json"],
    )


def decide(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON Lines, one case per row.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse the whole file if one row is refused.")
    ] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Decide, route and record a table of cases.

    The champion decides, the policy routes; questions to people wait to be pushed. The same file twice
    decides nothing twice. Rows that no model should see are refused with their reasons.
    """
    with working(f"Deciding {file.name}"):
        decided = open_project(project).decide(file, strict=strict)
    routes = Counter(one.route for one in decided.decisions)
    rules = Counter(reason for one in decided.decisions for reason in one.reasons)
    refused = Counter(reason for one in decided.refused for reason in one.reasons)

    def told(console: Console) -> None:
        say(
            console,
            f"{len(decided.decisions) - decided.known:,} decided, {decided.known:,} known before, "
            f"{len(decided.refused):,} refused, {decided.tickets:,} tickets opened.",
            style="bold",
        )
        table(console, ("route", "decisions"), routes.most_common())
        table(console, ("what fired", "decisions"), rules.most_common(SHOWN))
        if refused:
            table(console, ("refused because", "rows"), refused.most_common(SHOWN))
        if decided.tickets:
            say(console, "→ hitl review push")

    value = _plain(decided)
    answer(value, as_json=as_json, told=told)


def _plain(decided: Decided) -> dict[str, Any]:
    refused = [
        {"place": one.place, "case_id": one.case_id, "reasons": one.reasons} for one in decided.refused
    ]
    return {
        "decisions": decided.decisions,
        "routes": dict(Counter(one.route for one in decided.decisions)),
        "refused": refused,
        "known": decided.known,
        "tickets": decided.tickets,
    }
