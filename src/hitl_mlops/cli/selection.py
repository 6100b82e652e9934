"""`hitl review select`: questions to learn from, as far as the week's hours allow."""

from __future__ import annotations

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

    from hitl_mlops.review.budget import Room
    from hitl_mlops.selecting import Selected


def add_to_review(group: typer.Typer) -> None:
    """The command is part of the group `review`."""
    examples = ["hitl review select", "hitl review select --dry-run", "hitl review select --at-most 50"]
    add_command(group, "select", select, examples=examples)


def select(
    at_most: Annotated[
        int | None,
        typer.Option(min=1, help="How many questions; left out: what the week's hours have room for."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked; write nothing.")
    ] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Ask people what a model would learn most from.

    They are automatic decisions of seven days. Most are those it is in doubt about, weighed by impact and
    unlike each other; a share is drawn at random. The week's hours are review.budget_hours_per_week of
    policy.yaml, less what people answered in seven days and what waits for an answer.
    """
    from hitl_mlops.selecting import Selecting

    with working("Choosing"):
        found = Selecting(open_project(project).verbs).select(at_most, dry_run=dry_run)

    def told(console: Console) -> None:
        again = "hitl review select" + ("" if at_most is None else f" --at-most {at_most}")
        _tell(console, found, again if dry_run else "")

    value = {
        "version": found.version,
        "since": found.since,
        "candidates": found.candidates,
        "chosen": found.count,
        "at_random": found.at_random,
        "in_doubt": found.in_doubt,
        "pi": found.pi,
        "hours": found.hours,
        "room": {
            "left_h": found.room.left_h,
            "fits": found.room.fits,
            "seconds_each": found.room.seconds_each,
        },
        "opened": found.opened,
        "dry_run": dry_run,
    }
    answer(value, as_json=as_json, told=told)


def _tell(console: Console, found: Selected, not_yet: str) -> None:
    """What was chosen; or would be by the command `not_yet`, which writes it."""
    if not found.count:
        say(console, _why_none(found), style="bold")
        say(console, "→ hitl review status")
        return
    verb = "would be" if not_yet else "are"
    say(console, f"{found.count:,} of {found.candidates:,} decisions {verb} asked about.", style="bold")
    rows = [
        ("in doubt", len(found.in_doubt), "a small margin between the two likeliest classes, by impact"),
        ("at random", len(found.at_random), f"each of the {found.candidates:,} with π = {found.pi:.4g}"),
    ]
    table(console, ("chosen", "questions", "because"), rows)
    say(console, f"They will take {_time(found.hours)}{_left(found)}.{_rests_on(found.room)}")
    say(console, f"→ {not_yet or 'hitl review push'}")


def _left(found: Selected) -> str:
    if found.room.left_h is None:
        return ""
    left = max(0.0, found.room.left_h - found.hours)
    return f"; {_time(left)} of the week's {found.room.hours:g} h are left"


def _time(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def _rests_on(room: Room) -> str:
    if room.measured:
        return f" An answer takes {room.seconds_each:.0f} s, the median of {room.measured:,}."
    return f" Too few answers were timed: {room.seconds_each:.0f} s each is a guess."


def _why_none(found: Selected) -> str:
    room = found.room
    if room.fits == 0:
        return (
            f"No question fits: of the week's {room.hours:g} h, {_time(room.taken_h)} are used, and what "
            f"waits for an answer takes {_time(room.promised_h)}."
        )
    return f"Version {found.version} decided nothing in the last seven days that nobody was asked about."
