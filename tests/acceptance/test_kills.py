"""`kill -9` at moments nobody chose: the same command run again converges, and nothing is lost or doubled."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from hitl_mlops.project import Project
from tests.bad_input.conftest import loans, make, new_cases
from tests.loop_room import COMMAND, Loop, team
from tests.servers import LabelStudio, Mlflow

pytestmark = [pytest.mark.real, pytest.mark.slow]
CASES = 60
KILLS = 2
"""Of each command."""


def test_a_killed_command_run_again_has_done_its_work_once(
    tmp_path: Path, label_studio: LabelStudio, mlflow_server: Mlflow
) -> None:
    rng = np.random.default_rng(20_261_121)
    loop = make(tmp_path, "killed", desk=label_studio, mlflow=mlflow_server.url)
    loop.edit("policy.yaml", '"0.75..0.92"', '"0.75..0.999"')
    loop.edit("policy.yaml", '">= 0.92"', '">= 0.999"')
    file = tmp_path / "new.csv"
    new_cases(count=CASES).to_csv(file, index=False)

    began = time.monotonic()
    loop.hitl("review", "status")
    whole_s = 3 * (time.monotonic() - began)  # about what the others take, however busy the machine is
    kills = _kill(loop, rng, whole_s, "decide", file)
    decided = loop.done("decide", file)
    loop.remember(decided, loans(1_000, 1_000 + CASES)["label"].tolist())
    asked = loop.state()["tickets"]
    assert loop.state()["decisions"] == CASES
    assert asked > CASES // 2

    kills += _kill(loop, rng, whole_s, "review", "push")
    loop.done("review", "push")
    desk = Project.open(loop.folder).parts.desk
    on_desk = [ticket for ticket in desk.task_ids().values() if ticket]
    assert len(on_desk) == len(set(on_desk)) == asked

    with team(label_studio, "hal") as people:
        assert people.answer(loop, classes=("no", "yes")) == asked
    kills += _kill(loop, rng, whole_s, "collect")
    loop.done("collect")
    assert loop.state()["resolutions"] == asked
    assert loop.state()["tickets"] == 0

    kills += _kill(loop, rng, whole_s, "dataset", "build")
    version = loop.done("dataset", "build")
    assert (version["number"], version["label_rows"]) == (2, 150 + asked)
    assert len(loop.done("dataset", "diff", "1", "2")["added"]) == asked
    assert loop.done("audit", "verify")["trail"]["problems"] == []
    assert kills >= 4


def _kill(loop: Loop, rng: np.random.Generator, whole_s: float, *words: str | Path) -> int:
    """The command was begun and killed, each time later, to meet it at work; how many kills met it."""
    met = 0
    for place in range(KILLS):
        begun = subprocess.Popen(
            [*COMMAND, *map(str, words), "-p", str(loop.folder), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            begun.wait(timeout=whole_s * (place + float(rng.uniform(0.1, 1.0))) / KILLS)
        except subprocess.TimeoutExpired:
            begun.send_signal(signal.SIGKILL)
            met += 1
        begun.communicate()
    return met
