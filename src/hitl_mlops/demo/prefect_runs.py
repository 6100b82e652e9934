"""Deployments of a Prefect server are run and awaited over its REST API, without the cost of its import."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from hitl_mlops.errors import HitlError, NotFoundError, ServiceDownError
from hitl_mlops.ids import instant

POLL_S = 0.25
ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A run as the server knows it.

    Attributes:
        run_id: its id.
        name: the name that Prefect gave it.
        state: COMPLETED, RUNNING, PENDING, …
        by_event: an automation started it, not a person.
    """

    run_id: str
    name: str
    state: str
    by_event: bool

    @property
    def ended(self) -> bool:
        """It will not change any more."""
        return self.state in ENDED


class PrefectRuns:
    """What runs on one Prefect server.

    Args:
        api: address of the API, ends in /api.
        log: file that tells more when a run fails.
        transport: how requests travel; None: over the network.
    """

    def __init__(self, api: str, *, log: str, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(base_url=api, timeout=30, trust_env=False, transport=transport)
        self._log = log

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def start(self, deployment: str) -> FlowRun:
        """A run of the deployment is asked for; a worker takes it up.

        Raises:
            NotFoundError: no deployment of that name was made.
        """
        found = self._post("/deployments/filter", {"deployments": {"name": {"any_": [deployment]}}})
        if not found:
            raise NotFoundError(
                f"Prefect knows no deployment {deployment}.", remedy="Make it with: prefect deploy --all"
            )
        return _run(self._post(f"/deployments/{found[0]['id']}/create_flow_run", {}))

    def pause_schedules(self) -> None:
        """No deployment runs by the clock; runs that were planned are gone. Events still start theirs."""
        for one in self._post("/deployments/filter", {}):
            self._post(f"/deployments/{one['id']}/pause_deployment", {})

    def resume_schedules(self) -> None:
        """Deployments run by their clocks again."""
        for one in self._post("/deployments/filter", {}):
            self._post(f"/deployments/{one['id']}/resume_deployment", {})

    def next_of(
        self, deployment: str, since: datetime, *, within_s: float, told: Callable[[FlowRun | None], None]
    ) -> FlowRun:
        """The first run of the deployment that was asked for after `since`.

        Raises:
            ServiceDownError: there was none in time.
        """
        wanted = {
            "deployments": {"name": {"any_": [deployment]}},
            "flow_runs": {"expected_start_time": {"after_": instant(since)}},
            "sort": "START_TIME_ASC",
            "limit": 5,
        }
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            runs = [_run(one) for one in self._post("/flow_runs/filter", wanted)]
            started = next((one for one in runs if one.by_event), None)
            told(started)
            if started is not None:
                return started
            time.sleep(POLL_S)
        raise ServiceDownError(
            f"No run of {deployment} was started within {within_s:g} s.",
            remedy=f"Read {self._log}, and the automations on Prefect's page.",
        )

    def wait(self, run: FlowRun, *, within_s: float, told: Callable[[str], None]) -> None:
        """The run is completed; `told` hears which of its tasks is under way.

        Raises:
            ServiceDownError: it failed, or did not end in time.
        """
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            now = _run(self._get(f"/flow_runs/{run.run_id}"))
            if now.state == "COMPLETED":
                return
            if now.ended:
                raise self._failed(now)
            told(self._task_of(run) or now.state.lower())
            time.sleep(POLL_S)
        raise ServiceDownError(
            f"The run {run.name} did not end within {within_s:g} s.", remedy=f"Read {self._log}."
        )

    def _task_of(self, run: FlowRun) -> str:
        asked = {"flow_runs": {"id": {"any_": [run.run_id]}}, "sort": "EXPECTED_START_TIME_DESC", "limit": 1}
        tasks = self._post("/task_runs/filter", asked)
        return str(tasks[0]["name"]).rsplit("-", 1)[0] if tasks else ""

    def _failed(self, run: FlowRun) -> HitlError:
        raw = self._get(f"/flow_runs/{run.run_id}")
        said = (raw.get("state") or {}).get("message") or "no reason given"
        return ServiceDownError(
            f"The run {run.name} ended as {run.state.lower()}: {said}",
            remedy=f"Read {self._log}, or the run on Prefect's page.",
            run=run.run_id,
        )

    def _get(self, path: str) -> Any:
        return self._send("GET", path)

    def _post(self, path: str, body: Any) -> Any:
        return self._send("POST", path, json=body)

    def _send(self, method: str, path: str, **more: Any) -> Any:
        try:
            reply = self._client.request(method, path, **more)
            reply.raise_for_status()
        except httpx.HTTPError as error:
            raise ServiceDownError(
                f"Prefect does not answer {method} {path} ({type(error).__name__}).",
                remedy=f"Read {self._log}.",
            ) from error
        return reply.json() if reply.content else None


def _run(raw: dict[str, Any]) -> FlowRun:
    by = raw.get("created_by") or {}
    return FlowRun(
        raw["id"], raw["name"], str(raw.get("state_type") or "PENDING"), by.get("type") == "AUTOMATION"
    )
