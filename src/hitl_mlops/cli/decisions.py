"""`hitl decision show|halt|reverse|outcome|complain`: one decision, and what people do to it afterwards."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
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

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.recourse.record import TakenBack

Id = Annotated[str, typer.Argument(help="The decision, d_…", metavar="ID")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in your words.")]
By = Annotated[
    str, typer.Option(help="Your roster id or account; left out: your log-in name.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    """The group `decision` is part of the command line."""
    group = add_group(app, "decision", about="One decision, and what people do to it afterwards.")
    add_command(group, "show", show, examples=["hitl decision show d_…"])
    add_command(group, "halt", halt, examples=['hitl decision halt d_… --reason "wrong account"'])
    add_command(group, "reverse", reverse, examples=['hitl decision reverse d_… --reason "wrong account"'])
    add_command(
        group,
        "outcome",
        outcome,
        examples=["hitl decision outcome d_… yes", 'hitl decision outcome d_… no --source "chargebacks"'],
    )
    add_command(
        group,
        "complain",
        complain,
        examples=['hitl decision complain d_… --reason "not my account" --by 4711'],
    )


def show(decision: Id, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show how a decision stands. What the model said, what people said, and what happened since."""
    opened = open_project(project)
    recourse = opened.recourse
    made = recourse.decision(decision)
    stands, taken = recourse.standing_of(made), recourse.book.taken_back([decision]).get(decision)
    outcomes, complaints = recourse.book.revisions(decision), recourse.book.complaints(decision)

    def told(console: Console) -> None:
        held = f": {stands.label}" if stands.label else ""
        say(console, f"{decision} is {stands.state.replace('_', ' ')}{held}.", style="bold")
        rows = [
            ("case", made.case_id),
            ("decided", _minute(made.at)),
            (
                "the model said",
                f"{made.label or 'nothing'} ({made.confidence:.2f}), version {made.model_version}",
            ),
            ("route", f"{made.route}: {'; '.join(made.reasons)}"),
            ("people step in", made.intervention.value),
        ]
        if made.reversible_until is not None:
            rows.append(("until", _minute(made.reversible_until)))
        if taken is not None:
            rows.append((taken.how.value, _said(taken.word)))
        rows += [("what happened", f"{one.label}, {_minute(one.at)}, by {one.source}") for one in outcomes]
        rows += [("complaint", f"{_said(one.word)} → {one.ticket_id}") for one in complaints]
        table(console, ("", ""), rows)

    value = {
        "decision": made,
        "state": stands.state,
        "act": stands.act,
        "label": stands.label,
        "taken_back": taken,
        "outcomes": outcomes,
        "complaints": complaints,
    }
    answer(value, as_json=as_json, told=told)


def halt(
    decision: Id, reason: Reason, by: By = "", project: ProjectOption = HERE, as_json: JsonOption = False
) -> None:
    """Stop a decision that has begun. For routes with `intervention: during`; nobody acts on it any more."""
    _tell(open_project(project).recourse.halt(decision, by=by or getpass.getuser(), reason=reason), as_json)


def reverse(
    decision: Id, reason: Reason, by: By = "", project: ProjectOption = HERE, as_json: JsonOption = False
) -> None:
    """Take a decision back. For routes with `intervention: after`, until its `reversible_for` is over."""
    _tell(
        open_project(project).recourse.reverse(decision, by=by or getpass.getuser(), reason=reason), as_json
    )


def outcome(
    decision: Id,
    label: Annotated[str, typer.Argument(help="The class that was right.")],
    source: Annotated[str, typer.Option(help="How it is known.")] = "told at the command line",
    at: Annotated[
        str,
        typer.Option(help="When it happened, 2026-03-01T12:00:00+00:00; left out: now.", show_default=False),
    ] = "",
    by: By = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Tell what really happened. Told otherwise before, this corrects it; every revision is kept."""
    recourse, when = open_project(project).recourse, _moment(at)
    kept = recourse.tell_outcome(decision, label, source=source, at=when, by=by or getpass.getuser())

    def told(console: Console) -> None:
        say(console, f"{decision} was really {kept.label} (revision {kept.revision}).")

    answer(kept, as_json=as_json, told=told)


def complain(
    decision: Id,
    reason: Reason,
    by: Annotated[
        str, typer.Option(help="Who complains; left out: your log-in name.", show_default=False)
    ] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Record a complaint about a decision. A supervisor is asked; the policy says how long it is heard."""
    made = open_project(project).recourse.complain(decision, by=by or getpass.getuser(), reason=reason)

    def told(console: Console) -> None:
        say(console, f"{made.complaint_id} is kept; a supervisor is asked by ticket {made.ticket_id}.")
        say(console, "→ hitl review push")

    answer(made, as_json=as_json, told=told)


def _tell(taken: TakenBack, as_json: bool) -> None:
    def told(console: Console) -> None:
        say(console, f"{taken.decision_id} is {taken.how.value}: nobody acts on it any more.", style="bold")

    answer(taken, as_json=as_json, told=told)


def _said(word: Any) -> str:
    return f"{word.reason} ({_minute(word.at)}, {word.by})"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _moment(text: str) -> datetime | None:
    from hitl_mlops.errors import InputError

    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no time.", remedy="Write it with its offset: 2026-03-01T12:00:00+00:00."
        ) from error
