from __future__ import annotations

import re

import psutil
import pytest

from hitl_mlops import Project
from hitl_mlops.audit.entry import Kind
from hitl_mlops.own_files import utc_now
from hitl_mlops.servers import process, worker
from hitl_mlops.servers.port import free_port
from hitl_mlops.servers.schedules import look_at_schedules
from tests.flow_room import until

pytestmark = [pytest.mark.real, pytest.mark.slow]

SCHEDULED = {
    "collect-overrides": {"interval": 300},
    "advance-rollout": {"interval": 300},
    "escalate": {"interval": 300},
    "retrain": {"cron": "0 3 * * 1"},
    "sweep": {"cron": "30 2 * * *"},
}


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_flow_is_deployed_with_its_schedule_in_the_projects_folder_one_run_at_a_time(deployed, name):
    found = deployed.deployment(name)
    (schedule,) = found["schedules"]
    assert SCHEDULED[name].items() <= schedule["schedule"].items()
    assert found["work_pool_name"] == worker.POOL
    assert found["global_concurrency_limit"]["limit"] == 1
    (pull,) = found["pull_steps"]
    assert pull["prefect.deployments.steps.set_working_directory"]["directory"] == str(deployed.folder)


def test_the_schedule_plans_runs_of_every_flow(deployed):
    assert deployed.planned_first == set(SCHEDULED)


def test_doctor_sees_that_the_schedules_plan_runs_and_which_are_paused(deployed):
    assert deployed.schedules_first.remedy == ""
    assert re.fullmatch(r"\d+ runs planned in the next day, the next at .*", deployed.schedules_first.found)
    paused = look_at_schedules(deployed.folder, deployed.api, utc_now())
    assert paused.remedy == ""
    assert all(name in paused.found.partition("paused: ")[2] for name in SCHEDULED)


def test_doctor_sees_that_a_flow_was_never_deployed_and_nothing_where_prefect_is_silent(deployed, tmp_path):
    said = (deployed.folder / "prefect.yaml").read_text()
    (tmp_path / "prefect.yaml").write_text(said.replace("name: sweep", "name: sweep-often"))
    told = look_at_schedules(tmp_path, deployed.api, utc_now())
    assert (told.found, told.remedy) == ("Prefect does not know sweep-often", "Deploy them: hitl up")
    assert look_at_schedules(tmp_path, f"http://127.0.0.1:{free_port()}/api", utc_now()) is None
    assert look_at_schedules(tmp_path / "empty", deployed.api, utc_now()) is None


def test_drift_in_this_project_and_in_no_other_starts_the_retraining(deployed):
    deployed.tell_drift("snow")
    deployed.tell_drift("rain")
    started = until(lambda: deployed.runs("retrain"))[0]["id"]
    (run,) = deployed.finished([started])

    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert [one["id"] for one in deployed.runs("retrain")] == [started]
    told = Project.open(deployed.folder).parts.trail.entries()
    assert {entry.read()["actor"] for entry in told} == {"flow:retrain"}
    log = deployed.log(started, "The gates say")
    assert "There is no champion yet." in log
    assert "The challenger is version 1." in log


def test_the_ladder_is_looked_at_though_label_studio_does_not_run(deployed):
    started = deployed.start("escalate")
    (run,) = deployed.finished([started])
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert "0 steps were taken, 0 tickets handed out." in deployed.log(started, "steps were taken")


def test_of_two_retrainings_at_once_one_runs_and_the_other_is_cancelled(deployed):
    runs = deployed.finished([deployed.start("retrain"), deployed.start("retrain")])
    assert sorted(one["state_type"] for one in runs) == ["CANCELLED", "COMPLETED"]


def test_the_schedule_learns_nothing_anew_where_nobody_answered_and_the_trail_tells_why(deployed):
    (run,) = deployed.finished([deployed.start("retrain", cause="schedule")])
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert "0 labels are new, 20 are needed" in deployed.log(run["id"], "No retraining now: queue.")
    told = [entry.read() for entry in Project.open(deployed.folder).parts.trail.entries()]
    decided = [one["facts"] for one in told if one["kind"] == Kind.RETRAINING_DECIDED]
    states = {one["trigger"]: one["state"] for one in decided[-1]["findings"]}
    assert (states["schedule"], states["override_rate"]) == ("fired", "unknown")
    assert sum(one["kind"] == Kind.MODEL_REGISTERED for one in told) == 1


def test_a_service_that_is_down_is_tried_again_and_then_told_with_the_remedy(deployed):
    (run,) = deployed.finished([deployed.start("collect-overrides")])
    assert run["state_type"] == "FAILED"
    assert "Run `hitl up`" in run["state"]["message"]
    tasks = deployed.ask("task_runs/filter", task_runs={"flow_run_id": {"any_": [run["id"]]}})
    assert {one["name"].rpartition("-")[0]: one["run_count"] for one in tasks} == {"push_tickets": 3}
    assert "Run `hitl up`" in deployed.log(run["id"], "hitl up")


def test_what_will_not_pass_by_trying_again_is_not_tried_again(deployed):
    (run,) = deployed.finished([deployed.start("advance-rollout", folder="nowhere")])
    assert run["state_type"] == "FAILED"
    assert "ConfigurationError" in run["state"]["message"]
    (task,) = deployed.ask("task_runs/filter", task_runs={"flow_run_id": {"any_": [run["id"]]}})
    assert task["run_count"] == 1


def test_the_worker_ends_with_the_flow_it_runs(deployed):
    begun = members(deployed.worker.pid)
    deployed.start("collect-overrides")  # waits 25 s for a Label Studio that does not come
    flow = until(lambda: [one for one in members(deployed.worker.pid) - begun if runs_a_flow(one)])
    assert deployed.stack.down() == (worker.NAME,)
    assert not process.is_alive(deployed.worker)
    assert not any(psutil.pid_exists(one) for one in flow)


def members(group: int) -> set[int]:
    """The processes below the worker."""
    return {one.pid for one in psutil.Process(group).children(recursive=True)}


def runs_a_flow(pid: int) -> bool:
    return "prefect.engine" in psutil.Process(pid).cmdline()
