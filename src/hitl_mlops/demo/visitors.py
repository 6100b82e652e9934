"""After the story, with --keep: the pages stay up, and a few tickets wait for whoever looks in."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

from hitl_mlops.demo.people import TEAM
from hitl_mlops.demo.scene import Scene
from hitl_mlops.demo.team import PASSWORD
from hitl_mlops.servers.credentials import read_or_make
from hitl_mlops.servers.mlflow_accounts import has_people, release_manager_login
from hitl_mlops.settings import STATE_FOLDER

FOR_VISITORS = 20
"""Cheques that are decided and left for visitors."""


def receive(scene: Scene) -> None:
    """Somebody may log in and read digits, until Ctrl-C."""
    tell = scene.narrator
    tell.chapter("Your turn")
    with tell.step("visitors", "A few tickets are left open") as step:
        made = scene.decide_next(FOR_VISITORS)
        scene.project.push()
        step.done(f"{made.tickets} tickets wait for you: {scene.project.parts.desk.pages[0]}")
    admin = read_or_make(scene.folder / STATE_FOLDER)
    state = scene.folder / STATE_FOLDER
    named = has_people(state)
    manager = "{}, password {}".format(*release_manager_login(state)) if named else "no log-in"
    tell.table(
        [
            ("Label Studio", scene.urls["label-studio"], f"{TEAM[0].account}, password {PASSWORD}"),
            ("", "as administrator", f"{admin.admin_email}, password {admin.admin_password}"),
            ("MLflow", scene.urls["mlflow"], manager),
            ("Prefect", scene.urls["prefect"], "no log-in"),
        ]
    )
    tell.aside(
        f"Open a ticket, read the digit, give a reason, submit. Then, in another shell: cd {scene.folder} && "
        f"{_hitl()} collect && {_hitl()} dataset build. Ctrl-C here ends the servers."
    )
    threading.Event().wait()


def _hitl() -> str:
    """What to type: the command's name where the shell finds it, else where it lies."""
    return "hitl" if shutil.which("hitl") else str(Path(sys.executable).with_name("hitl"))
