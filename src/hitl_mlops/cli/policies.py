"""`hitl policy check|schema|simulate`: what a policy says before it decides anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hitl_mlops.cli import calibration
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
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from hitl_mlops.routing.cases import CaseRouted
    from hitl_mlops.routing.check import Finding
    from hitl_mlops.routing.policy import Policy
    from hitl_mlops.routing.simulate import CostOutcome, Outcome, Simulation
    from hitl_mlops.routing.user_functions import Check
    from hitl_mlops.routing.workload import Queue

FOUND = 1
SHOWN_CASES = 40
_STYLES = {"error": "red", "warning": "yellow", "info": ""}


def add_to(app: typer.Typer) -> None:
    """The group `policy` is part of the command line."""
    group = add_group(app, "policy", about="Look through a policy, and try it on the record.")
    add_command(
        group, "check", check, examples=["hitl policy check", "hitl policy check --cases expected.csv"]
    )
    add_command(group, "schema", schema, examples=["hitl policy schema > policy.schema.json"])
    add_command(
        group,
        "simulate",
        simulate,
        examples=["hitl policy simulate --policy new.yaml --per-hour 30 --minutes 2"],
    )
    calibration.add_to_group(group)


def check(
    policy: Annotated[
        Path | None, typer.Option(help="The policy file; left out: the project's.", show_default=False)
    ] = None,
    cases: Annotated[
        Path | None,
        typer.Option(help="Your table of cases with the route each is to take: CSV or JSON Lines."),
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Look for rules that never fire, gaps, overlaps and dead ends. And hold a table of cases against it.

    The table has a column `expected` beside what the policy reads: confidence, label, margin, columns of
    your data. An attribute that a function of yours gives is made, or taken where the table has it. Each case
    is routed as a decision is. Exit code 1 where an error is found, or a case goes elsewhere than expected.
    """
    from hitl_mlops.decisions.table_file import read_table
    from hitl_mlops.routing.cases import route_table
    from hitl_mlops.routing.check import Severity
    from hitl_mlops.routing.check import check as look

    read, known, functions = _read(policy, project)
    findings = (*look(read, **known), *_unstaffed(read, project))
    routed = () if cases is None else route_table(read, read_table(cases), checks=functions)
    differing = [one for one in routed if not one.as_expected]
    told = {"policy_hash": read.hash, "findings": findings, "cases": len(routed), "differing": differing}
    answer(told, as_json=as_json, told=lambda console: _tell_check(console, findings, routed))
    if differing or any(one.severity is Severity.ERROR for one in findings):
        raise typer.Exit(FOUND)


def schema(as_json: JsonOption = False) -> None:
    """Print the JSON Schema of policy.yaml. An editor completes keys and marks mistakes by it."""
    from hitl_mlops.routing.policy_schema import policy_schema

    made = policy_schema()
    answer(made, as_json=as_json, told=lambda console: say(console, json.dumps(made, indent=2)))


def simulate(
    policy: Annotated[Path, typer.Option(help="The new policy file.", show_default=False)],
    per_hour: Annotated[
        float | None, typer.Option(help="Reviews that your staff closes in an hour: tells who is late.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes that one review takes.")] = None,
    slip_cost: Annotated[
        float | None, typer.Option(help="What one wrong decision costs that went out by itself.")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Try a new policy on all recorded decisions. What people would have to do, and what would slip.

    A slip is an automatic decision that people would overrule. Slips are estimated from the reviewed
    decisions, each weighing by the chance that it had to be reviewed; the interval is at 95 %. The queue is
    a simple one: day and night, earliest deadline first. Nothing is changed.
    """
    from hitl_mlops.kpis.history import history_from_log
    from hitl_mlops.routing.policy import check_functions
    from hitl_mlops.routing.policy_file import read_policy
    from hitl_mlops.routing.simulate import Terms
    from hitl_mlops.routing.simulate import simulate as tried

    with working("Simulating"):
        parts, new = open_project(project).parts, read_policy(policy)
        check_functions(new, parts.functions)
        history = history_from_log(parts.log, parts.answers, new, parts.policy)
        terms = Terms(per_hour, minutes, slip_cost)
        found = tried(history, new, parts.policy_key, terms=terms, checks=parts.functions)
    answer(found, as_json=as_json, told=lambda console: _tell_simulation(console, found, per_hour))


def _read(policy: Path | None, project: Path) -> tuple[Policy, dict[str, Any], Mapping[str, Check]]:
    """The policy, what the project says beside it, and the functions it brings."""
    from hitl_mlops.routing.policy_file import read_policy
    from hitl_mlops.settings import PROJECT_FILE

    file = project / PROJECT_FILE if project.is_dir() else project
    if policy is not None and not file.exists():
        return read_policy(policy), {}, {}
    opened = open_project(project)
    read = opened.parts.policy if policy is None else read_policy(policy)
    functions = opened.parts.functions
    if not opened.settings.path(opened.settings.model.base).exists():
        return read, {"functions": functions}, functions
    columns = [str(name) for name in opened.parts.base.columns]
    known = {"columns": columns, "classes": opened.parts.classes, "functions": functions}
    return read, known, functions


def _unstaffed(policy: Policy, project: Path) -> tuple[Finding, ...]:
    """What the policy asks of people whom the project does not have; nothing outside a project."""
    from hitl_mlops.review.staffed import unstaffed
    from hitl_mlops.settings import PROJECT_FILE

    file = project / PROJECT_FILE if project.is_dir() else project
    return tuple(unstaffed(policy, open_project(project).parts.roster)) if file.exists() else ()


def _tell_check(console: Console, findings: Sequence[Finding], routed: Sequence[CaseRouted]) -> None:
    for one in findings:
        line = f"line {one.line}: " if one.line is not None else ""
        say(console, f"{one.severity}: {line}{one.fact}", style=_STYLES[one.severity])
        if one.remedy:
            say(console, f"  → {one.remedy}")
    if not findings:
        say(console, "Nothing odd was found.", style="bold")
    differing = [one for one in routed if not one.as_expected]
    if routed:
        say(
            console,
            f"{len(routed):,} cases, {len(differing):,} routed otherwise than expected.",
            style="bold",
        )
    if differing:
        rows = [(one.row, one.expected, one.got, "; ".join(one.reasons)) for one in differing[:SHOWN_CASES]]
        table(console, ("row", "expected", "got", "because"), rows)
    if len(differing) > SHOWN_CASES:
        say(console, f"… and {len(differing) - SHOWN_CASES:,} more")


def _tell_simulation(console: Console, found: Simulation, per_hour: float | None) -> None:
    say(
        console,
        f"{found.decisions:,} decisions, {found.since:%d %b %Y %H:%M} to {found.until:%d %b %Y %H:%M} UTC; "
        f"{found.moved:,} would take another route.",
        style="bold",
    )
    table(console, ("", "old", "new"), _rows(found.old, found.new))
    change = found.slips_change
    if change.value is not None and change.interval is not None:
        low, high = change.interval
        say(
            console,
            f"Slips change by {100 * change.value:+.2f} points ({100 * low:+.2f}…{100 * high:+.2f}), "
            f"by {change.reviewed:,} reviewed decisions; {found.awaited:,} wait for their answer.",
        )
    moves = [(before, after, count) for (before, after), count in found.moves.items() if before != after]
    if moves:
        table(console, ("from", "to", "decisions"), moves)
    hours = [
        (f"{a.hour:02}", a.mean, a.peak, b.mean, b.peak)
        for a, b in zip(found.old.by_hour, found.new.by_hour, strict=True)
    ]
    busy = [row for row in hours if row[2] or row[4]]
    heads = ("hour, UTC", "old mean", "old peak", "new mean", "new peak")
    if per_hour is None:
        table(console, heads, busy)
        return
    told = [(*row, "peak" if row[4] > per_hour else "") for row in busy]
    table(console, (*heads, f"new over {per_hour:g}"), told)


def _rows(old: Outcome, new: Outcome) -> list[tuple[str, Any, Any]]:
    """Both outcomes side by side; what was not asked for is left out."""
    from hitl_mlops.kpis.report import told as rate_told

    names = list(dict.fromkeys([*old.decisions, *new.decisions]))
    rows: list[tuple[str, Any, Any]] = [
        (f"decisions {name}", f"{old.decisions.get(name, 0):,}", f"{new.decisions.get(name, 0):,}")
        for name in names
    ]
    rows.append(("reviews", f"{sum(old.reviews.values()):,}", f"{sum(new.reviews.values()):,}"))
    rows.append(("of them spot checks", f"{old.spot_checks:,}", f"{new.spot_checks:,}"))
    rows.append(("slips, share of all, 95 %", rate_told(old.slips), rate_told(new.slips)))
    if old.expected_slips is not None and new.expected_slips is not None:
        rows.append(("slips", _span(old.expected_slips), _span(new.expected_slips)))
    if old.queue is not None and new.queue is not None:
        rows.append(("closed late", _late(old.queue), _late(new.queue)))
        waits = (f"{old.queue.longest_wait_h:.1f}", f"{new.queue.longest_wait_h:.1f}")
        rows.append(("longest wait, hours", *waits))
    if old.review_hours is not None and new.review_hours is not None:
        rows.append(("hours of reviewing", f"{old.review_hours:,.1f}", f"{new.review_hours:,.1f}"))
    if old.slip_cost is not None and new.slip_cost is not None:
        rows.append(("cost of slips", f"{old.slip_cost:,.0f}", f"{new.slip_cost:,.0f}"))
    if old.costs is not None and new.costs is not None:
        rows += [(name, a, b) for (name, a), (_, b) in zip(*map(_costs, (old.costs, new.costs)), strict=True)]
    return rows


def _costs(costs: CostOutcome) -> list[tuple[str, str]]:
    rows = [
        ("expected cost of mistakes", f"{costs.mistakes:,.0f}"),
        ("automatic at unknown cost", f"{costs.unknown:,}"),
    ]
    if costs.reviews is not None:
        rows.append(("cost of reviews", f"{costs.reviews:,.0f}"))
        rows.append(("both", f"{costs.total:,.0f}"))
    if costs.above_budget is not None:
        rows.append(("automatic above the budget", f"{costs.above_budget:,}"))
    return rows


def _late(queue: Queue) -> str:
    return f"{queue.late:,} of {queue.tickets:,}"


def _span(expected: tuple[float, float, float]) -> str:
    value, low, high = expected
    return f"{value:,.0f} ({low:,.0f}…{high:,.0f})"
