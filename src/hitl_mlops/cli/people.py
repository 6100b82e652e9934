"""`hitl review push|status|select`: tickets to the desk, and how the queue stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from hitl_mlops.cli import queue as queues
from hitl_mlops.cli import selection
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
    working,
)

if TYPE_CHECKING:
    from rich.console import Console


def add_to(app: typer.Typer) -> None:
    """The group `review` is part of the command line."""
    group = add_group(app, "review", about="Put questions to people, and see how the queue stands.")
    add_command(group, "push", push, examples=["hitl review push"])
    add_command(group, "status", status, examples=["hitl review status"])
    selection.add_to_review(group)
    queues.add_to_group(group)


def push(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Put the tickets that wait on the desk. None is doubled, and what fails waits for the next push."""
    with working("Pushing tickets"):
        pushed = open_project(project).push()

    def told(console: Console) -> None:
        say(console, f"{pushed.pushed:,} new tickets are on the desk.", style="bold")
        for url, what in zip(pushed.pages, ("answer them at", "without the model's answer:"), strict=False):
            say(console, f"→ {what} {url}")

    answer(pushed, as_json=as_json, told=told)


def status(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show the queue by lane. Waiting, open, late, the oldest; and what the screen holds back."""
    from hitl_mlops.queues import Queues

    queue = Queues(open_project(project).verbs).status()

    def told(console: Console) -> None:
        rows = [
            (one.lane, one.waiting, one.open, one.late, f"{one.oldest:%Y-%m-%d %H:%M}" if one.oldest else "-")
            for one in queue.lanes
        ]
        if rows:
            table(console, ("lane", "not pushed", "open", "late", "oldest"), rows)
        else:
            say(console, "No ticket is open.")
        if queue.people:
            held = [(one.person, one.held, one.late, f"{one.until:%Y-%m-%d %H:%M}") for one in queue.people]
            table(console, ("person", "has", "late", "first until"), held)
        if queue.reminded:
            say(console, f"{queue.reminded} want an answer soon: people were reminded.")
        if queue.expired:
            say(console, f"{queue.expired} expired: nobody answered until the last timer ended.")
        if queue.quarantined:
            say(console, f"{queue.quarantined} answers are quarantined. → hitl quarantine list")

    answer(queue, as_json=as_json, told=told)
