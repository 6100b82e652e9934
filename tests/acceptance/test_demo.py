"""`hitl demo`, as a new user runs it: once whole, and stopped early."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hitl_mlops.project import Project
from hitl_mlops.rollout.state import Stage

HITL = str(Path(sys.executable).with_name("hitl"))
pytestmark = [pytest.mark.real, pytest.mark.slow]


def start(folder):
    with (folder / "screen.txt").open("w") as screen:
        return subprocess.Popen([HITL, "demo"], cwd=folder, stdout=screen, stderr=subprocess.STDOUT)


def processes_of(folder):
    """Whatever still runs in the demo's folder or names it."""
    found = []
    for one in psutil.process_iter():
        try:
            if str(folder) in " ".join([one.cwd(), *one.cmdline()]):
                found.append(one)
        except psutil.Error:
            continue
    return found


def wait_for(condition, within_s):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.timeout(1500)
def test_the_whole_loop_runs_and_leaves_a_sound_trail_and_a_report(tmp_path):
    demo = start(tmp_path)
    assert demo.wait(1400) == 0, (tmp_path / "screen.txt").read_text()
    assert wait_for(lambda: not processes_of(tmp_path), 10)

    project = Project.open(tmp_path / "demo-project")
    assert project.verify_trail().sound
    assert project.champion().challenger == "2"
    (approval,) = project.rollouts.consent.approvals("2")
    assert (approval.claimed, approval.groups) == (False, ("release-managers",))
    latest, _ = project.rollout_status()
    assert (latest.challenger, latest.stage, latest.forced) == ("3", Stage.ROLLED_BACK, True)
    assert [one.number for one in project.datasets()] == [1, 2, 3]
    assert len(project.quarantined()) >= 5

    report = (tmp_path / "demo-project" / "report.html").read_text()
    assert report.count("<svg") >= 5
    assert "http" not in report.replace("http://www.w3.org/", "")
    screen = (tmp_path / "screen.txt").read_text()
    assert "simulated" in screen
    assert "Refused: Only release manager may approve" in " ".join(screen.split())
    assert "Warning" not in screen


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
@pytest.mark.parametrize("after_s", [1.0, 4.0, 12.0])
def test_whoever_stops_the_demo_leaves_nothing_running(tmp_path, sign, after_s):
    demo = start(tmp_path)
    assert wait_for(lambda: (tmp_path / "demo-project" / ".hitl" / "logs" / "demo.log").exists(), 60)  # noqa: PLW0108
    time.sleep(after_s)
    os.kill(demo.pid, sign)
    assert demo.wait(60) == 130, (tmp_path / "screen.txt").read_text()
    assert wait_for(lambda: not processes_of(tmp_path), 5), processes_of(tmp_path)
    assert "Stopped" in (tmp_path / "screen.txt").read_text()
