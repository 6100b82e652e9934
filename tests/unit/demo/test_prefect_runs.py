"""Runs of deployments, over a made-up Prefect server."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from hitl_mlops.demo.prefect_runs import PrefectRuns
from hitl_mlops.errors import NotFoundError, ServiceDownError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_run(**changes):
    return {
        "id": "run-1",
        "name": "brave-owl",
        "state_type": "SCHEDULED",
        "created_by": {"type": "AUTOMATION"},
    } | changes


def runs_on(answers):
    """Prefect as a table of path → replies, given one after the other, the last one for ever."""

    def answer(request):
        replies = answers[request.url.path.removeprefix("/api")]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return reply if isinstance(reply, httpx.Response) else httpx.Response(200, content=json.dumps(reply))

    return PrefectRuns("http://prefect/api", log="worker.log", transport=httpx.MockTransport(answer))


def test_a_run_is_awaited_and_its_tasks_are_told():
    states = ["PENDING", "RUNNING", "COMPLETED"]
    heard = []
    runs = runs_on(
        {
            "/deployments/filter": [[{"id": "d"}]],
            "/deployments/d/create_flow_run": [a_run()],
            "/flow_runs/run-1": [a_run(state_type=state) for state in states],
            "/task_runs/filter": [[], [{"name": "check_drift-0a1"}]],
        }
    )
    runs.wait(runs.start("collect-overrides"), within_s=10, told=heard.append)
    assert heard == ["pending", "check_drift"]


def test_a_run_that_fails_says_why_and_where_to_read_on():
    failed = a_run(state_type="FAILED", state={"message": "no such column"})
    runs = runs_on(
        {
            "/deployments/filter": [[{"id": "d"}]],
            "/deployments/d/create_flow_run": [a_run()],
            "/flow_runs/run-1": [failed],
        }
    )
    with pytest.raises(ServiceDownError, match="no such column") as caught:
        runs.wait(runs.start("retrain"), within_s=10, told=lambda _: None)
    assert "worker.log" in caught.value.remedy


def test_only_a_run_that_an_event_started_counts():
    by_hand = a_run(id="run-0", created_by={"type": "USER"})
    runs = runs_on({"/flow_runs/filter": [[by_hand], [by_hand, a_run()]]})
    assert runs.next_of("retrain", NOON, within_s=10, told=lambda _: None).run_id == "run-1"


def test_an_event_that_starts_nothing_is_an_error_in_time():
    runs = runs_on({"/flow_runs/filter": [[]]})
    with pytest.raises(ServiceDownError, match=r"No run of retrain was started within 0\.1 s"):
        runs.next_of("retrain", NOON, within_s=0.1, told=lambda _: None)


def test_a_deployment_that_nobody_made_is_named():
    with pytest.raises(NotFoundError, match="retrain"):
        runs_on({"/deployments/filter": [[]]}).start("retrain")


def test_a_server_that_fails_is_an_error_with_its_log():
    runs = runs_on({"/deployments/filter": [httpx.Response(503)]})
    with pytest.raises(ServiceDownError, match="Prefect does not answer"):
        runs.start("retrain")
