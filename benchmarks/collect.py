"""How fast answers come back from a real Label Studio, beside the SDK's full export, in one run.

    python benchmarks/collect.py [--quick] [--json]

20,000 answered tasks (500 with --quick) are imported into a Label Studio that this program starts. First
pull:
everything, screened by Great Expectations, resolved, recorded in the trail and committed; the export only
downloads. Then 100 answers are changed and both are asked again. The tasks are dated back to a day ago and
before, ten seconds apart, as if people had answered them: else all would lie within the collector's overlap
of five minutes, which is read again each time. Memory is what the process holds at the most beyond what it
held before.
"""

from __future__ import annotations

import argparse
import gc
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from hitl_mlops.audit.checkpoint_in_memory import InMemoryCheckpoints
from hitl_mlops.audit.keys import signer_from_seed
from hitl_mlops.audit.sealing import Sealer
from hitl_mlops.audit.trail_sql import SqlTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import tickets
from hitl_mlops.decisions.record import Arm, Case, Decision
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.ids import instant
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.collect import Collector
from hitl_mlops.overrides.screen_great_expectations import GreatExpectationsScreen
from hitl_mlops.review.desk_label_studio import LabelStudioDesk
from hitl_mlops.review.interface import shown_values
from hitl_mlops.review.label_studio_annotations import moment_text
from hitl_mlops.review.label_studio_http import LabelStudioHttp
from hitl_mlops.review.roster import Person, Roster
from hitl_mlops.servers import environment, label_studio, process
from hitl_mlops.servers.credentials import Credentials, read_or_make
from hitl_mlops.servers.port import free_port

TASK = Task("collect benchmark", InputKind.TEXT, ("text",), ("yes", "no", "maybe"))
CHANGES = 100
IMPORT_CHUNK = 500


@dataclass(frozen=True)
class Bench:
    """A running Label Studio, its desk, and a folder for databases."""

    folder: Path
    url: str
    credentials: Credentials
    desk: LabelStudioDesk
    http: LabelStudioHttp
    project: int

    def export(self) -> list[dict[str, Any]]:
        """The peer: everything, by the vendor's SDK."""
        from label_studio_sdk.client import LabelStudio

        client = LabelStudio(base_url=self.url, api_key=self.credentials.label_studio_token)
        return list(client.projects.exports.as_json(self.project))

    def collector(self, name: str, tasks: int) -> Collector:
        """One with an empty book that knows all the tickets."""
        database = Database(f"sqlite:///{self.folder / name}.db")
        database.create()
        open_tickets(database, tasks)
        signer = signer_from_seed("benchmark/collect", bytes(32))
        return Collector(
            desk=self.desk,
            book=AnswerBook(database),
            screen=GreatExpectationsScreen(),
            trail=SqlTrail(database, Sealer(signer, InMemoryCheckpoints())),
            classes=frozenset(TASK.classes),
            roster=Roster((Person("r0", self.credentials.admin_email),)),
        )


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Label Studio runs, with the project; ended at the end."""
    credentials = read_or_make(folder)
    program = label_studio.program(
        folder, port=free_port(), credentials=credentials, environment=environment.find_or_make()
    )
    running = process.start(program, outlives_us=False)
    try:
        process.wait_until_ready(running)
        desk = LabelStudioDesk(program.url, credentials.label_studio_token, TASK)
        project, _blind = desk.ensure_ready()
        yield Bench(folder, program.url, credentials, desk, desk.http, project.project_id)
    finally:
        process.stop(running)


def open_tickets(database: Database, count: int) -> None:
    """Tickets stand in the database, as `decide` would have left them."""
    at = instant(datetime.now(UTC))
    with database.transaction() as connection:
        connection.execute(sa.insert(tickets), [_ticket(str(number), at) for number in range(count)])


def _ticket(name: str, at: str) -> dict[str, Any]:
    asked = {
        "kind": "review",
        "suggestion": "yes",
        "lane": "standard",
        "signatures": 1,
        "blind": False,
        "shown": {},
        "state": "open",
    }
    return {"ticket_id": f"t{name}", "decision_id": f"d{name}", "opened_at": at, "due_at": at, **asked}


def shown(number: int) -> dict[str, Any]:
    """What the reviewer's page holds of the case."""
    now = datetime.now(UTC)
    case = Case(f"c{number}", str(number), now, {"text": f"Where is the card of case {number}?"}, {})
    decision = Decision(
        decision_id=f"d{number}",
        case_id=case.case_id,
        subject=case.subject,
        at=now,
        model_version="1",
        model_digest="sha256:0",
        arm=Arm.CHAMPION,
        label="yes",
        confidence=0.6,
        probabilities={"yes": 0.6, "no": 0.3, "maybe": 0.1},
        route="standard",
        reasons=("confidence",),
        policy_hash="sha256:0",
        pi=1.0,
        spot_check=False,
        signatures=1,
        attributes={},
    )
    return shown_values(decision, case, TASK)


def result(label: str) -> list[dict[str, Any]]:
    """What the page stores: a class and a written reason."""
    said = (("label", "choices", {"choices": [label]}), ("rationale", "textarea", {"text": ["as it says"]}))
    return [
        {"from_name": name, "to_name": "case", "type": kind, "value": value} for name, kind, value in said
    ]


def import_answered(bench: Bench, count: int) -> None:
    """So many tasks with one answer each stand in the project."""
    me = bench.http.get("/api/current-user/whoami")["id"]
    for start in range(0, count, IMPORT_CHUNK):
        chunk = [
            {
                "data": {**shown(number), "ticket_id": f"t{number}", "lane": "standard", "due": "today"},
                "annotations": [
                    {"result": result(TASK.classes[number % 3]), "completed_by": me, "lead_time": 4.5}
                ],
            }
            for number in range(start, min(count, start + IMPORT_CHUNK))
        ]
        bench.http.post(f"/api/projects/{bench.project}/import", chunk)


def date_back(bench: Bench) -> None:
    """The tasks were last changed a day ago and before, one every ten seconds, by their ids."""
    [database] = (bench.folder / label_studio.NAME).glob("*.sqlite3")
    with sqlite3.connect(database, timeout=30) as connection:
        connection.execute(
            "UPDATE task SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 day',"
            " '-' || (10 * ((SELECT max(id) FROM task) - id)) || ' seconds')"
        )
    connection.close()


def change(bench: Bench, count: int) -> None:
    """So many answers, spread over the project, say something else."""
    ids = sorted(int(task) for task in bench.desk.task_ids())
    for task in ids[:: max(1, len(ids) // count)][:count]:
        [annotation] = bench.http.get(f"/api/tasks/{task}/annotations/")
        bench.http.patch(f"/api/annotations/{annotation['id']}/", {"result": result("maybe")})


def exported(raw: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Annotation id → what was said, when and by whom, from the export."""
    found = {}
    for task in raw:
        for one in task["annotations"]:
            said = {item["from_name"]: item["value"] for item in one["result"]}
            found[str(one["id"])] = (
                task["data"]["ticket_id"],
                said["label"]["choices"][0],
                said["rationale"]["text"][0],
                one["lead_time"],
                moment_text(one["updated_at"]),
            )
    return found


def collected(collector: Collector) -> dict[str, tuple[Any, ...]]:
    """The same from the book, of the answers that resolutions rest on."""
    keys = {key for one in collector.book.resolutions() for key in one.answer_keys}
    kept = collector.book.answers_of(collector.desk.name, collector.book.task_ids(collector.desk.name))
    return {
        one.answer.annotation_id: (
            one.answer.ticket_id,
            one.answer.label,
            one.answer.rationale,
            one.answer.seconds,
            one.answer.revision,
        )
        for one in kept.values()
        if one.key in keys
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of wall time, and what came out."""
    start = time.perf_counter()
    brought = work()
    return time.perf_counter() - start, brought


def held_mb(work: Callable[[], Any]) -> tuple[float, Any]:
    """Megabytes that the process held at the most beyond what it held before, and what came out."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _held("VmRSS")
    brought = work()
    return _held("VmHWM") - before, brought


def _held(what: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:"))


def measure(tasks: int, rounds: int) -> dict[str, Any]:
    """All figures; medians over the rounds, ours and the peer's turn by turn."""
    with tempfile.TemporaryDirectory() as name, bench(Path(name)) as bench_:
        warm = bench_.collector("warm", 3)
        import_answered(bench_, 3)
        warm.collect()
        bench_.export()
        for task in bench_.desk.task_ids():
            bench_.http.delete(f"/api/tasks/{task}/")
        import_answered(bench_, tasks)
        pulls, exports, deltas, held, equal = [], [], [], [], True
        for number in range(rounds):
            collector = bench_.collector(f"round{number}", tasks)
            date_back(bench_)
            export_mb, (export_s, raw) = held_mb(lambda: timed(bench_.export))
            pull_mb, (pull_s, _) = held_mb(lambda of=collector: timed(of.collect))
            held.append((pull_mb, export_mb))
            equal &= len(raw) == tasks and collected(collector) == exported(raw)
            change(bench_, CHANGES)
            delta_s, brought = timed(collector.collect)
            again_s, raw = timed(bench_.export)
            equal &= brought.new == CHANGES and collected(collector) == exported(raw)
            pulls.append(pull_s)
            exports += [export_s, again_s]
            deltas.append(delta_s)
    export_s, pull_s, delta_s = (statistics.median(times) for times in (exports, pulls, deltas))
    pull_mb, export_mb = (max(of) for of in zip(*held, strict=True))
    return {
        "tasks": tasks,
        "changes": CHANGES,
        "rounds": rounds,
        "export_s": round(export_s, 3),
        "first_pull_s": round(pull_s, 3),
        "delta_s": round(delta_s, 3),
        "first_pull_ratio": round(export_s / pull_s, 3),
        "delta_speedup": round(export_s / delta_s, 1),
        "first_pull_mb": round(pull_mb, 1),
        "export_mb": round(export_mb, 1),
        "contents_equal": equal,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="500 tasks, one round")
    parser.add_argument("--json", action="store_true", help="one object of figures as the last line")
    wanted = parser.parse_args()
    figures = measure(500, 1) if wanted.quick else measure(20_000, 3)
    table = Table(title=f"{figures['tasks']:,} answered tasks, {CHANGES} of them changed")
    for heading in ("", "hitl_mlops", "SDK export", "ratio"):
        table.add_column(heading, justify="left" if not heading else "right")
    peer = f"{figures['export_s']:.2f} s"
    table.add_row(
        "first pull", f"{figures['first_pull_s']:.2f} s", peer, f"{figures['first_pull_ratio']:.2f} x"
    )
    table.add_row("changes", f"{figures['delta_s']:.2f} s", peer, f"{figures['delta_speedup']:.0f} x")
    mb, peer_mb = figures["first_pull_mb"], figures["export_mb"]
    table.add_row("memory", f"{mb:.0f} MB", f"{peer_mb:.0f} MB", f"{peer_mb / max(mb, 0.1):.1f} x")
    table.add_row("contents equal", str(figures["contents_equal"]), "", "")
    Console().print(table)
    if wanted.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
