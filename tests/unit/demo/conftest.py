"""The demo's scene without a server: the desk and the registry are twins, and flows run on the spot."""

import io
import threading
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import pytest

from hitl_mlops.demo.cheques import cheques
from hitl_mlops.demo.meanwhile import Meanwhile
from hitl_mlops.demo.narrator import Narrator
from hitl_mlops.demo.people import MANAGER, TEAM
from hitl_mlops.demo.place import write_people, write_project
from hitl_mlops.demo.prefect_runs import FlowRun
from hitl_mlops.demo.scene import Scene
from hitl_mlops.demo.team import STRANGER, Team
from hitl_mlops.errors import RefusedError
from hitl_mlops.own_files import utc_now
from hitl_mlops.project import Project
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.settings import read_settings
from hitl_mlops.training.registry_in_memory import InMemoryRegistry
from hitl_mlops.wiring import Parts


class DeskWithAPage(InMemoryDesk):
    @property
    def pages(self):
        return ("http://desk/1",)


class OneAtATime:
    """A session whose calls wait for each other, as they do at a server."""

    def __init__(self, session, lock):
        self.session, self.lock = session, lock

    def answer(self, *given):
        with self.lock:
            return self.session.answer(*given)

    def edit(self, *given):
        with self.lock:
            return self.session.edit(*given)


class ForbiddenRegistry(InMemoryRegistry):
    """As an account sees it that may not approve."""

    def set_tag(self, version, key, value):  # noqa: ARG002
        raise RefusedError("MLflow at http://mlflow refused: Only release manager may.", remedy="Ask one.")


class TwinParts(Parts):
    app_key = None  # nobody signs: what is approved is claimed

    @cached_property
    def desk(self):
        return DeskWithAPage(clock=utc_now)

    @cached_property
    def registry(self):
        return InMemoryRegistry(self.settings.model.name)

    def registry_of(self, login):
        return self.registry if login.account == MANAGER else ForbiddenRegistry(self.settings.model.name)

    @cached_property
    def measures(self):
        return self.quick_measures


class FlowsOnTheSpot:
    """What Prefect would run, run where it is asked for; the drift event starts the retraining."""

    def __init__(self, project):
        self.project = project

    def start(self, deployment):
        assert deployment == "collect-overrides"
        self.project.push()
        self.project.collect()
        self.project.build_dataset()
        self.drift = self.project.check_drift()
        return FlowRun("run-1", "calm-cat", "COMPLETED", by_event=False)

    def next_of(self, deployment, since, *, within_s, told):  # noqa: ARG002
        assert deployment == "retrain"
        assert self.drift.alarm
        assert since < datetime.now(UTC)
        self.project.judge(self.project.train().version)
        return FlowRun("run-2", "brave-owl", "COMPLETED", by_event=True)

    def wait(self, run, *, within_s, told):  # noqa: ARG002
        told("check_drift")

    def pause_schedules(self):
        pass

    def close(self):
        pass


@pytest.fixture
def scene(tmp_path):
    data, lock = cheques(), threading.Lock()
    write_people(tmp_path)
    write_project(tmp_path, data)
    project = Project(read_settings(tmp_path), TwinParts(read_settings(tmp_path)), actor="demo")
    desk = project.parts.desk
    sessions = {one.person_id: OneAtATime(desk.session(one.account), lock) for one in (*TEAM, STRANGER)}
    team = Team(sessions, sessions.pop(STRANGER.person_id), np.random.default_rng(11))
    project.train()
    urls = {"label-studio": "http://desk", "mlflow": "http://mlflow", "prefect": "http://prefect"}
    return Scene(tmp_path, project, data, team, Narrator.on(io.StringIO()), urls, Meanwhile(lambda: None))


@pytest.fixture
def flows(scene):
    return FlowsOnTheSpot(scene.project)
