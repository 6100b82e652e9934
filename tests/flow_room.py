"""A project made by `hitl init`, its flows deployed to a real Prefect, and what a test asks of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pandas as pd

from hitl_mlops.cli.main import run
from hitl_mlops.servers.process import Running
from hitl_mlops.servers.schedules import Schedules
from hitl_mlops.servers.stack import Stack

PROJECT = "rain"
OVER = frozenset(("COMPLETED", "FAILED", "CRASHED", "CANCELLED"))


def until(answer: Callable[[], Any], *, deadline_s: float = 240.0) -> Any:
    """What the call answers, once that is something."""
    begun = time.monotonic()
    while time.monotonic() < begun + deadline_s:
        got = answer()
        if got:
            return got
        time.sleep(0.2)
    raise AssertionError(f"nothing came in {deadline_s:g} s")


def _unless_busy(reply: httpx.Response) -> httpx.Response | None:
    return None if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE else reply


@dataclass(frozen=True)
class Deployed:
    """A project whose flows Prefect knows and a worker runs."""

    folder: Path
    stack: Stack
    worker: Running
    api: str
    planned_first: frozenset[str] = frozenset()
    schedules_first: Schedules | None = None

    def ask(self, path: str, **body: Any) -> Any:
        """The answer; 503 is asked again, which Prefect on SQLite says while another writes."""

        reply = until(lambda: _unless_busy(httpx.post(f"{self.api}/{path}", json=body, timeout=60)))
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def deployment(self, name: str) -> dict[str, Any]:
        (found,) = self.ask("deployments/filter", deployments={"name": {"any_": [name]}})
        return dict(found)

    def planned(self) -> frozenset[str]:
        """Deployments for which the schedule has planned runs, once it has for all four."""
        names = {one["id"]: one["name"] for one in self.ask("deployments/filter")}
        runs = [one for one in self.ask("flow_runs/filter") if one["auto_scheduled"]]
        found = frozenset(names[one["deployment_id"]] for one in runs)
        return found if len(found) == len(names) else frozenset()

    def pause(self) -> None:
        """No schedule runs anything any more."""
        for one in self.ask("deployments/filter"):
            self.ask(f"deployments/{one['id']}/pause_deployment")

    def start(self, name: str, **parameters: Any) -> str:
        path = f"deployments/{self.deployment(name)['id']}/create_flow_run"
        state = {"type": "SCHEDULED", "message": "by the test"}
        key = str(uuid4())
        return str(self.ask(path, parameters=parameters, state=state, idempotency_key=key)["id"])

    def runs(self, name: str) -> list[dict[str, Any]]:
        """Runs of the deployment that were not begun by its schedule, oldest first."""
        found = self.ask("flow_runs/filter", deployments={"name": {"any_": [name]}})
        return sorted((one for one in found if not one["auto_scheduled"]), key=lambda one: one["created"])

    def finished(self, run_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Those runs, once all are over."""

        def over() -> list[dict[str, Any]]:
            found = self.ask("flow_runs/filter", flow_runs={"id": {"any_": list(run_ids)}})
            return found if all(one["state_type"] in OVER for one in found) else []

        return list(until(over))

    def log(self, run_id: str, wanted: str) -> str:
        """The run's log, once it has what is wanted: Prefect brings it some seconds later."""

        def told() -> str:
            lines = self.ask("logs/filter", logs={"flow_run_id": {"any_": [run_id]}})
            text = "\n".join(line["message"] for line in lines)
            return text if wanted in text else ""

        return str(until(told, deadline_s=60))

    def tell_drift(self, project: str) -> None:
        event = {
            "id": str(uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": "hitl.drift.found",
            "resource": {"prefect.resource.id": f"hitl.project.{project}"},
        }
        httpx.post(f"{self.api}/events", json=[event], timeout=30).raise_for_status()


def write_project(folder: Path, mlflow_url: str) -> None:
    """A small table of rain and sun, on a given MLflow and no Label Studio."""
    rows = range(120)
    frame = pd.DataFrame(
        {
            "case_id": [f"c{row}" for row in rows],
            "cloud": [row * 7 % 13 for row in rows],
            "wind": [row * 3 % 17 for row in rows],
            "label": ["rain" if row * 7 % 13 > 6 else "sun" for row in rows],
        }
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    source = folder.parent / "rain.csv"
    frame.to_csv(source, index=False)
    assert run(["init", "--data", str(source), "--name", PROJECT, str(folder)]) == 0
    with (folder / "hitl.yaml").open("a") as file:
        file.write(f"\nservices:\n  mlflow: {{uri: {mlflow_url}}}\n")
