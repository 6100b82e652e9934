"""`hitl review escalate|claim|give-back`: late tickets climb, and people get their tickets."""

from __future__ import annotations

from collections import Counter
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

    from hitl_mlops.queueing.escalate import Climbed

SHOWN = 40


def add_to_group(group: typer.Typer) -> None:
    """Part of the group `review`."""
    add_command(
        group, "escalate", escalate, examples=["hitl review escalate --dry-run", "hitl review escalate"]
    )
    add_command(group, "claim", claim, examples=["hitl review claim", "hitl review claim --as r1 --count 5"])
    add_command(group, "give-back", give_back, examples=["hitl review give-back --as r1"])


def claim(
    person: Annotated[
        str | None,
        typer.Option("--as", help="Roster id of who asks for work; left out: everybody."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="How many; left out: as many as one may have.")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Hand out tickets, the most urgent first. Whoever has one alone may answer it until its time ends.

    The flow `escalate` does it for everybody every few minutes. Nothing is handed out unless policy.yaml has
    `review.claims` and reviewers.yaml lists people.
    """
    from hitl_mlops.queues import Queues

    with working("Handing out tickets"):
        handed = Queues(open_project(project).verbs).hand_out(to=person, count=count)

    def told(console: Console) -> None:
        counts = Counter(one.person for one in handed.made)
        rows = [(name, many, f"{handed.made[0].until:%H:%M}") for name, many in sorted(counts.items())]
        if rows:
            table(console, ("person", "tickets", "until"), rows)
        for name, pages in (handed.pages or {}).items():
            for page in pages:
                say(console, f"{name} → {page}")
        say(console, f"{len(handed.made)} handed out, {handed.free} still free.", style="bold")
        for note in handed.notes:
            say(console, f"{note} The desk is told next time.", style="yellow")

    answer(handed, as_json=as_json, told=told)


def give_back(
    person: Annotated[str, typer.Option("--as", help="Roster id of who gives back.", show_default=False)],
    tickets: Annotated[
        list[str] | None, typer.Argument(help="Ids of tickets; left out: all that person has.")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Give tickets back, for others to have."""
    from hitl_mlops.queues import Queues

    with working("Giving back"):
        back = Queues(open_project(project).verbs).give_back(person, tickets or ())
    said = f"{person} gave back {len(back)} tickets. → hitl review claim"
    answer({"given_back": back}, as_json=as_json, told=lambda console: say(console, said))


def escalate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would climb.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let late tickets climb the ladder of policy.yaml. The flow `escalate` does it every few minutes.

    Answers are collected first. Each step is an entry of the trail; run again, nothing happens. Where Label
    Studio is down, tickets climb all the same, and it is told the next time.
    """
    from hitl_mlops.queues import Queues

    with working("Looking at deadlines"):
        climbed = Queues(open_project(project).verbs).escalate(dry_run=dry_run)
    answer(climbed, as_json=as_json, told=lambda console: _tell_climbed(console, climbed))


def _tell_climbed(console: Console, climbed: Climbed) -> None:
    from hitl_mlops.review.moves import What

    if climbed.moves:
        columns = ("ticket", "step", "", "lane", "was due")
        rows = [
            (
                one.ticket_id,
                one.step,
                one.what.replace("_", " "),
                one.lane,
                f"{one.due_at:%Y-%m-%d %H:%M}",
            )
            for one in climbed.moves[:SHOWN]
        ]
        table(console, columns, rows)
    counts = [f"{climbed.count(what)} {what.replace('_', ' ')}" for what in What if climbed.count(what)]
    if not climbed.has_ladder:
        say(console, "policy.yaml has no section escalation: no ticket climbs. → docs/how-to/queue.md")
    if climbed.dry_run:
        say(console, f"Would be: {', '.join(counts)}." if counts else "Nothing would climb.", style="bold")
    else:
        say(console, f"Steps: {', '.join(counts)}." if counts else "Nothing climbed.", style="bold")
    for note in climbed.notes:
        say(console, note, style="yellow")
    if climbed.not_shown:
        say(console, f"{climbed.not_shown} of them the desk does not show yet. → hitl review escalate")
