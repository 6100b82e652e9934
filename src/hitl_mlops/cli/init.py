"""`hitl init`: a folder to work in, made from the user's own table."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hitl_mlops.cli.output import JsonOption, answer, say, table, working
from hitl_mlops.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.decisions.task import InputKind
    from hitl_mlops.new_project.proposal import Proposal
    from hitl_mlops.new_project.write import Started

SHOWN_COLUMNS = 40
SHOWN_CLASSES = 8
KINDS = ("text", "table", "image")

EXAMPLES = (
    "hitl init --data loans.csv loans",
    "hitl init --data tickets.csv --text body --label queue tickets",
    "hitl init --kind table                 # only the files, data come later",
)


def init(  # noqa: PLR0913, PLR0917 - one option per thing that can be overruled
    folder: Annotated[Path, typer.Argument(help="Where the project will live; made where missing.")] = Path(),
    data: Annotated[
        Path | None, typer.Option(help="Your labelled cases: CSV, TSV, Parquet or JSON Lines.")
    ] = None,
    kind: Annotated[str, typer.Option(help="text, table or image; left out: found.", metavar="KIND")] = "",
    label: Annotated[str, typer.Option(help="Column of the truth.", metavar="COLUMN")] = "",
    id: Annotated[str, typer.Option(help="Column of the case id.", metavar="COLUMN")] = "",  # noqa: A002
    time: Annotated[str, typer.Option(help="Column of the event time.", metavar="COLUMN")] = "",
    subject: Annotated[str, typer.Option(help="Column of the person or account.", metavar="COLUMN")] = "",
    text: Annotated[str, typer.Option(help="Column of the text.", metavar="COLUMN")] = "",
    name: Annotated[str, typer.Option(help="Name of the project; left out: the folder's.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Write again what hitl init wrote and nobody changed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a project from your own table of labelled cases.

    Label, id, time and inputs are found, and you are told what was taken and why: overrule it with the
    options, or edit hitl.yaml afterwards. Nothing of yours is overwritten, and the data are copied.
    """
    from hitl_mlops.new_project.proposal import Wishes
    from hitl_mlops.new_project.write import write_project, write_skeleton

    wishes = Wishes(_kind(kind), *(column or None for column in (label, id, time, subject, text)))
    if data is None:
        started = write_skeleton(folder, _kind(kind) or _kind("table"), name=name, force=force)  # type: ignore[arg-type]
        answer(started, as_json=as_json, told=lambda console: _tell_skeleton(console, started))
        return
    from hitl_mlops.decisions.table_file import read_table
    from hitl_mlops.new_project.propose import propose

    with working(f"Reading {data.name}"):
        proposal = propose(read_table(data), wishes)
        started = write_project(folder, proposal, data, name=name, force=force)
    told = {**_plain(started), "proposal": proposal}
    answer(told, as_json=as_json, told=lambda console: _tell(console, proposal, started))


def _tell(console: Console, proposal: Proposal, started: Started) -> None:
    _tell_proposal(console, proposal)
    _tell_started(console, started)


def _kind(written: str) -> InputKind | None:
    from hitl_mlops.decisions.task import InputKind

    if not written:
        return None
    if written not in KINDS:
        raise InputError(f"There is no kind {written!r}.", remedy=f"Choose --kind from {', '.join(KINDS)}.")
    return InputKind(written)


def _plain(started: Started) -> dict[str, object]:
    return {"folder": str(started.folder), "project": started.project, "files": started.files}


def _tell_proposal(console: Console, proposal: Proposal) -> None:
    say(
        console,
        f"{proposal.rows:,} rows of {proposal.kind.value} ({proposal.kind_why.rstrip('.')})",
        style="bold",
    )
    rows = [(one.name, one.role.value, one.type, one.why) for one in proposal.columns]
    table(console, ("column", "taken as", "holds", "because"), rows[:SHOWN_COLUMNS])
    if len(rows) > SHOWN_COLUMNS:
        say(console, f"… and {len(rows) - SHOWN_COLUMNS} more columns")
    counts = [f"{name} {count:,}" for name, count in list(proposal.classes.items())[:SHOWN_CLASSES]]
    more = ", …" if len(proposal.classes) > SHOWN_CLASSES else ""
    say(console, f"{len(proposal.classes)} classes: {', '.join(counts)}{more}")
    for warning in proposal.warnings:
        say(console, f"! {warning}", style="yellow")


def _tell_started(console: Console, started: Started) -> None:
    say(console, f"Written to {started.folder}: {', '.join(started.files)}")
    say(console, "Look through hitl.yaml and policy.yaml, then:")
    _tell_next(console, started, "hitl up", "hitl train", "hitl decide NEW_CASES.csv")


def _tell_skeleton(console: Console, started: Started) -> None:
    say(console, f"Written to {started.folder}: {', '.join(started.files)}")
    say(console, "Put your data into data/base.csv, correct hitl.yaml, then:")
    _tell_next(console, started, "hitl doctor", "hitl up", "hitl train")


def _tell_next(console: Console, started: Started, *commands: str) -> None:
    if started.folder.resolve() != Path.cwd():
        commands = (f"cd {shlex.quote(str(started.folder))}", *commands)
    for command in commands:
        say(console, f"→ {command}")
