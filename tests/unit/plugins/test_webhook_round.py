"""The MLflow of `hitl up` tells `hitl serve` of an approval at once; without one the next look finds it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from hitl_mlops.gates.report import GateReport, GateResult, Verdict
from hitl_mlops.own_files import utc_now
from hitl_mlops.project import Project
from hitl_mlops.servers.mlflow_accounts import read_accounts
from hitl_mlops.servers.mlflow_people import PEOPLE_FILE
from hitl_mlops.servers.port import free_port
from hitl_mlops.servers.stack import Stack
from hitl_mlops.training.mlflow_login import Login
from hitl_mlops.training.registry import APPROVAL_TAG, GATES_TAG, POLICY_TAG, VERDICT_TAG
from tests.flow_room import until
from tests.freeze_room import some_cases
from tests.loop_room import Loop, begin
from tests.service_room import serving

pytestmark = pytest.mark.real
WITHIN_S = 20.0
FORGETS_AFTER_S = 5.5
"""MLflow may remember for 5 s that there was no webhook."""


@dataclass(frozen=True)
class Judged:
    """A project whose first version passed its gates, and its MLflow, which runs."""

    loop: Loop
    project: Project

    def approve(self, who: str, reason: str) -> None:
        """The release manager sets the tag in MLflow, and tells us nothing."""
        parts = self.project.parts
        accounts = read_accounts(self.project.settings.state)
        assert accounts is not None
        registry = parts.registry_of(Login(*accounts.login(who)))
        registry.set_tag("1", APPROVAL_TAG, f"approve: {reason}")

    def approvals(self) -> int:
        """How many the trail holds."""
        return len(self.project.rollouts.consent.approvals("1"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    table = some_cases(10_000_000, 200)
    table["label"] = np.where(table["amount"] > 50, "yes", "no")
    loop = begin(tmp_path_factory.mktemp("webhook"), table, "--kind", "table", name="webhook")
    (loop.folder / PEOPLE_FILE).write_text("release-managers: [ann, ben]\npipeline: [pipeline]\n")
    with Stack(loop.folder, ports={"mlflow": free_port()}).opened(["mlflow"]):
        loop.done("train")  # in this process, which knows whose log-in its environment holds
        with Project.open(loop.folder) as project:
            keep_a_passing_report(project)
            yield Judged(loop, project)


def keep_a_passing_report(project: Project) -> None:
    """Version 1 passed its gates, and its page in MLflow says so."""
    parts = project.parts
    result = GateResult("override_rate", Verdict.PASS, *(True, 0.0, 0.01), None, 100, "measured", {})
    about = ("1", parts.registry.get("1").digest, "0", "sha256:d", parts.policy.hash)
    report = GateReport(*about, (result,), utc_now())
    parts.gates.keep(report)
    parts.registry.describe("1", "# better")
    tags = ((GATES_TAG, report.digest), (POLICY_TAG, parts.policy.hash), (VERDICT_TAG, "pass"))
    for key, value in tags:
        parts.registry.set_tag("1", key, value)


def test_mlflow_tells_the_service_and_the_approval_is_in_the_trail_without_a_look(judged: Judged) -> None:
    token = judged.loop.hitl("token", "new", "shop")["token"]
    with serving(judged.loop, token) as (_, http):
        called = until(judged.project.parts.mlflow_webhooks.find, deadline_s=WITHIN_S)
        url = f"{str(http.base_url).rstrip('/')}/v1/webhooks/mlflow"
        assert [(one.url, one.is_active) for one in called] == [(url, True)]
        looked = {one["name"]: one["found"] for one in judged.loop.say("doctor").value["checks"]}
        assert looked["approvals"] == f"MLflow tells {url}"
        time.sleep(FORGETS_AFTER_S)
        judged.approve("ann", "better on the new scanner")
        until(judged.approvals, deadline_s=WITHIN_S)
    assert judged.approvals() == 1


def test_while_no_service_runs_the_next_look_finds_the_approval(judged: Judged) -> None:
    before = judged.approvals()
    judged.approve("ben", "I looked at it too")  # MLflow may call: nobody is there
    assert judged.approvals() == before
    assert len(judged.project.pull_approvals()) == 1
    assert judged.approvals() == before + 1


def test_the_webhook_is_set_and_dropped_at_the_shell(judged: Judged) -> None:
    for _ in range(2):
        set_now = judged.loop.hitl("webhook", "set", "http://hitl.internal:8090/")["webhook"]
        assert set_now["url"] == "http://hitl.internal:8090/v1/webhooks/mlflow"
        assert [one.url for one in judged.project.parts.mlflow_webhooks.find()] == [set_now["url"]]
    assert judged.loop.hitl("webhook", "drop") == {"dropped": 1}
    assert judged.project.parts.mlflow_webhooks.find() == []
