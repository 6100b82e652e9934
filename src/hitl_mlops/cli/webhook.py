"""`hitl webhook set|drop`: MLflow tells the decision service of approvals as they are given."""

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
)

if TYPE_CHECKING:
    from rich.console import Console


def add_to(app: typer.Typer) -> None:
    """The group `webhook` is part of the command line."""
    group = add_group(app, "webhook", about="Let MLflow tell the decision service of approvals.")
    add_command(
        group, "set", set_webhook, examples=["hitl webhook set https://hitl.internal/v1/webhooks/mlflow"]
    )
    add_command(group, "drop", drop, examples=["hitl webhook drop"])


def set_webhook(
    url: Annotated[str, typer.Argument(help="The service's address, as MLflow reaches it.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Have MLflow call the service when a version changes. Twice is as once.

    For an MLflow of yours, as its administrator: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. The
    one that `hitl up` starts is told by `hitl serve` itself.
    """
    from hitl_mlops.webhooks.hear import PATH, demand_secret

    parts = open_project(project).parts
    called = url if url.rstrip("/").endswith(PATH) else url.rstrip("/") + PATH
    made = parts.mlflow_webhooks.set(called, demand_secret(parts.webhook_secret))

    def told(console: Console) -> None:
        say(console, f"MLflow calls {made.url} from now on.")

    answer({"webhook": made}, as_json=as_json, told=told)


def drop(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Have MLflow call nobody. Approvals are then read at the next look at a rollout."""
    gone = open_project(project).parts.mlflow_webhooks.drop()
    said = "MLflow calls nobody from now on." if gone else "MLflow called nobody."
    answer({"dropped": gone}, as_json=as_json, told=lambda console: say(console, said))
