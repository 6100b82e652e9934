"""The decision service beside MLflow's own scoring server, on the same registered model.

    python benchmarks/gateway.py [--quick] [--json]

Two servers run on this machine as processes of their own, each with one worker: `hitl serve` on SQLite in a
file, and `mlflow models serve` with its defaults. Both answer from the same version in the same MLflow
registry, a scikit-learn pipeline of one number and one category. The same client asks both in turn, round
after round: threads of this process, each with one connection that stays open, one case in each request, the
next as soon as the answer is there. Every case is new.

The same work: a JSON body over HTTP is read, and the model is asked about one row. Not the same: `mlflow
models serve` answers with a label and forgets it. `hitl serve` also knows who asks by a token, screens the
case against the base data, reads the probabilities, routes by the policy that `hitl init` proposes and by
what is frozen, keeps case, decision, ticket and trail entry in one commit that is on disk (synchronous=FULL)
before the answer leaves, and has the trail signed. At the end every decision told must be stored, and the
trail must verify.

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
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.project import Project
from tests.loop_room import Loop
from tests.servers import mlflow_models_serve, mlflow_server
from tests.service_room import Line, a_trained_loop, inputs_of, one_case, serving

CLIENTS = (1, 16)
WARM_UP = 5
"""Requests of each client that are not counted, the first of every round."""
OURS, PEER = "", "mlflow_"
NAMES = {OURS: "hitl serve", PEER: "mlflow models serve"}


@dataclass(frozen=True)
class Server:
    """Whom the client asks.

    Attributes:
        url: where it answers.
        path: what is asked.
        headers: of every request.
        body: number of a case → what is posted.
        is_answer: whether that is what was asked for.
    """

    url: httpx.URL
    path: str
    headers: Mapping[str, str]
    body: Callable[[int], str]
    is_answer: Callable[[bytes], bool]


@dataclass
class Taken:
    """What the counted requests took.

    Attributes:
        seconds: of each request.
        span_s: how long a client asked, all rounds together.
    """

    seconds: list[float] = field(default_factory=list)
    span_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.seconds) / self.span_s

    def percentile_ms(self, percent: float) -> float:
        """Latency that so many percent do not exceed."""
        return float(np.percentile(self.seconds, percent)) * 1_000


def measure(server: Server, clients: int, span_s: float, numbers: Iterator[int], into: Taken) -> int:
    """The clients ask for that long, after a warm-up; how many cases they asked about in all."""
    together = threading.Barrier(clients)
    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(_ask, server, span_s, numbers, together) for _ in range(clients)]
        told = [one.result() for one in asking]
    into.seconds += itertools.chain.from_iterable(taken for taken, _ in told)
    into.span_s += statistics.mean(asked_for_s for _, asked_for_s in told)
    return sum(len(taken) for taken, _ in told) + clients * WARM_UP


def _ask(
    server: Server, span_s: float, numbers: Iterator[int], together: threading.Barrier
) -> tuple[list[float], float]:
    """Seconds of each request that began within the span; and from its start to the last answer."""
    line, taken = Line(server.url, server.path, server.headers), []
    for _ in range(WARM_UP):
        assert server.is_answer(line.post(server.body(next(numbers))))
    together.wait()
    start = time.perf_counter()
    while (began := time.perf_counter()) < start + span_s:
        told = line.post(server.body(next(numbers)))
        taken.append(time.perf_counter() - began)
        assert server.is_answer(told), told
    line.close()
    return taken, time.perf_counter() - start


def ours(http: httpx.Client) -> Server:
    """`hitl serve`, which says that it decided."""
    token = {"Authorization": http.headers["Authorization"]}
    return Server(http.base_url, "/v1/decisions", token, one_case, lambda told: b'"status":"decided"' in told)


def peer(url: str) -> Server:
    """`mlflow models serve`, which says a label."""
    return Server(
        httpx.URL(url), "/invocations", {}, _frame, lambda told: json.loads(told)["predictions"][0] in _LABELS
    )


_LABELS = ("yes", "no")


def _frame(number: int) -> str:
    amount, branch = inputs_of(number)
    return f'{{"dataframe_split": {{"columns": ["amount", "branch"], "data": [[{amount}, "{branch}"]]}}}}'


@contextlib.contextmanager
def both_servers(folder: Path) -> Iterator[tuple[Loop, dict[str, Server]]]:
    """The project, and both servers of its champion, ready."""
    with mlflow_server(folder) as tracking:
        with contextlib.redirect_stdout(io.StringIO()):
            loop = a_trained_loop(folder / "served", tracking.url)
        token = loop.hitl("token", "new", "benchmark")["token"]
        with Project.open(loop.folder) as project:
            model = f"models:/{project.settings.model.name}/{project.champion().challenger}"
        with (
            serving(loop, token) as (_, http),
            mlflow_models_serve(folder, tracking=tracking.url, model=model) as url,
        ):
            yield loop, {OURS: ours(http), PEER: peer(url)}


def run(folder: Path, rounds: int, span_s: float) -> tuple[dict[tuple[str, int], Taken], float]:
    """What requests took, by server and number of clients; and which share of our cases people were asked."""
    taken = {(name, clients): Taken() for name in (OURS, PEER) for clients in CLIENTS}
    numbers, asked = itertools.count(), 0
    with both_servers(folder) as (loop, servers):
        for _ in range(rounds):
            for (name, clients), into in taken.items():
                count = measure(servers[name], clients, span_s, numbers, into)
                asked += count if name == OURS else 0
    with Project.open(loop.folder) as project:
        stored = project.parts.log.decisions()
        assert len(stored) == asked, (len(stored), asked)
        assert project.verify_trail().sound
    return taken, sum(one.to_review for one in stored) / len(stored)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rounds, span_s = (4, 1.0) if given.quick else (20, 2.0)

    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        taken, to_people = run(Path(folder), rounds, span_s)
    show(taken, to_people, load)
    if given.json:
        told = {"to_people_share": round(to_people, 3), "load_average": round(load, 2)}
        print(json.dumps(figures_of(taken) | told))


def figures_of(taken: Mapping[tuple[str, int], Taken]) -> dict[str, float]:
    """Figures by name; those of the peer begin with `mlflow_`."""
    figures: dict[str, float] = {}
    for clients in CLIENTS:
        ratio = taken[OURS, clients].per_second / taken[PEER, clients].per_second
        figures[f"throughput_ratio_c{clients}"] = round(ratio, 2)
    for (name, clients), one in taken.items():
        figures[f"{name}requests_per_s_c{clients}"] = round(one.per_second, 1)
        figures[f"{name}p50_ms_c{clients}"] = round(one.percentile_ms(50), 1)
        figures[f"{name}p99_ms_c{clients}"] = round(one.percentile_ms(99), 1)
    return figures


def show(taken: Mapping[tuple[str, int], Taken], to_people: float, load: float) -> None:
    """One line for each server and number of clients."""
    about = f"{os.cpu_count()} cores, load average before {load:.1f}; {to_people:.0%} of our cases to people"
    table = Table("server", "clients", "requests", "requests/s", "p50", "p99", title=about)
    for (name, clients), one in taken.items():
        latency = (f"{one.percentile_ms(percent):.1f} ms" for percent in (50, 99))
        requests = f"{len(one.seconds):,}"
        table.add_row(NAMES[name], str(clients), requests, f"{one.per_second:,.0f}", *latency)
    Console().print(table)


if __name__ == "__main__":
    main()
