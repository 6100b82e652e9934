"""Flows on real servers: deployed, and a worker that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hitl_mlops.own_files import utc_now
from hitl_mlops.servers import worker
from hitl_mlops.servers.schedules import look_at_schedules
from hitl_mlops.servers.stack import Stack
from tests import servers
from tests.flow_room import PROJECT, Deployed, until, write_project


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory, prefect_server: servers.Prefect, mlflow_server: servers.Mlflow
) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("flows") / PROJECT
    write_project(folder, mlflow_server.url)
    stack = Stack(folder, prefect_api=prefect_server.api_url)
    with stack.opened((worker.NAME,)) as (running,):
        deployed = Deployed(folder, stack, running, prefect_server.api_url)
        planned = until(deployed.planned)
        schedules = look_at_schedules(folder, prefect_server.api_url, utc_now())
        deployed.pause()  # from here on only what a test starts runs
        yield replace(deployed, planned_first=planned, schedules_first=schedules)
