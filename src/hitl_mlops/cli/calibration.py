"""`hitl policy calibrate`: from which confidence on decisions may be automatic, with a guarantee."""

from __future__ import annotations

from datetime import UTC, datetime
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

    from hitl_mlops.kpis.thresholds import Proposal
    from hitl_mlops.routing.calibrate import Setting

INCONCLUSIVE = 1


def add_to_group(group: typer.Typer) -> None:
    """The command is part of the group `policy`."""
    add_command(
        group,
        "calibrate",
        calibrate,
        examples=["hitl policy calibrate", "hitl policy calibrate --slips 0.005 --chart thresholds.svg"],
    )


def calibrate(
    slips: Annotated[
        float, typer.Option(help="Most decisions that may be automatic and wrong, as a share of all.")
    ] = 0.01,
    delta: Annotated[float, typer.Option(help="Probability that the promise does not hold.")] = 0.05,
    until: Annotated[
        datetime | None,
        typer.Option(
            help="Only decisions before this time, UTC: so that answers still awaited do not count."
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Model version; left out: the champion.")] = "",
    chart: Annotated[Path | None, typer.Option(help="Draw slips and coverage into this SVG file.")] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Propose the automatic threshold by what people said. It is printed, and nothing is changed.

    Exit code 1 where no threshold can be promised yet; how many labels it would take is told.
    """
    from hitl_mlops.kpis.thresholds import propose_from_log

    with working("Calibrating"):
        opened = open_project(project)
        found = propose_from_log(
            opened.parts.log,
            opened.parts.answers,
            opened.parts.policy,
            model or opened.champion().challenger,
            target=slips,
            delta=delta,
            until=None if until is None else until.replace(tzinfo=until.tzinfo or UTC),
            functions=opened.parts.checks,
        )
        if chart is not None:
            _draw(found, chart)
    answer(_plain(found), as_json=as_json, told=lambda console: _tell(console, found))
    if found.calibration.proposed is None:
        raise typer.Exit(INCONCLUSIVE)


def _plain(found: Proposal) -> dict[str, Any]:
    from hitl_mlops.ids import plain

    return {**plain(found), "coverage_change": found.calibration.coverage_change}


def _draw(found: Proposal, chart: Path) -> None:
    from hitl_mlops.errors import InputError
    from hitl_mlops.kpis.charts import slips_over_thresholds

    try:
        chart.write_text(slips_over_thresholds(found.calibration), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The drawing cannot be written to {chart}: {error.strerror}.",
            remedy="Name a file in a folder that exists.",
        ) from error


def _tell(console: Console, found: Proposal) -> None:
    from hitl_mlops.kpis.report import told as rate_told

    one = found.calibration
    say(console, one.reason, style="bold" if one.proposed is not None else "bold yellow")
    say(
        console,
        f"Model {found.model_version}: {one.decisions:,} decisions, {one.labels:,} reviewed, "
        f"{one.awaited:,} awaited.",
    )
    if one.awaited:
        say(console, "What is awaited counts as wrong: answer it, or leave the latest days out with --until.")
    rows: list[tuple[str, Setting]] = [("now", one.present)]
    if one.proposed is not None:
        rows.append(("proposed", one.proposed))
    table(
        console,
        ("", "automatic from", "automatic", "of all: slips, 95 %", "proven"),
        [
            (name, f"{at.threshold:g}", f"{at.coverage:.1%}", rate_told(at.slips), at.certified)
            for name, at in rows
        ],
    )
    if one.coverage_change is not None:
        _tell_change(console, found, round(1000 * one.coverage_change))


def _tell_change(console: Console, found: Proposal, per_thousand: int) -> None:
    if not found.tests:
        say(console, "The policy says so already.")
        return
    fewer = "fewer" if per_thousand >= 0 else "more"
    say(
        console, f"{abs(per_thousand)} {fewer} of 1,000 decisions wait for people. To write into policy.yaml:"
    )
    rows = [(f"routes.{name}", *map(_line, tests)) for name, tests in found.tests.items()]
    table(console, ("in policy.yaml", "now", "proposed"), rows)


def _line(test: str | None) -> str:
    return f'confidence: "{test}"' if test else "no confidence"
