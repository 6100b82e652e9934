"""`hitl kpis` and `hitl drift`: how the loop does, and whether what comes in has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    from hitl_mlops.kpis.learning import LearningFigures
    from hitl_mlops.kpis.reviewing import ReviewingFigures


def add_to(app: typer.Typer) -> None:
    """The commands are part of the command line."""
    add_command(app, "kpis", kpis, examples=["hitl kpis", "hitl kpis --json"])
    add_command(app, "drift", drift, examples=["hitl drift"])


def kpis(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show how often people would overrule the model. By route and by model version.

    The rates are over all decisions, though only some were reviewed: each weighs by the chance that
    it had to be reviewed. The interval is at 95 %.
    """
    with working("Counting"):
        figures = open_project(project).figures()

    def told(console: Console) -> None:
        from hitl_mlops.kpis.report import told as rate_told

        say(
            console,
            f"{figures.decisions:,} decisions, {figures.automatic:.1%} without a person before release; "
            f"{figures.reviewed:,} reviewed, {figures.overridden:,} overridden, {figures.awaited:,} awaited.",
            style="bold",
        )
        groups = {"all": figures.override_rate}
        groups |= {f"route {name}": rate for name, rate in figures.by_route.items()}
        groups |= {f"version {name}": rate for name, rate in figures.by_version.items()}
        table(
            console,
            ("of", "overrides, 95 %"),
            [(name, rate_told(rate)) for name, rate in groups.items()],
        )
        say(console, _learning_told(figures.learning))
        for one in figures.learning.returned:
            say(console, one.told)
        say(console, _reviewing_told(figures.reviewing))

    answer(figures, as_json=as_json, told=told)


def _learning_told(learning: LearningFigures) -> str:
    """How often a model learns and how long answers wait, in one line."""
    from datetime import timedelta

    if learning.last_at is None:
        return "No model has learned yet."
    told = f"{learning.trainings} trainings, the last at {learning.last_at:%Y-%m-%d %H:%M} UTC"
    if learning.cadence_s is not None:
        told += f", one in {timedelta(seconds=round(learning.cadence_s))}"
    if learning.feedback_to_retrain_s is not None:
        waited = timedelta(seconds=round(learning.feedback_to_retrain_s))
        told += f"; it came {waited} after the first answer that it alone learned from"
    return f"{told}."


def _reviewing_told(reviewing: ReviewingFigures) -> str:
    """What reviewing took, in one line."""
    if not reviewing.answers:
        return "Nobody has answered yet."
    told = f"{reviewing.answers:,} answers, {reviewing.hours:.1f} hours"
    told += f", {reviewing.corrected:,} outputs corrected"
    if reviewing.hours_per_corrected is not None:
        told += f": {60 * reviewing.hours_per_corrected:.1f} minutes each"
    if reviewing.cost_per_corrected is not None:
        told += f", {reviewing.cost_per_corrected:,.2f} in the unit of review.cost_per_hour"
    if reviewing.error_tags:
        told += "; said to be wrong: " + ", ".join(f"{tag} {n:,}" for tag, n in reviewing.error_tags.items())
    return f"{told}."


def drift(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Compare the latest cases with what the champion learned from."""
    with working("Comparing"):
        found = open_project(project).check_drift()

    def told(console: Console) -> None:
        say(console, found.reason, style="bold yellow" if found.alarm else "bold")
        rows = [(name,) for name in found.drifted]
        if rows:
            table(console, ("columns that moved",), rows)
        if found.alarm:
            say(console, "→ hitl train")

    answer(found, as_json=as_json, told=told)
