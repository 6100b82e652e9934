"""Chapter 1: three servers, a project, and a first model that learned from cheques of the old scanner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hitl_mlops.demo import fresh
from hitl_mlops.demo.meanwhile import Meanwhile, importing
from hitl_mlops.demo.narrator import Narrator
from hitl_mlops.demo.place import write_people, write_project
from hitl_mlops.errors import HitlError
from hitl_mlops.servers.credentials import read_or_make
from hitl_mlops.servers.mlflow_accounts import release_manager_login
from hitl_mlops.servers.process import Running
from hitl_mlops.servers.stack import Stack
from hitl_mlops.servers.worker import NAME as WORKER
from hitl_mlops.settings import STATE_FOLDER

if TYPE_CHECKING:
    from hitl_mlops.demo.cheques import Cheques
    from hitl_mlops.demo.scene import Scene
    from hitl_mlops.demo.team import Team
    from hitl_mlops.project import Project

SEED = 11
NEEDED_FIRST = ("sklearn.pipeline", "mlflow.tracking", "mlflow.sklearn", "skops.io", "deltalake")
SHOWN_AS = {"label-studio": "Label Studio", "mlflow": "MLflow", "prefect": "Prefect"}
FOR = {
    "label-studio": "where people overrule the model",
    "mlflow": "where models are registered and approved",
    "prefect": "where the steps run",
}


@contextmanager
def opened(folder: Path, narrator: Narrator) -> Iterator[Scene]:
    """Servers answer, reviewers have accounts, a champion serves; what was started ends with the block."""
    narrator.chapter("Three servers and a first model")
    write_people(folder)  # before MLflow starts
    prepared = Meanwhile(lambda: _prepare(folder))
    with ExitStack() as ending:
        with narrator.step("servers", "Label Studio, MLflow and Prefect start") as step:
            fresh.lay_out(folder)
            servers = ending.enter_context(Stack(folder, tell=step.now).opened())
            fresh.keep(folder)
            step.done("Label Studio, MLflow and Prefect run on this machine.")
        _tell_addresses(narrator, servers, folder)
        data = prepared.result()
        worker = _worker(folder, ending)
        from hitl_mlops.demo.scene import Scene
        from hitl_mlops.project import Project

        project = ending.enter_context(Project.open(folder, actor="demo"))
        team = Meanwhile(lambda: _sign_up(project))
        _train_first(project, data, narrator)
        with narrator.step("accounts", "Reviewers get accounts") as step:
            urls = {one.name: one.url for one in servers}
            scene = Scene(folder, project, data, team.result(), narrator, urls, worker)
            step.done(
                "Six people signed up in Label Studio: five reviewers, and one who is not on the roster."
            )
        ending.callback(scene.team.close)
        yield scene


def _prepare(folder: Path) -> Cheques:
    """The data are made, the project is written, and what it needs first is imported while servers start."""
    from hitl_mlops.demo.cheques import cheques

    data = cheques()
    write_project(folder, data)
    importing(NEEDED_FIRST).result()
    return data


def _sign_up(project: Project) -> Team:
    import numpy as np

    from hitl_mlops.demo.team import Team
    from hitl_mlops.review.label_studio_http import LabelStudioHttp

    return Team.enter(LabelStudioHttp(*project.parts.label_studio_address), np.random.default_rng(SEED))


def _worker(folder: Path, ending: ExitStack) -> Meanwhile[object]:
    """The flows are being deployed and their worker started, beside the story; it ends with the stack."""
    context = Stack(folder).opened((WORKER,))
    beside = Meanwhile[object](context.__enter__)

    def end() -> None:
        with suppress(HitlError):
            beside.result()  # what is still being started can be ended only once it is known
        context.__exit__(None, None, None)

    ending.callback(end)
    return beside


def _tell_addresses(narrator: Narrator, servers: tuple[Running, ...], folder: Path) -> None:
    admin = read_or_make(folder / STATE_FOLDER)
    logins = {
        "label-studio": f"log in as {admin.admin_email}, password {admin.admin_password}",
        "mlflow": "log in as {}, password {}".format(*release_manager_login(folder / STATE_FOLDER)),
    }
    narrator.table(
        [(SHOWN_AS[one.name], one.url, FOR[one.name], logins.get(one.name, "no log-in")) for one in servers]
    )


def _train_first(project: Project, data: Cheques, narrator: Narrator) -> None:
    with narrator.step("champion", "The first model learns") as step:
        first = project.train()
        step.done(
            f"Version {first.version} learned from {len(data.base)} cheques whose digits are known and is "
            f"champion: {first.metrics['accuracy']:.1%} right on those held back from it."
        )
    narrator.aside(
        "Each cheque carries one real handwritten digit (scikit-learn's, 8 by 8 pixels), an amount and a "
        "branch. "
        f"The model is a version of {project.settings.model.name} in MLflow, its data version 1 of a dataset."
    )
