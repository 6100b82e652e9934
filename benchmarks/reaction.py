"""How soon a bad challenger has no traffic any more, and how soon drift has brought a new challenger.

    python benchmarks/reaction.py [--quick] [--json]

The rollback: a challenger that contradicts the champion answers half of all subjects. People have answered
some cases on which the two differ; their answers lie on the desk, and the last of them decides. From then on
the time runs: `collect`, which reads, screens (Great Expectations), resolves and looks at the rollout, until
the next `decide` in the same process has told decisions none of which the challenger made; or, with two
worker processes that decide batch after batch on the same database all the while, until neither gives out a
decision of the challenger any more. Databases are SQLite with synchronous=FULL in a file, and PostgreSQL
where the programs of its test server are installed; desk and registry are in memory. Told are median and
worst. How often somebody collects comes on top of it: every five minutes, by the flow that `hitl up` deploys.
The first rollback, in which Great Expectations is loaded, is not counted.

The challenger: Prefect, MLflow and a worker run on this machine, with the project's flows deployed. The
latest cases have moved, and people have answered some of them. From the drift event posted to Prefect until
MLflow has the version that the flow `retrain` registered, which found that drift itself: once with --quick,
else three times. Label Studio is not needed for it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.drill.models import FULL_NAME, Erring
from hitl_mlops.drill.twins import StoppableDesk, StoppableRegistry
from hitl_mlops.learning import notes_of
from hitl_mlops.project import Project
from hitl_mlops.review.ticket import Ticket, TicketKind, ticket_id_of
from hitl_mlops.rollout.state import Stage
from hitl_mlops.settings import read_settings
from hitl_mlops.training.artifact import Trust
from hitl_mlops.training.fit import fit
from hitl_mlops.wiring import Parts
from tests.freeze_room import some_cases
from tests.guard_room import answer_all
from tests.loop_room import begin
from tests.worker_room import WORKERS, databases, workers

BATCH, ASKED = 50, 40
FAR_APART = 1_000_000
"""Between the first case numbers of two workers, so that each decides cases of its own."""
IN_PROCESS, BESIDE_WORKERS = 500_000_000, 600_000_000
"""The first case numbers of this process."""
GOALS: dict[str, float | None] = {
    "rollback_s": 5.0,
    "rollback_workers_s": 10.0,
    "event_to_challenger_s": None,
}
TITLES = {
    "rollback_s": "rolled back, in the same process",
    "rollback_workers_s": f"rolled back, in {WORKERS} other processes",
    "event_to_challenger_s": "a drift event has brought a challenger",
}
POLICY = """\
version: 1
routes:
  auto: {confidence: ">= 0.5"}
  senior: {confidence: "< 0.5", skill: senior}
spot_checks: {auto: 0.01}
rollout: {canary: {stages: [50, 100]}}
"""


DRIFTED = 200
LEARNING = """\
version: 1
routes:
  auto: {confidence: ">= 0.5"}
  senior: {confidence: "< 0.5", skill: senior}
spot_checks: {auto: 0.5}
retrain: {cool_down: 1s, new_labels: 20}
"""
"""Half of all decisions are asked about, and one retraining may follow the other."""


class BenchParts(Parts):
    """The parts of a project with desk and registry in memory."""

    def __init__(self, folder: Path, registry: StoppableRegistry) -> None:
        super().__init__(read_settings(folder))
        self._given = registry

    @cached_property
    def registry(self) -> StoppableRegistry:
        """The one that was given."""
        return self._given

    @cached_property
    def desk(self) -> StoppableDesk:
        """One that nobody stops."""
        return StoppableDesk()


def open_again(folder: Path, registry: StoppableRegistry) -> Project:
    """The project of the folder, as another process opens it; with that registry's models."""
    parts = BenchParts(folder, registry)
    return Project(parts.settings, parts, actor="benchmark")


def a_project(folder: Path, database: str) -> tuple[Project, str]:
    """A project with a champion, and the version that contradicts it in every case."""
    table = some_cases(10_000_000, 200)
    table["label"] = np.where(table["amount"] > 50, "yes", "no")
    loop = begin(folder, table, "--kind", "table", database=database)
    (loop.folder / "policy.yaml").write_text(POLICY)
    project = open_again(loop.folder, StoppableRegistry("reaction", trust=Trust((FULL_NAME,))))
    project.train()
    parts, learned = project.parts, project.dataset()
    fitted = fit(
        table,
        parts.task,
        parts.recipe,
        held_back=np.zeros(len(table), dtype=bool),
        dataset_digest=learned.digest,
        dataset_number=learned.number,
    )
    bad = replace(fitted, estimator=Erring(fitted.estimator, 0.0, 1.0))
    version = parts.registry.register(bad, notes_of(project.verbs, learned), run_key="bad").version
    return project, version


def by_challenger(project: Project, version: str, first: int, size: int = BATCH) -> int:
    """How many of new cases the challenger answered."""
    made = project.decide(some_cases(first, size)).decisions
    return sum(one.model_version == version for one in made)


def answers_lie_on_the_desk(project: Project, first: int) -> None:
    """People have said of some cases on which the models differ that the champion is right."""
    parts = project.parts
    cases = some_cases(first, ASKED)
    made = project.decide(cases).decisions
    truth = dict(zip(cases["case_id"], np.where(cases["amount"] > 50, "yes", "no"), strict=True))
    tickets = parts.tickets.by_ids(ticket_id_of(one.decision_id, kind) for one in made for kind in TicketKind)
    parts.tickets.mark_pushed(parts.desk.push(tickets))
    right = {one.decision_id: str(truth[one.case_id]) for one in made}
    for ticket in tickets:
        _answer(parts.desk, ticket, right[ticket.decision_id])


def _answer(desk: Any, ticket: Ticket, label: str) -> None:
    (task,) = desk.push([ticket]).values()
    desk.session("ann@reaction.example").answer(task, label, f"it reads {label}", "wrong_class", 5.0)


def measure_in_process(project: Project, version: str, times: int) -> list[float]:
    """Seconds from answers on the desk to the first decisions without the challenger, in one process."""
    taken = []
    for place in range(times + 1):
        first = IN_PROCESS + place * 1_000
        project.start_rollout(version, force="a benchmark")
        assert by_challenger(project, version, first) > 0
        answers_lie_on_the_desk(project, first + 200)
        start = time.perf_counter()
        project.collect()
        assert by_challenger(project, version, first + 400) == 0
        taken.append(time.perf_counter() - start)
        demand_rolled_back(project)
    return taken[1:]  # the first has loaded Great Expectations


def demand_rolled_back(project: Project) -> None:
    """The evidence did it, and nothing else."""
    rollout, _ = project.rollout_status()
    assert rollout is not None
    assert rollout.stage is Stage.ROLLED_BACK, rollout


def measure_workers(project: Project, version: str, times: int) -> list[float]:
    """Seconds from answers on the desk until no worker gives out a decision of the challenger any more."""
    spans = []

    def work(other: Project, worker: int, batch: int) -> int:
        return by_challenger(other, version, (worker + 1) * FAR_APART * BATCH + batch * BATCH)

    with workers(project, reopened, work) as at_work:
        for place in range(times):
            project.start_rollout(version, force="a benchmark")
            at_work.go_on()
            answers_lie_on_the_desk(project, BESIDE_WORKERS + place * 1_000)
            start = time.monotonic()
            project.collect()
            returned = time.monotonic()
            demand_rolled_back(project)
            at_work.go_on()
            spans.append((start, returned, time.monotonic()))
    return [at_work.held_after(*span) for span in spans]


def reopened(project: Project) -> Project:
    """The same project, as another process opens it."""
    return open_again(project.settings.folder, project.parts.registry)


def measure_challenger(folder: Path, times: int) -> list[float]:
    """Seconds from a drift event in Prefect to the version that it brought, as MLflow shows it."""
    from hitl_mlops.servers import mlflow, prefect, worker
    from hitl_mlops.servers.stack import Stack
    from tests.flow_room import PROJECT, Deployed, until, write_project
    from tests.servers import mlflow_server

    taken = []
    with mlflow_server(folder / mlflow.NAME) as tracking:
        write_project(folder / PROJECT, tracking.url)
        with Project.open(folder / PROJECT) as project:
            project.train()
        _an_event_a_second(folder / PROJECT / "prefect.yaml")
        stack = Stack(folder / PROJECT)
        with stack.opened((prefect.NAME, worker.NAME)) as running:
            api = f"{next(one.url for one in running if one.name == prefect.NAME)}/api"
            deployed = Deployed(folder / PROJECT, stack, running[-1], api)
            until(deployed.planned)
            deployed.pause()  # only the event starts anything
            (folder / PROJECT / "policy.yaml").write_text(LEARNING)
            for place in range(times):
                with Project.open(folder / PROJECT) as project:
                    before = len(project.parts.registry.versions())
                    move_the_weather(project, place)
                    start = time.perf_counter()
                    deployed.tell_drift(PROJECT)
                    until(lambda: len(project.parts.registry.versions()) > before)  # noqa: B023
                    taken.append(time.perf_counter() - start)
                deployed.finished([one["id"] for one in deployed.runs("retrain")])
    return taken


def _an_event_a_second(file: Path) -> None:
    """Prefect lets the trigger rest for an hour once it has fired; here the next event follows at once."""
    text = file.read_text()
    assert "within: 3600 " in text
    file.write_text(text.replace("within: 3600 ", "within: 1 "))


def move_the_weather(project: Project, place: int) -> None:
    """The latest cases are clouded all over, and people answered those that they were asked about."""
    rows = range(DRIFTED)
    table = pd.DataFrame({"case_id": [f"moved-{place}-{row}" for row in rows], "cloud": 12, "wind": 16})
    made = project.decide(table).decisions
    assert answer_all(project, made, right=True) >= DRIFTED // 3
    project.build_dataset()
    assert project.check_drift().alarm


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    times = 3 if given.quick else 20

    load = os.getloadavg()[0]
    taken: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, databases() as found:
        for name, address in found:
            with contextlib.redirect_stdout(io.StringIO()):
                project, bad = a_project(Path(folder) / name, address)
            with project:
                taken["rollback_s", name] = measure_in_process(project, bad, times)
                taken["rollback_workers_s", name] = measure_workers(project, bad, times)
                assert project.verify_trail().sound
        with contextlib.redirect_stdout(io.StringIO()):
            told = measure_challenger(Path(folder), 1 if given.quick else 3)
        taken["event_to_challenger_s", "Prefect, MLflow"] = told
    show(taken)
    if given.json:
        print(json.dumps({**figures_of(taken), "load_average": round(load, 2)}))


def figures_of(taken: dict[tuple[str, str], list[float]]) -> dict[str, float]:
    """The worst of all times under the goal's name, and that of each database beside it."""
    figures: dict[str, float] = {}
    for (what, name), seconds in taken.items():
        if what.startswith("rollback"):
            figures[f"{what.removesuffix('_s')}_{name.lower()}_s"] = round(max(seconds), 3)
        figures[what] = max(figures.get(what, 0.0), round(max(seconds), 3))
    return figures


def show(taken: dict[tuple[str, str], list[float]]) -> None:
    """One line for each way and database."""
    table = Table("it holds", "on", "times", "median", "worst", "goal")
    for (what, name), seconds in taken.items():
        goal = GOALS[what]
        told = (f"{value:.3f} s" for value in (statistics.median(seconds), max(seconds)))
        table.add_row(TITLES[what], name, str(len(seconds)), *told, f"{goal:g} s" if goal else "-")
    Console().print(table)


if __name__ == "__main__":
    main()
