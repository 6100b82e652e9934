"""One project and one world for all rehearsals; a copy for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hitl_mlops.drill.world import World
from hitl_mlops.project import Project
from tests.drill_room import Opener, a_loop, a_world, opener
from tests.loop_room import Loop


@pytest.fixture(scope="session")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    return a_loop(tmp_path_factory.mktemp("drilled"))


@pytest.fixture(scope="session")
def project(loop: Loop) -> Iterator[Project]:
    with Project.open(loop.folder, actor="test") as project:
        yield project


@pytest.fixture(scope="session")
def world(project: Project) -> World:
    return a_world(project)


@pytest.fixture
def open_room(project, world, tmp_path) -> Opener:
    return opener(project, world, tmp_path)
