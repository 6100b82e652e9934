"""`hitl serve` is killed under load, again and again: is everything kept that it acknowledged?

    python benchmarks/kills.py [--quick] [--json]

One project on SQLite in a file. Eight clients ask for decisions without a pause, one case in each request;
at a random moment the service gets SIGKILL, and is started anew on what it left. After each restart every
decision that was ever acknowledged must be in the log, under the id and the label that the client was told;
those that people must see must have their ticket; and the whole trail must verify. A case whose answer was
cut off is asked about again, as an application would do, and still is decided once.

Told besides: the median time from starting the process until it is ready. The kernel lives on, so this says
nothing of a power cut.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import os
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.project import Project
from tests.loop_room import Loop
from tests.servers import mlflow_server
from tests.service_room import Line, a_trained_loop, one_case, serving

CLIENTS = 8
FAR_APART = 1_000_000
"""Between the first case numbers of two clients."""
KILLED_WITHIN_S = 0.5
"""A kill falls at a random moment within this time, counted from the first answer after a restart."""
ANSWERS_WITHIN_S = 30.0


@dataclass
class Client:
    """Somebody who asks about one case after the other.

    Attributes:
        number: of the case it asks about; after a kill it asks about the same case again.
        told: decision id → the case's id, and what the model said of it.
        cut_off: how many requests had no answer as the service was gone.
    """

    number: int
    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    cut_off: int = 0

    def ask(self, url: httpx.URL, token: str) -> None:
        """It asks until the service is gone; what was answered is remembered."""
        line = Line(url, "/v1/decisions", {"Authorization": f"Bearer {token}"})
        while True:
            try:
                reply = line.post(one_case(self.number))
            except (OSError, http.client.HTTPException):
                self.cut_off += 1
                line.close()
                return
            (one,) = json.loads(reply)["results"]
            assert one["status"] == "decided", one
            self.told[one["decision_id"]] = (one["case_id"], one["suggestion"])
            self.number += 1


@dataclass
class Found:
    """What was found over all restarts.

    Attributes:
        restart_s: seconds of each start of the service, until it was ready.
        lost: acknowledged decisions that were not in the log, or not as told.
        without_ticket: acknowledged decisions for people, without a ticket.
        unsound: restarts after which the trail did not verify.
    """

    restart_s: list[float] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    without_ticket: set[str] = field(default_factory=set)
    unsound: int = 0


def kill_again_and_again(loop: Loop, kills: int, draw: random.Random) -> tuple[Found, list[Client]]:
    """So many kills; after each the service was started again, and what is stored was looked through."""
    token = loop.hitl("token", "new", "benchmark")["token"]
    found, clients = Found(), [Client(place * FAR_APART) for place in range(CLIENTS)]
    for killed in range(kills + 1):
        began = time.perf_counter()
        with serving(loop, token) as (process, service), ThreadPoolExecutor(CLIENTS) as pool:
            found.restart_s.append(time.perf_counter() - began)
            look_through(loop, clients, found)
            if killed == kills:
                break
            before = _acknowledged(clients)
            asking = [pool.submit(one.ask, service.base_url, token) for one in clients]
            _wait_for_more(clients, before)
            time.sleep(draw.uniform(0.0, KILLED_WITHIN_S))
            assert process.poll() is None, "the service ended by itself"
            process.kill()
            for one in asking:
                one.result()
    return found, clients


def _acknowledged(clients: list[Client]) -> int:
    return sum(len(one.told) for one in clients)


def _wait_for_more(clients: list[Client], before: int) -> None:
    """Somebody got an answer from the service that runs now."""
    until = time.monotonic() + ANSWERS_WITHIN_S
    while _acknowledged(clients) == before:
        assert time.monotonic() < until, "the service does not answer"
        time.sleep(0.001)


def look_through(loop: Loop, clients: list[Client], found: Found) -> None:
    """What every client was told stands in the log, with its ticket, and the trail verifies."""
    with Project.open(loop.folder) as project:
        for client in clients:
            stored = project.parts.log.many(client.told)
            found.lost |= {
                name
                for name, told in client.told.items()
                if name not in stored or (stored[name].case_id, stored[name].label) != told
            }
            seen = {name for name, one in stored.items() if one.to_review or one.spot_check}
            found.without_ticket |= seen - project.parts.tickets.asked_about(seen)
        found.unsound += not project.verify_trail().sound


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    given = parser.parse_args()
    kills = 10 if given.quick else 100

    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, mlflow_server(Path(folder)) as mlflow:
        with contextlib.redirect_stdout(io.StringIO()):
            loop = a_trained_loop(Path(folder) / "served", mlflow.url)
        found, clients = kill_again_and_again(loop, kills, random.Random(given.seed))
        figures = {
            "kills": kills,
            "acknowledged": _acknowledged(clients),
            "lost": len(found.lost),
            "without_ticket": len(found.without_ticket),
            "unsound_trails": found.unsound,
            "cut_off": sum(one.cut_off for one in clients),
            "restart_s": round(statistics.median(found.restart_s[1:]), 2),
            "load_average": round(load, 2),
        }
    show(figures)
    if given.json:
        print(json.dumps(figures))


def show(figures: dict[str, float]) -> None:
    """What was found, a line each."""
    table = Table("found", "", title=f"hitl serve under load of {CLIENTS} clients, SIGKILL")
    for title, name in (
        ("kills", "kills"),
        ("requests without an answer, asked again", "cut_off"),
        ("decisions acknowledged", "acknowledged"),
        ("of these lost, or not as told", "lost"),
        ("of these for people, without a ticket", "without_ticket"),
        ("restarts after which the trail did not verify", "unsound_trails"),
    ):
        table.add_row(title, f"{figures[name]:,}")
    table.add_row("from start to ready, median", f"{figures['restart_s']:.2f} s")
    Console().print(table)


if __name__ == "__main__":
    main()
