"""`hitl callback list|deliver|retry|secret`: what applications are told at their own addresses."""

from __future__ import annotations

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
    working,
)

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.callbacks.record import DeliveryState


def add_to(app: typer.Typer) -> None:
    """The group `callback` is part of the command line."""
    group = add_group(app, "callback", about="What applications are told at their own addresses.")
    add_command(group, "list", listed, examples=["hitl callback list --state failed"])
    add_command(group, "deliver", deliver, examples=["hitl callback deliver"])
    add_command(group, "retry", retry, examples=["hitl callback retry msg_…"])
    add_command(group, "secret", secret, examples=["hitl callback secret webshop"])


def listed(
    state: Annotated[str, typer.Option(help="waiting, delivered or failed; left out: all.")] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show the deliveries, the latest first. How often each was tried, and what came of it."""
    wanted = _state(state)
    book = open_project(project).parts.callbacks
    counts, found = book.counts(), book.deliveries(wanted)

    def told(console: Console) -> None:
        say(console, ", ".join(f"{count:,} {one}" for one, count in sorted(counts.items())) or "None so far.")
        rows = [
            (one.delivery_id, one.decision_id, one.url, one.state.value, one.attempts, one.last or "-")
            for one in found
        ]
        if rows:
            table(console, ("delivery", "decision", "to", "state", "tried", "last"), rows)
        if any(one.state.value == "failed" for one in found):
            say(console, "→ hitl callback retry DELIVERY")

    answer({"counts": dict(counts), "deliveries": found}, as_json=as_json, told=told)


def deliver(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Try every delivery that is due, once. `hitl serve` does so by itself."""
    with working("Delivering"):
        done = open_project(project).verbs.courier.deliver_all()
    taken = sum(one.state.value == "delivered" for one in done)

    def told(console: Console) -> None:
        say(console, f"{taken:,} delivered, {len(done) - taken:,} not taken.", style="bold")
        for one in done:
            if one.state.value != "delivered":
                say(console, f"{one.delivery_id} to {one.url}: {one.last}")

    answer({"delivered": taken, "deliveries": done}, as_json=as_json, told=told)


def retry(
    delivery: Annotated[str, typer.Argument(help="The delivery, as `hitl callback list` names it.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let a delivery be tried anew. What was delivered stays so."""
    opened = open_project(project)
    again = opened.parts.callbacks.retry(delivery, opened.parts.clock())

    def told(console: Console) -> None:
        say(console, f"{delivery} is {again.state.value}.")
        if again.state.value == "waiting":
            say(console, "→ hitl callback deliver")

    answer(again, as_json=as_json, told=told)


def secret(
    application: Annotated[str, typer.Argument(help="The application, as its token is named.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show the secret by which an application checks what it is told. Keep it like a password."""
    made = open_project(project).verbs.callback_secret(application)
    answer(
        {"application": application, "secret": made}, as_json=as_json, told=lambda console: say(console, made)
    )


def _state(name: str) -> DeliveryState | None:
    from hitl_mlops.callbacks.record import DeliveryState
    from hitl_mlops.errors import InputError

    known = [one.value for one in DeliveryState]
    if name and name not in known:
        raise InputError(f"There is no state {name!r}.", remedy=f"Choose from {', '.join(known)}.")
    return DeliveryState(name) if name else None
