"""After the story, with --keep: the pages stay up, and a few tickets wait for whoever looks in."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

from hitl_mlops.demo.learning import version_page
from hitl_mlops.demo.people import MANAGER, MLFLOW_PEOPLE, TEAM, TRAINER
from hitl_mlops.demo.scene import Scene
from hitl_mlops.demo.team import PASSWORD
from hitl_mlops.servers import credentials
from hitl_mlops.servers.mlflow_accounts import accounts_file, read_or_make
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
    state = scene.folder / STATE_FOLDER
    admin, accounts = credentials.read_or_make(state), read_or_make(state, MLFLOW_PEOPLE.accounts)
    tell.table(
        [
            ("Label Studio", scene.urls["label-studio"], f"{TEAM[0].account}, password {PASSWORD}"),
            ("", "as administrator", f"{admin.admin_email}, password {admin.admin_password}"),
            ("MLflow", scene.urls["mlflow"], _login(accounts.login(MANAGER))),
            ("", "as an engineer", _login(accounts.login(TRAINER))),
            ("Prefect", scene.urls["prefect"], "no log-in"),
        ]
    )
    tell.aside(
        f"Open a ticket, read the digit, give a reason, submit. Then, in another shell: cd {scene.folder} && "
        f"{_hitl()} collect && {_hitl()} dataset build. What {MANAGER.title()} read and approved: "
        f"{version_page(scene, scene.project.champion().challenger)} (all log-ins of MLflow: "
        f"{accounts_file(state)}). Ctrl-C here ends the servers."
    )
    threading.Event().wait()


def _login(login: tuple[str, str]) -> str:
    return "{}, password {}".format(*login)


def _hitl() -> str:
    """What to type: the command's name where the shell finds it, else where it lies."""
    return "hitl" if shutil.which("hitl") else str(Path(sys.executable).with_name("hitl"))
