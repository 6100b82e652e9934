"""`hitl oversight` and `hitl guideline`: how people judge, for whoever leads them; never for reviewers."""

from __future__ import annotations

import getpass
from pathlib import Path
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
    working,
)
from hitl_mlops.cli.switches import By, Reason

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.oversight.notices import GuidelineIssue
    from hitl_mlops.oversight.team import Team

_ABOUT = "Show how each person judges. For whoever leads the team; keep it from those who review."
PageOption = Annotated[
    Path | None,
    typer.Option("--page", help="Write it as one HTML page, readable for you alone.", show_default=False),
]
DaysOption = Annotated[int, typer.Option("--days", min=1, help="Answers of so many days.")]


def add_to(app: typer.Typer) -> None:
    """The groups `oversight` and `guideline` are part of the command line."""
    group = add_group(app, "oversight", about=_ABOUT, alone=oversight)
    add_command(
        group, "clear", clear, examples=['hitl oversight clear r3 --reason "talked, new to the lane"']
    )
    guideline = add_group(app, "guideline", about="Show the classes on which people do not agree.")
    add_command(guideline, "issues", issues, examples=["hitl guideline issues"])
    add_command(
        guideline,
        "close",
        close,
        examples=['hitl guideline close issue_… --reason "said which of both a stroke is"'],
    )


def oversight(
    context: typer.Context,
    page: PageOption = None,
    days: DaysOption = 90,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show how each person judges. For whoever leads the team; keep it from those who review."""
    if context.invoked_subcommand is not None:
        return
    opened = open_project(project)
    with working("Weighing"):
        team = opened.reviewing.overseeing.team(days)
    written = _write(team, opened.settings.project, page) if page is not None else None

    def told(console: Console) -> None:
        _show(console, team)
        if written is not None:
            say(console, f"→ {written}")

    answer({**_plain(team), "page": str(written) if written else None}, as_json=as_json, told=told)


def clear(
    person: Annotated[str, typer.Argument(help="Roster id or account of who was suspected.")],
    reason: Reason,
    by: By = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say that you have talked to somebody. Their seeds count anew from now on."""
    overseeing = open_project(project).reviewing.overseeing
    found = overseeing.clear(person, by=by or getpass.getuser(), reason=reason)

    def told(console: Console) -> None:
        say(console, f"{found.person} is suspected no more; their seeds count anew.", style="bold")

    answer({"person": found.person, "suspicion_id": found.suspicion_id}, as_json=as_json, told=told)


def issues(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show the guideline issues. Each class on which people agreed too little, with its cases."""
    found = open_project(project).reviewing.overseeing.issues()

    def told(console: Console) -> None:
        if not found:
            say(console, "No guideline issue was ever opened.")
            return
        heads = ("issue", "class", "alpha, 95 %", "cases", "they differ on", "since", "state")
        table(console, heads, map(_issue_row, found))
        if any(one.closed is None for one in found):
            say(console, "Its cases: hitl decision show ID. When it is mended: hitl guideline close ISSUE")

    answer({"issues": [_issue(one) for one in found]}, as_json=as_json, told=told)


def close(
    issue: Annotated[str, typer.Argument(help="The issue, as `hitl guideline issues` names it.")],
    reason: Reason,
    by: By = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Close a guideline issue. What people answer from now on is judged anew."""
    overseeing = open_project(project).reviewing.overseeing
    found = overseeing.close_issue(issue, by=by or getpass.getuser(), reason=reason)

    def told(console: Console) -> None:
        say(console, f"{found.issue_id} about {found.label} is closed.", style="bold")

    answer({"issue_id": found.issue_id, "label": found.label}, as_json=as_json, told=told)


def _write(team: Team, project: str, path: Path) -> Path:
    from hitl_mlops.oversight.page import team_page, write_page

    return write_page(team_page(team, project), path)


def _show(console: Console, team: Team) -> None:
    from hitl_mlops.kpis.report import told as rate_told
    from hitl_mlops.oversight.page import evidence_told
    from hitl_mlops.oversight.team import next_step

    if not team.people:
        say(console, "Nobody has answered yet, and the roster lists nobody.")
        return
    heads = (
        "person",
        "answers",
        "refused",
        "seeds",
        "caught, 95 %",
        "evidence",
        "blind, model wrong",
        "do next",
    )
    rows = [
        (
            team.name(person),
            one.answers,
            one.refused,
            one.seeds.seen,
            rate_told(one.seeds.caught),
            evidence_told(one.seeds.e_value),
            rate_told(one.calibration.where_model_wrong),
            next_step(team, person),
        )
        for person, one in team.people.items()
    ]
    table(console, heads, rows)
    say(
        console,
        f"Suspected from evidence {1 / team.policy.alpha:,.0f} on: at most {team.policy.alpha:.1%} of those "
        f"who catch {team.policy.catch_rate:.0%} or more ever are. A suspicion is a reason to talk.",
    )
    if team.issues:
        named = ", ".join(one.label for one in team.issues)
        say(console, f"People do not agree on {named}. → hitl guideline issues")


def _plain(team: Team) -> dict[str, Any]:
    from hitl_mlops.oversight.team import confirmed, next_step

    return {
        "at": team.at,
        "days": team.days,
        "people": [
            {"figures": one, "name": team.name(person), "do_next": next_step(team, person)}
            for person, one in team.people.items()
        ],
        "agreement": team.agreement,
        "suspicions": team.suspicions,
        "issues": [_issue(one) for one in team.issues],
        "seeds": team.seeds,
        "seeds_open": team.seeds_open,
        "known_left": team.known_left,
        "confirmed": confirmed(team),
    }


def _issue(one: GuidelineIssue) -> dict[str, Any]:
    return {
        "issue_id": one.issue_id,
        "label": one.label,
        "alpha": one.alpha,
        "interval": [one.low, one.high],
        "cases": one.cases,
        "decision_ids": list(one.decision_ids),
        "opened_at": one.opened_at,
        "closed": one.closed,
    }


def _issue_row(one: GuidelineIssue) -> tuple[str | int, ...]:
    state = "open" if one.closed is None else f"closed by {one.closed.by}: {one.closed.reason}"
    interval = f"{one.alpha:.2f} ({one.low:.2f}…{one.high:.2f})"
    since = f"{one.opened_at:%Y-%m-%d %H:%M}"
    return one.issue_id, one.label, interval, one.cases, len(one.decision_ids), since, state
