"""`hitl collect` and `hitl dataset build|list|show|diff|export`: from answers to dataset versions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
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
from hitl_mlops.ids import plain

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.dataset.manifest import DatasetVersion

Name = Annotated[str, typer.Argument(help="Number, digest or latest.")]


def add_to(app: typer.Typer) -> None:
    """The commands are part of the command line."""
    add_command(app, "collect", collect, examples=["hitl collect", "hitl collect --sweep"])
    group = add_group(app, "dataset", about="Versions of what models learn from.")
    add_command(group, "build", build, examples=["hitl dataset build"])
    add_command(group, "list", versions, examples=["hitl dataset list"])
    add_command(group, "show", show, examples=["hitl dataset show 5"])
    add_command(group, "diff", diff, examples=["hitl dataset diff 4 5"])
    add_command(group, "export", export, examples=["hitl dataset export dataset5.parquet --version 5"])


def collect(
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Read everything again and look for deletions.")
    ] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Let a sweep take back most of what people said.")
    ] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Bring in what reviewers answered. It is screened and resolved; what fails is quarantined."""
    with working("Collecting"):
        collected = open_project(project).collect(sweep=sweep, accept_deletions=accept_deletions)

    def told(console: Console) -> None:
        say(
            console,
            f"{collected.new} new answers: {collected.accepted} accepted, "
            f"{len(collected.quarantined)} quarantined; {len(collected.resolved)} tickets resolved "
            f"({collected.overrides} overrides), {len(collected.disagreements)} wait for one more.",
            style="bold",
        )
        reasons = Counter(reason for one in collected.quarantined for reason in one.reasons)
        if reasons:
            table(console, ("quarantined because", "answers"), reasons.most_common())
        say(console, "→ hitl dataset build" if collected.resolved else "→ hitl review status")

    answer({**plain(collected), "overrides": collected.overrides}, as_json=as_json, told=told)


def build(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Put every resolution into the latest version. Nothing new makes no new version."""
    with working("Building"):
        version = open_project(project).build_dataset()
    answer(version, as_json=as_json, told=lambda console: _tell(console, version))


def versions(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List all versions, oldest first."""
    found = open_project(project).datasets()

    def told(console: Console) -> None:
        rows = [
            (
                one.number,
                one.digest[:19],
                one.example_rows,
                one.label_rows,
                f"{one.created_at:%Y-%m-%d %H:%M}",
            )
            for one in found
        ]
        table(console, ("version", "digest", "examples", "label events", "made"), rows)

    answer({"versions": found}, as_json=as_json, told=told)


def show(name: Name = "latest", project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show one version and where it came from."""
    version = open_project(project).dataset(name)
    answer(version, as_json=as_json, told=lambda console: _tell(console, version))


def diff(
    before: Annotated[str, typer.Argument(help="The older version.")],
    after: Annotated[str, typer.Argument(help="The newer version.")] = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Tell what two versions say otherwise. By class and by reviewer."""
    found = open_project(project).diff_datasets(before, after)

    def told(console: Console) -> None:
        say(
            console,
            f"{len(found.added)} added, {len(found.changed)} changed, {len(found.withdrawn)} withdrawn",
            style="bold",
        )
        table(console, ("from", "to", "examples"), [(*pair, count) for pair, count in found.by_class.items()])
        table(console, ("reviewer", "labels"), found.by_reviewer.items())

    answer(found, as_json=as_json, told=told)


def export(
    path: Annotated[Path, typer.Argument(help="The Parquet file to write.")],
    name: Annotated[str, typer.Option("--version", help="Number, digest or latest.")] = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write a version as one Parquet file. The same version gives the same bytes."""
    version = open_project(project).export_dataset(name, path)
    answer(
        {"path": str(path), "version": version},
        as_json=as_json,
        told=lambda console: say(console, f"Dataset {version.number} written to {path}."),
    )


def _tell(console: Console, version: DatasetVersion) -> None:
    say(console, f"Dataset {version.number}  {version.digest}", style="bold")
    lineage = version.lineage
    rows = [
        ("examples", f"{version.example_rows:,}"),
        ("label events", f"{version.label_rows:,}"),
        ("resolutions added", f"{lineage.resolutions:,}"),
        ("decided by models", ", ".join(lineage.model_versions) or "-"),
        ("routed by policies", ", ".join(one[:19] for one in lineage.policy_hashes) or "-"),
        ("parent", version.parent or "-"),
        ("source", lineage.source or "-"),
    ]
    table(console, ("", ""), rows)
