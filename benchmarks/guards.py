"""How soon a freeze or a breaker holds: in its own process, and in two others that decide all the while.

    python benchmarks/guards.py [--quick] [--json]

The project has a champion and real parts: SQLite with synchronous=FULL in a file, and PostgreSQL where the
programs of its test server are installed; only the models' registry is in memory. Without a freeze every case
is automatic. In process: from the call of `freeze` until the next `decide` has given its decisions out.
Across processes: two workers decide batch after batch on the same database, each as fast as it can; from the
call of `freeze` in a third process to the later of two moments, its return and the end of the last batch of
any worker in which a decision was automatic. Each is done several times; told are median and worst. Workers
decide 50 cases at a time; without --quick also as many as one transaction records at the most.

The breaker: people have overruled 200 automatic decisions, and their answers stand in the database. From then
on the time runs: the look that `hitl collect` ends with, until the next `decide` in the same process has told
its decisions, or no worker gives out an automatic one any more.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.decisions.decide import RECORDED_AT_ONCE
from hitl_mlops.project import Project
from tests.freeze_room import POLICY, a_project, open_again, some_cases
from tests.guard_room import answer_all
from tests.worker_room import SEEN, WORKERS, Work, databases, workers

BATCH = 50
FREEZES_OF_LARGE = 3
FAR_APART = 1_000_000
"""Between the first case numbers of two workers, so that each decides cases of its own."""
BEFORE_ALL = 10_000
"""The first batch whose cases neither a freeze in this process nor a worker has decided."""
OVERRULED = 200
WATCHED = POLICY.replace("auto: 0.01", "auto: 1.0") + (
    f'guards: {{breaker: {{override_rate: "> 0.25", window: {OVERRULED}, at_least: 50, opens_for: 30m}}}}\n'
)
"""Everything automatic is spot-checked, so that whatever was decided can be answered."""
GOALS = {
    "freeze_s": 1.0,
    "freeze_workers_s": 5.0,
    "freeze_large_s": 5.0,
    "breaker_s": 1.0,
    "breaker_workers_s": 5.0,
}
TITLES = {
    "freeze_s": "a freeze in the same process",
    "freeze_workers_s": f"a freeze in {WORKERS} other processes",
    "freeze_large_s": f"there, {RECORDED_AT_ONCE:,} cases at a time",
    "breaker_s": "a breaker in the same process",
    "breaker_workers_s": f"a breaker in {WORKERS} other processes",
}


def roomy(project: Project) -> Project:
    """The same project, where many more tickets may wait than people could answer."""
    with (project.settings.folder / "hitl.yaml").open("a") as file:
        file.write("\nreview: {most_waiting: 100000000}\n")
    project.close()
    return reopened(project)


def measure_in_process(project: Project, times: int) -> list[float]:
    """Seconds from a freeze to the first decision that is for people, in one process."""
    taken = []
    for place in range(times):
        assert _automatic(project, 2 * place) == BATCH
        start = time.perf_counter()
        switch = project.freeze(reason="benchmark", by="benchmark")
        assert _automatic(project, 2 * place + 1) == 0
        taken.append(time.perf_counter() - start)
        project.unfreeze(switch.switch_id, reason="benchmark", by="benchmark")
    return taken


def _automatic(project: Project, batch: int, first: int = 0, size: int = BATCH) -> int:
    """How many of a new batch of cases nobody was asked about by route."""
    decided = project.decide(some_cases(first + batch * size, size)).decisions
    return sum(one.route == "auto" for one in decided)


def measure_workers(project: Project, times: int, size: int = BATCH, seen: int = SEEN) -> list[float]:
    """Seconds from each freeze until no worker gives out an automatic decision any more.

    Of frozen batches as large as one transaction each case is a ticket, so that only two of each are waited
    for: one may have been under way.
    """
    spans = []
    with workers(project, reopened, deciding(size)) as at_work:
        for _ in range(times):
            at_work.go_on(seen)
            start = time.monotonic()
            switch = project.freeze(reason="benchmark", by="benchmark")
            returned = time.monotonic()
            at_work.go_on(seen)
            lifted_from = time.monotonic()
            project.unfreeze(switch.switch_id, reason="benchmark", by="benchmark")
            spans.append((start, returned, lifted_from))
    return [at_work.held_after(*span) for span in spans]


def deciding(size: int, since: int = 0) -> Work:
    """Workers decide so many new cases at a time, from that batch on; automatic decisions are counted."""
    return lambda project, worker, batch: _automatic(
        project, since + batch, (worker + 1) * FAR_APART * size, size
    )


def reopened(project: Project) -> Project:
    """The same project, as another process opens it."""
    return open_again(project.settings.folder, project.parts.registry)


def overrule(project: Project, batch: int) -> None:
    """People have overruled new automatic decisions, none of which is younger than the last reset."""
    first = -(batch + 1) * OVERRULED
    decided = project.decide(some_cases(FAR_APART**2 + first, OVERRULED)).decisions
    assert answer_all(project, decided, right=False) == OVERRULED


def reset(project: Project) -> None:
    """The breaker that is open is closed again."""
    (standing,) = project.parts.breakers.standing()
    order = project.verbs.order("benchmark", "benchmark")
    project.verbs.circuit.reset(standing.breaker_id, order)


def measure_breaker(project: Project, times: int) -> list[float]:
    """Seconds from answers that stand in the database to the first decision that is for people."""
    taken = []
    for place in range(times):
        overrule(project, place)
        start = time.perf_counter()
        project.look_at_breakers()
        assert _automatic(project, BEFORE_ALL + place) == 0
        taken.append(time.perf_counter() - start)
        reset(project)
    return taken


def measure_breaker_workers(project: Project, times: int) -> list[float]:
    """Seconds from answers that stand in the database until no worker gives out an automatic decision."""
    spans = []
    with workers(project, reopened, deciding(BATCH, BEFORE_ALL)) as at_work:
        for place in range(times):
            overrule(project, times + place)
            at_work.go_on()
            start = time.monotonic()
            project.look_at_breakers()
            returned = time.monotonic()
            at_work.go_on()
            lifted_from = time.monotonic()
            reset(project)
            spans.append((start, returned, lifted_from))
    return [at_work.held_after(*span) for span in spans]


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    times = 3 if given.quick else 20

    taken: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, databases() as found:
        for name, address in found:
            with contextlib.redirect_stdout(io.StringIO()):
                project = roomy(a_project(Path(folder) / name, database=address))
            taken["freeze_s", name] = measure_in_process(project, times)
            taken["freeze_workers_s", name] = measure_workers(project, times)
            if not given.quick:
                taken["freeze_large_s", name] = measure_workers(
                    project, FREEZES_OF_LARGE, RECORDED_AT_ONCE, 2
                )
            (project.settings.folder / "policy.yaml").write_text(WATCHED)
            project.close()
            project = open_again(project.settings.folder, project.parts.registry)
            taken["breaker_s", name] = measure_breaker(project, times)
            taken["breaker_workers_s", name] = measure_breaker_workers(project, times)
            assert project.verify_trail().sound
            project.close()
    show(taken)
    if given.json:
        print(json.dumps(figures_of(taken)))


def figures_of(taken: dict[tuple[str, str], list[float]]) -> dict[str, float]:
    """The worst of all times under the goal's name, and that of each database beside it."""
    figures: dict[str, float] = {}
    for (what, name), seconds in taken.items():
        figures[f"{what.removesuffix('_s')}_{name.lower()}_s"] = round(max(seconds), 3)
        figures[what] = max(figures.get(what, 0.0), round(max(seconds), 3))
    return figures


def show(taken: dict[tuple[str, str], list[float]]) -> None:
    """One line for each way and database."""
    table = Table("it holds", "database", "times", "median", "worst", "goal")
    for (what, name), seconds in taken.items():
        told = (f"{value:.3f} s" for value in (statistics.median(seconds), max(seconds), GOALS[what]))
        table.add_row(TITLES[what], name, str(len(seconds)), *told)
    Console().print(table)


if __name__ == "__main__":
    main()
