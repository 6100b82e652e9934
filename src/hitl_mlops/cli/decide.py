"""`hitl decide FILE`: a table of cases in, decisions recorded and routed."""

from __future__ import annotations

from contextlib import ExitStack
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

    from hitl_mlops.deciding import FileDecided
    from hitl_mlops.decisions.decide import Recorded
    from hitl_mlops.decisions.record import Decision

SHOWN = 10
TOLD_ONE_BY_ONE = 10_000
"""Decisions that `--json` tells one by one; those of a larger file are for `--out`."""


def add_to(app: typer.Typer) -> None:
    """The command is part of the command line."""
    add_command(
        app,
        "decide",
        decide,
        examples=[
            "hitl decide new_loans.csv",
            "hitl decide new_loans.csv --strict --json",
            "hitl decide a_million.parquet --out decisions.parquet",
        ],
    )


def decide(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON Lines, one case per row.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse the whole file if one row is refused.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the decisions to this .parquet, .csv or .jsonl file.")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Decide, route and record a table of cases.

    The champion decides, the policy routes; questions to people wait to be pushed. The same file twice
    decides nothing twice. Rows that no model should see are refused with their reasons. A file is recorded
    40,000 rows at a time: stopped in between, the same command goes on where it stopped.
    """
    told_one_by_one: list[Decision] = []
    with working(f"Deciding {file.name}") as tell, ExitStack() as ending:
        opened = open_project(project)
        write = None if out is None else ending.enter_context(_opened(out))

        def keep(recorded: Recorded) -> None:
            wanted = as_json and len(told_one_by_one) <= TOLD_ONE_BY_ONE
            if write is None and not wanted:
                return
            decisions = recorded.decisions()
            if write is not None:
                write(decisions, opened.recourse.changed(recorded.known.values()))
            if wanted:
                told_one_by_one.extend(decisions)

        def progress(done: int, rows: int) -> None:
            tell(f"Deciding {file.name}: {done:,} of {rows:,} rows")

        total = opened.decide_file(file, strict=strict, keep=keep, progress=progress)
    plain = _plain(total, told_one_by_one)
    answer(plain, as_json=as_json, told=lambda console: _tell(console, total, out))


def _opened(out: Path) -> Any:
    from hitl_mlops.decisions.result_file import result_file

    return result_file(out)


def _tell(console: Console, total: FileDecided, out: Path | None) -> None:
    say(
        console,
        f"{total.decided:,} decided, {total.known:,} known before, "
        f"{total.refused:,} refused, {total.tickets:,} tickets opened.",
        style="bold",
    )
    table(console, ("route", "decisions"), total.routes.most_common())
    table(console, ("what fired", "decisions"), total.rules.most_common(SHOWN))
    if total.refused:
        table(console, ("refused because", "rows"), total.reasons.most_common(SHOWN))
    if out is not None:
        say(console, f"→ {out}")
    if total.tickets:
        say(console, "→ hitl review push")


def _plain(total: FileDecided, decisions: list[Decision]) -> dict[str, Any]:
    refused = [
        {"place": one.place, "case_id": one.case_id, "reasons": one.reasons} for one in total.first_refused
    ]
    return {
        "decisions": decisions if len(decisions) <= TOLD_ONE_BY_ONE else None,
        "routes": dict(total.routes),
        "rules": dict(total.rules),
        "rows": total.rows,
        "decided": total.decided,
        "refused": refused,
        "refused_rows": total.refused,
        "reasons": dict(total.reasons),
        "known": total.known,
        "tickets": total.tickets,
    }
