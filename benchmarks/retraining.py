"""What to retrain on, window by window: nothing, what people reviewed, or the base data with it.

    python benchmarks/retraining.py [--quick] [--json]

The weather, day by day for decades, in its order and with its drift. The ready recipe learns from the first
2,000 days (four fifths of them: the rest is held back, as in any project); the 16,159 that follow come in
eight windows. In each a model decides every day, a policy routes it, and people answer what they are asked:
3 % of their answers are wrong. After each window the answers become a dataset version and a challenger learns
from it, which decides the next window; each way of retraining has its own loop, and is asked what its own
model doubted. Accuracy is that over every day of a window, against the recorded weather, by a model that saw
none of it. The first window is left out: there all are the same model.

Twice: under a policy that has people see the doubtful 15 % and 3 % of the others (as in estimates.py; its
bound is set anew for each model, so that every way asks about as much), and under that of configs/weather,
which has them see most days.

The dataset, the split, the recipe and the training are the project's own (`dataset.assemble`,
`dataset.build`, `training.train`), on the twins of the Delta table and of MLflow. A seed changes the policy
key (spot checks and split) and the mistakes that people make.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table

from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.dataset.assemble import from_base, from_resolutions
from hitl_mlops.dataset.build import build_version
from hitl_mlops.dataset.manifest import DatasetVersion
from hitl_mlops.dataset.store_in_memory import InMemoryDatasetStore
from hitl_mlops.decisions.record import Arm, Case, Decision
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.ids import content_id
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.review.ticket import TicketKind, ticket_id_of
from hitl_mlops.routing.policy import CLOSED, Policy
from hitl_mlops.routing.policy_file import parse_policy, read_policy
from hitl_mlops.routing.route import route
from hitl_mlops.training.notes import gather_notes
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.registry_in_memory import InMemoryRegistry
from hitl_mlops.training.train import train, training_set

WEATHER = Path(os.environ.get("HITL_TEST_DATA", "../shared/data")) / "weather" / "weather.csv"
BASE_DAYS, WINDOWS, WRONG_ANSWERS = 2_000, 8, 0.03
BEGAN, DAY = datetime(1949, 1, 1, tzinfo=UTC), timedelta(days=1)
DOUBTFUL, SPOT_CHECKS = 0.15, 0.03
FEW, MANY = "", "many_reviewed_"
POLICIES = {
    FEW: f"the doubtful {DOUBTFUL:.0%} and {SPOT_CHECKS:.0%} of the others",
    MANY: "what configs/weather says",
}
CHAMPION, REVIEWED_ONLY, REPLAY, LATEST = "champion", "reviewed_only", "replay", "replay_latest"
WAYS: dict[str, Recipe | None] = {
    CHAMPION: None,
    REVIEWED_ONLY: Recipe(replay=0),
    REPLAY: Recipe(),
    LATEST: Recipe(replay=BASE_DAYS // 4),
}
NAMES = {
    CHAMPION: "champion kept",
    REVIEWED_ONLY: "reviewed only",
    REPLAY: "replay + reviewed",
    LATEST: f"latest {BASE_DAYS // 4} + reviewed",
}
DATABASE = Database("sqlite://")
Found = dict[str, tuple[list[float], int]]


def policy_of(which: str, confidence: npt.NDArray[np.float64]) -> Policy:
    """The policy, where its bound is to be that which a share of these confidences did not reach."""
    if which == MANY:
        return read_policy(Path(__file__).resolve().parents[1] / "configs" / "weather" / "policy.yaml")
    bound = float(np.quantile(confidence, DOUBTFUL))
    return parse_policy(f"""
routes:
  auto:     {{confidence: ">= {bound:.4f}"}}
  standard: {{confidence: "< {bound:.4f}"}}
spot_checks: {{auto: {SPOT_CHECKS}}}
""")


def weather() -> tuple[pd.DataFrame, Task]:
    """Every day with its number and time, and the shape of a case."""
    days = pd.read_csv(WEATHER)
    inputs = tuple(name for name in days.columns if name != "target")
    days = days.assign(day=[f"day {number}" for number in range(len(days))])
    days = days.assign(at=[BEGAN + number * DAY for number in range(len(days))])
    return days, Task("weather", InputKind.TABLE, inputs, ("0", "1"), id="day", time="at", label="target")


@dataclass
class Loop:
    """One project over the years, that retrains in one way or not at all.

    Attributes:
        task: the shape of a case.
        recipe: of its challengers; None: the first champion is kept.
        which: the policy's name.
        key: the policy key.
        rng: by which people err.
        serving: version that decides.
        asked: days that people were asked about.
    """

    task: Task
    recipe: Recipe | None
    which: str
    key: bytes
    rng: np.random.Generator
    store: InMemoryDatasetStore = field(default_factory=InMemoryDatasetStore)
    registry: InMemoryRegistry = field(default_factory=InMemoryRegistry)
    trail: InMemoryTrail = field(default_factory=InMemoryTrail)
    policy: Policy = CLOSED
    serving: str = ""
    asked: int = 0

    def begin(self, base: pd.DataFrame, now: datetime) -> None:
        """The first champion has learned from the base data."""
        additions = from_base(base, self.task, source="weather", now=now)
        self.learn(build_version(additions, self.store, self.trail, actor="bench", now=now), Recipe(), now)
        self.draw_policy(base)

    def draw_policy(self, days: pd.DataFrame) -> None:
        """The policy asks about its share of these days, by how sure the serving model is of them."""
        sure = self.registry.load(self.serving).probabilities(days).max(axis=1)
        self.policy = policy_of(self.which, sure)

    def live(self, days: pd.DataFrame, now: datetime) -> float:
        """The window was decided, and answered in part; a challenger decides what follows. The accuracy."""
        model = self.registry.load(self.serving)
        probabilities = model.probabilities(days)
        said = np.asarray(model.classes)[probabilities.argmax(axis=1)]
        ids = [content_id("d", name) for name in days["day"]]
        routes = route(self.policy, pd.DataFrame({"confidence": probabilities.max(axis=1)}), ids, self.key)
        seen = days.assign(
            decision_id=ids,
            said=said,
            route=routes.route,
            pi=routes.pi,
            spot_check=routes.spot_check,
            signatures=routes.signatures,
        )[routes.signatures > 0].to_dict("records")
        if self.recipe is not None:
            self.asked += len(seen)
            self.learn(self.build(seen, now), self.recipe, now)
            self.draw_policy(days)
        return float((said == days["target"].astype(str).to_numpy(dtype=str)).mean())

    def build(self, seen: list[dict[Any, Any]], now: datetime) -> DatasetVersion:
        """What people said of these days is in the dataset."""
        decisions = [self.decision(day) for day in seen]
        answers = [self.resolution(one, day, now) for one, day in zip(decisions, seen, strict=True)]
        cases = {day["day"]: self.case(day) for day in seen}
        known = {one.decision_id: one for one in decisions}
        columns = self.store.version("latest").columns
        added = from_resolutions(answers, [], known, cases, columns=columns, now=now)
        return build_version(added, self.store, self.trail, actor="bench", now=now)

    def learn(self, version: DatasetVersion, recipe: Recipe, now: datetime) -> None:
        """A version that learned from the dataset decides from now on."""
        labels = self.store.labels(version)
        notes = gather_notes(labels, version, since=None, policy_hash=self.policy.hash, champion=None)
        learned = training_set(version, self.store.read(version), key=self.key)
        self.serving = train(
            learned,
            self.task,
            recipe,
            notes,
            registry=self.registry,
            trail=self.trail,
            database=DATABASE,
            actor="bench",
            now=now,
        ).version

    def case(self, day: dict[Any, Any]) -> Case:
        """The day as a case."""
        return Case(day["day"], day["day"], day["at"], {name: day[name] for name in self.task.inputs}, {})

    def decision(self, day: dict[Any, Any]) -> Decision:
        """What was recorded of a day that people see."""
        return Decision(
            decision_id=day["decision_id"],
            case_id=day["day"],
            subject=day["day"],
            at=day["at"],
            model_version=self.serving,
            model_digest="",
            arm=Arm.CHAMPION,
            label=str(day["said"]),
            confidence=0.0,
            probabilities={},
            route=day["route"],
            reasons=(),
            policy_hash=self.policy.hash,
            pi=day["pi"],
            spot_check=day["spot_check"],
            signatures=day["signatures"],
            attributes={},
        )

    def resolution(self, decision: Decision, day: dict[Any, Any], now: datetime) -> Resolution:
        """What people said of it: the truth, now and then its opposite."""
        kind = TicketKind.SPOT_CHECK if decision.spot_check else TicketKind.REVIEW
        wrong = self.rng.random() < WRONG_ANSWERS
        label = next(one for one in self.task.classes if (one == str(day["target"])) is not wrong)
        return Resolution(
            resolution_id=content_id("res", decision.decision_id),
            decision_id=decision.decision_id,
            ticket_id=ticket_id_of(decision.decision_id, kind),
            ticket_kind=kind.value,
            label=label,
            model_label=decision.label,
            method=Method.SINGLE,
            answer_keys=(),
            reviewers=("u1",),
            reason_codes=(None,),
            resolved_at=now,
        )


def one_run(seed: int, which: str, days: pd.DataFrame, task: Task) -> Found:
    """Way → accuracy of each window from the second on, and how many answers it asked for."""
    edges = np.linspace(BASE_DAYS, len(days), WINDOWS + 1).astype(int)
    windows = [days[begin:end] for begin, end in pairwise(edges)]
    found: Found = {}
    for way, recipe in WAYS.items():
        rng = np.random.default_rng([seed, 1])
        loop = Loop(task, recipe, which, rng.bytes(32), rng)
        loop.begin(days[:BASE_DAYS], BEGAN + BASE_DAYS * DAY)
        accuracy = [loop.live(one, one["at"].iloc[-1] + DAY) for one in windows]
        found[way] = (accuracy[1:], loop.asked)
    return found


def measure(seeds: int) -> tuple[dict[str, float], dict[str, npt.NDArray[np.float64]]]:
    """All figures, and accuracy by policy. Each of shape (ways, seeds, windows)."""
    start, (days, task) = time.perf_counter(), weather()
    DATABASE.create()
    figures: dict[str, float] = {"windows": WINDOWS - 1, "days": len(days)}
    by_window = {}
    for which in POLICIES:
        figures[f"{which}seeds"] = seeds if which == FEW else seeds // 2
        runs = [one_run(seed, which, days, task) for seed in range(int(figures[f"{which}seeds"]))]
        by_window[which] = np.array([[run[way][0] for run in runs] for way in WAYS])
        asked = {way: float(np.mean([run[way][1] for run in runs])) for way in WAYS}
        figures |= {f"{which}{name}": one for name, one in figures_of(by_window[which], asked).items()}
    return figures | {"seconds": round(time.perf_counter() - start, 1)}, by_window


def figures_of(by_window: npt.NDArray[np.float64], asked: dict[str, float]) -> dict[str, float]:
    """Under one policy: means, their spread over seeds, and how often a way was better."""
    of_way = dict(zip(WAYS, by_window, strict=True))
    figures: dict[str, float] = {"window_seeds": int(of_way[CHAMPION].size)}
    for way, accuracy in of_way.items():
        figures[f"accuracy_{way}"] = round(float(accuracy.mean()), 4)
        figures[f"accuracy_{way}_sd"] = round(float(accuracy.mean(axis=1).std()), 4)
        if way != CHAMPION:
            figures[f"{way}_beats_champion"] = int((accuracy > of_way[CHAMPION]).sum())
            figures[f"{way}_answers"] = round(asked[way], 1)
    figures["replay_beats_reviewed_only"] = int((of_way[REPLAY] > of_way[REVIEWED_ONLY]).sum())
    return figures


def show(figures: dict[str, float], which: str, by_window: npt.NDArray[np.float64]) -> None:
    """One row for each window, the mean over seeds; then the mean of all."""
    table = Table(
        "window",
        *(NAMES[way] for way in WAYS),
        title=f"Accuracy on days the model has not seen; people see {POLICIES[which]}",
        caption=f"mean over {figures[f'{which}seeds']} seeds",
    )
    for window, accuracy in enumerate(by_window.mean(axis=1).T, start=2):
        table.add_row(str(window), *(f"{one:.4f}" for one in accuracy))
    table.add_section()
    table.add_row("mean", *(f"{figures[f'{which}accuracy_{way}']:.4f}" for way in WAYS))
    rest, of = [way for way in WAYS if way != CHAMPION], figures[f"{which}window_seeds"]
    better = (f"{figures[f'{which}{way}_beats_champion']} of {of}" for way in rest)
    table.add_row("better than champion", "", *better)
    table.add_row("answers asked for", "0", *(f"{figures[f'{which}{way}_answers']:,.0f}" for way in rest))
    Console().print(table)


def main() -> int:
    """Print a table for each policy, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="2 seeds, and 1")
    parser.add_argument("--json", action="store_true", help="one object of figures as the last line")
    given = parser.parse_args()
    if not WEATHER.exists():
        print(f"{WEATHER} is absent; set HITL_TEST_DATA.", file=sys.stderr)
        return 1
    figures, by_window = measure(2 if given.quick else 10)
    for which, accuracy in by_window.items():
        show(figures, which, accuracy)
    if given.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
