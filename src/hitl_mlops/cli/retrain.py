"""`hitl retrain status|look|ask|now`: what speaks for learning anew or rolling back, and doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    from hitl_mlops.retraining import Looked

STYLES = {"contain": "bold red", "pause": "bold yellow", "queue": "bold", "look": "bold yellow"}
ANSWERS = {
    "contain": "Contain: everything to people, roll back, retrain.",
    "pause": "Pause the slices named, ask people about samples, retrain.",
    "queue": "A retraining is due.",
    "look": "Nothing fired, but figures are unknown: a person should look.",
    "nothing": "Nothing to do: every figure is known, and none fired.",
}


def add_to(app: typer.Typer) -> None:
    """The group `retrain` is part of the command line."""
    group = add_group(
        app, "retrain", about="When a model learns anew, a slice is paused, or all is rolled back."
    )
    add_command(group, "status", status, examples=["hitl retrain status"])
    add_command(group, "look", look, examples=["hitl retrain look"])
    add_command(group, "ask", ask, examples=["hitl retrain ask"])
    add_command(group, "now", now, examples=["hitl retrain now"])


def status(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show what each trigger says, and what would be done. Nothing is written."""
    from hitl_mlops.retraining import Retraining

    with working("Looking"):
        looked = Retraining(open_project(project)).status()
    _answer(looked, as_json=as_json)


def look(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Look once, and do what the policy lets be done without asking. A retraining is only told.

    The flow collect-overrides does this every few minutes.
    """
    from hitl_mlops.retraining import Retraining

    with working("Looking"):
        looked = Retraining(open_project(project)).look()
    _answer(looked, as_json=as_json)


def ask(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Ask people about decisions of the kind they overrule most."""
    from hitl_mlops.retraining import Retraining

    retraining = Retraining(open_project(project))
    with working("Choosing"):
        opened = retraining.enqueue(retraining.status().decided)

    def told(console: Console) -> None:
        say(console, f"{opened} tickets were opened where errors cluster.", style="bold")
        say(console, "→ hitl review push" if opened else "→ hitl retrain status")

    answer({"opened": opened}, as_json=as_json, told=told)


def now(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Learn from all answers so far, whatever the triggers say."""
    from hitl_mlops.retraining import Retraining

    with working("Learning and judging"):
        made = Retraining(open_project(project)).now()

    def told(console: Console) -> None:
        verdict = f": {made.report.verdict.value}" if made.report else ""
        say(console, f"Version {made.version} learned{verdict}.", style="bold")
        if made.feedback_to_retrain_s is not None:
            say(console, f"The first of its new answers waited {made.feedback_to_retrain_s:,.0f} s for it.")
        say(console, f"→ hitl gate {made.version}" if made.report else "→ hitl decide FILE")

    verdict = made.report.verdict.value if made.report else None
    value = {"version": made.version, "verdict": verdict, "feedback_to_retrain_s": made.feedback_to_retrain_s}
    answer(value, as_json=as_json, told=told)


def _answer(looked: Looked, *, as_json: bool) -> None:
    decided, name = looked.decided, looked.decided.answer.name.lower()

    def told(console: Console) -> None:
        say(console, ANSWERS[name], style=STYLES.get(name, ""))
        rows = [(one.trigger.value, one.state.value, one.reason) for one in decided.findings]
        table(console, ("trigger", "says", "why"), rows)
        for task in decided.tasks:
            how = f"waits: {task.waits}" if task.waits else "by itself" if task.automatic else "asks a person"
            say(console, f"{task.act.value} {task.scope}".strip() + f": {how}")
        for one in looked.done:
            say(console, one, style="bold")
        for one in looked.asked:
            say(console, f"→ {one}")

    value = {
        "answer": name,
        "due": looked.due,
        "fired": decided.fired,
        "unknown": decided.unknown,
        "findings": decided.findings,
        "tasks": decided.tasks,
        "reasons": decided.reasons,
        "done": looked.done,
        "asked": looked.asked,
    }
    answer(value, as_json=as_json, told=told)
