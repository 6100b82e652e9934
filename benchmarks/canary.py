"""How often a canary promotes what it should not: by e-processes, and by the rules in use elsewhere.

    python benchmarks/canary.py [--quick] [--json]

A challenger runs beside a champion that is wrong in 5 % of cases. "margin": it is wrong in 6 %, one point
more, which is what the margin says is too much. "bad": 8 %. "equal": 5 %, on other cases. Cases come two a
minute; the two differ on 4 % of them (7 % where it is bad). Each rollout is walked as the project walks it, a
look at every label, by its own evidence and `step`, to champion, back, or the end of its time.

"late": labels come after a random time, a day on average. "erring": reviewers are wrong in 5 % of the labels,
which always favours the model that was wrong, and the policy says so.

Beside it, on the same rollouts: a z-test at level 5 % looked at 200 times, not before 30 labels. And with
every case of both models labelled: a fixed threshold of 6 % for each of five windows of 200 decisions, of
which none may fail, or two may (Argo Rollouts' `successCondition`, `failureLimit`); and Mann and Whitney's
test of 60 error rates of 168 decisions an arm, as Kayenta's judge has it: 98 % interval, effect above a
quarter of the estimate, and no proof of harm is a pass.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from hitl_mlops.rollout.evidence import processes
from hitl_mlops.rollout.guardrails import Guardrails
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Evidence, Rollout, Stage
from hitl_mlops.rollout.step import step

CASES, MINUTES = 40_000, 0.5
CHAMPION_ERROR, MARGIN = 0.05, 0.01
ONLY_CHALLENGER = {"margin": 0.025, "bad": 0.050, "equal": 0.020}
ONLY_CHAMPION = {"margin": 0.015, "bad": 0.020, "equal": 0.020}
REVIEWERS_ERR, LATE_DAYS = 0.05, 1.0
LOOKS, FIRST_LABELS = 200, 30
WINDOWS, WINDOW, MAY_FAIL = 5, 200, 2
POINTS, POINT, KAYENTA_LEVEL, KAYENTA_EFFECT = 60, 168, 0.98, 0.25  # a week's decisions, half to each arm
SEED = 20_260_302
START = datetime(2026, 3, 1, tzinfo=UTC)
FRESH = Rollout("ro", "1", "sha256:a", "2", "sha256:b", Stage.SHADOW, 0.0, START, START)
FloatArray = npt.NDArray[np.float64]


TRUSTING = RolloutPolicy(margin=MARGIN, reviewer_error=0.0)
DOUBTING = RolloutPolicy(margin=MARGIN, reviewer_error=REVIEWERS_ERR)


@dataclass(frozen=True)
class Way:
    """How labels come.

    Attributes:
        err: how often reviewers are wrong.
        late_days: mean of the time until a label comes.
        policy: what the rollout goes by.
    """

    err: float = 0.0
    late_days: float = 0.0
    policy: RolloutPolicy = TRUSTING


WAYS = {
    "": Way(),
    "_delayed": Way(late_days=LATE_DAYS),
    "_erring": Way(err=REVIEWERS_ERR, policy=DOUBTING),
    "_erring_unsaid": Way(err=REVIEWERS_ERR),
}


@dataclass(frozen=True)
class Seen:
    """One rollout's cases and labels.

    Attributes:
        differs: which cases the two models differ on; shape (cases,).
        differences: D of each label, in the order in which they came; shape (labels,).
        came: after how many minutes each came; shape (labels,).
    """

    differs: npt.NDArray[np.bool_]
    differences: FloatArray
    came: FloatArray


@dataclass(frozen=True)
class Ended:
    """How one rollout ended: its stage, whether harm was proven, labels at the proof and at the end."""

    stage: Stage
    harmed: bool
    labels_to_proof: float
    labels: int
    left_shadow: bool


def draw(rng: np.random.Generator, situation: str, way: Way) -> Seen:
    """The cases of one rollout, and the labels as they come."""
    challenger, champion = ONLY_CHALLENGER[situation], ONLY_CHAMPION[situation]
    differs = rng.random(CASES) < challenger + champion
    places = np.flatnonzero(differs)
    worse = rng.random(places.size) < challenger / (challenger + champion)
    worse ^= rng.random(places.size) < way.err
    late = rng.exponential(way.late_days * 1440, places.size) if way.late_days else 0.0
    came = places * MINUTES + late
    order = np.argsort(came, kind="stable")
    return Seen(differs, np.where(worse, 1.0, -1.0)[order], came[order])


def walk(seen: Seen, policy: RolloutPolicy) -> Ended:
    """One rollout, looked at whenever a label came, until it ends or there are no more.

    In the shadow a look at which neither process has risen decides as the one before did, and is left out.
    """
    both = processes(seen.differs, seen.differences, policy.effective_margin)
    promote, harm = np.maximum.accumulate(both.promote), np.maximum.accumulate(both.harm)
    rose = np.append(True, (np.diff(promote) > 0) | (np.diff(harm) > 0))
    rollout, proof = FRESH, np.nan
    last = len(seen.came)
    for label in range(1, last + 1):
        if rollout.stage is Stage.SHADOW and not rose[label] and label < last:
            continue
        now = START + timedelta(minutes=float(seen.came[label - 1]))
        at_stage = (now - rollout.stage_at) / timedelta(minutes=MINUTES)
        served = int(at_stage * rollout.share_percent / 100)
        evidence = at_label(label, float(promote[label]), float(harm[label]), served, policy)
        if np.isnan(proof) and evidence.promote_e >= evidence.promote_at:
            proof = label
        rollout = step(rollout, evidence, Guardrails(), policy, now).after
        if not rollout.live:
            harmed = evidence.rollback_e >= evidence.rollback_at
            return Ended(rollout.stage, harmed, proof, label, left_shadow=not np.isnan(proof))
    return Ended(rollout.stage, harmed=False, labels_to_proof=proof, labels=last, left_shadow=bool(proof > 0))


def at_label(label: int, promote_e: float, harm_e: float, served: int, policy: RolloutPolicy) -> Evidence:
    """What is known at that label, as far as `step` reads it."""
    return Evidence(
        cases=0,
        agreed=0,
        labels=label,
        pending=0,
        challenger_wrong=0,
        champion_wrong=0,
        promote_e=promote_e,
        rollback_e=harm_e,
        promote_at=policy.promote_at,
        rollback_at=policy.rollback_at,
        served=served,
    )


def by_z(seen: Seen) -> str:
    """What a z-test at the usual level says, looked at 200 times: promote, back, or nothing."""
    signed = np.zeros(CASES)
    signed[seen.differs] = seen.differences
    n = np.linspace(CASES / LOOKS, CASES, LOOKS).astype(int)
    mean, square = np.cumsum(signed)[n - 1] / n, np.cumsum(signed != 0)[n - 1] / n
    error = np.sqrt(np.maximum(square - mean**2, 1e-12) / n)
    due = square * n >= FIRST_LABELS
    good = due & ((MARGIN - mean) / error >= norm.isf(0.05))
    bad = due & (mean / error >= norm.isf(0.01))
    first = int(np.argmax(good | bad))
    return "back" if bad[first] else "promote" if good[first] else "nothing"


def by_threshold(rng: np.random.Generator, error: float, runs: int, may_fail: int) -> float:
    """Share of runs that a fixed threshold promotes."""
    wrong = rng.binomial(WINDOW, error, (runs, WINDOWS))
    failed = wrong / WINDOW > CHAMPION_ERROR + MARGIN
    return float((failed.sum(axis=1) <= may_fail).mean())


def by_mann_whitney(rng: np.random.Generator, error: float, runs: int) -> float:
    """Share of runs that Mann and Whitney's test promotes.

    Hodges and Lehmann's estimate and the interval's lower end are order statistics of all differences.
    """
    pairs = POINTS * POINTS
    below = pairs / 2 - norm.isf((1 - KAYENTA_LEVEL) / 2) * np.sqrt(pairs * (2 * POINTS + 1) / 12)
    promoted = 0
    for _ in range(runs):
        control = rng.binomial(POINT, CHAMPION_ERROR, POINTS) / POINT
        experiment = rng.binomial(POINT, error, POINTS) / POINT
        apart = np.sort((experiment[:, None] - control[None, :]).ravel())
        promoted += apart[int(below)] <= KAYENTA_EFFECT * abs(float(np.median(apart)))
    return promoted / runs


def error_of(situation: str) -> float:
    """How often the challenger is wrong there."""
    return CHAMPION_ERROR + ONLY_CHALLENGER[situation] - ONLY_CHAMPION[situation]


def ours(rng: np.random.Generator, name: str, way: Way, runs: int) -> dict[str, float]:
    """Our figures where labels come that way, and the z-test's on the same rollouts."""
    ended: dict[str, list[Ended]] = {}
    said: dict[str, list[str]] = {}
    for situation in ONLY_CHALLENGER:
        rollouts = [draw(rng, situation, way) for _ in range(runs)]
        ended[situation] = [walk(one, way.policy) for one in rollouts]
        said[situation] = [by_z(one) for one in rollouts] if way == Way() else []
    equal, bad = ended["equal"], ended["bad"]
    champions = [one.labels for one in equal if one.stage is Stage.PROMOTED]
    figures = {
        f"false_promotion{name}": np.mean([one.left_shadow for one in ended["margin"]]),
        f"missed_bad{name}": np.mean([not one.harmed for one in bad]),
        f"bad_left_shadow{name}": np.mean([one.left_shadow for one in bad]),
        f"bad_labels{name}": np.mean([one.labels for one in bad]),
        f"aa_rollback{name}": np.mean([one.stage is Stage.ROLLED_BACK for one in equal]),
        f"aa_promoted{name}": len(champions) / runs,
        f"mean_labels{name}": np.nanmean([one.labels_to_proof for one in equal]),
        f"mean_labels_to_champion{name}": np.mean(champions),
    }
    if way == Way():
        figures |= {
            "peer_false_promotion_z": said["margin"].count("promote") / runs,
            "peer_missed_bad_z": said["bad"].count("promote") / runs,
            "peer_aa_rollback_z": said["equal"].count("back") / runs,
        }
    return {key: round(float(value), 4) for key, value in figures.items()}


def peers(rng: np.random.Generator, runs: int) -> dict[str, float]:
    """What fixed thresholds and Mann and Whitney's test do; they see every case labelled."""
    rules = {
        "fixed": lambda error: by_threshold(rng, error, runs, 0),
        "fixed_lenient": lambda error: by_threshold(rng, error, runs, MAY_FAIL),
        "mann_whitney": lambda error: by_mann_whitney(rng, error, runs),
    }
    figures: dict[str, float] = {}
    for name, promoted in rules.items():
        figures[f"peer_false_promotion_{name}"] = promoted(error_of("margin"))
        figures[f"peer_missed_bad_{name}"] = promoted(error_of("bad"))
        figures[f"peer_aa_rollback_{name}"] = 1 - promoted(error_of("equal"))
    return {key: round(value, 4) for key, value in figures.items()}


def measure(runs: int) -> dict[str, float]:
    """All figures."""
    rng, begun = np.random.default_rng(SEED), time.perf_counter()
    figures: dict[str, float] = {"runs": runs, "alpha": Way().policy.alpha, "margin": MARGIN}
    for name, way in WAYS.items():
        figures |= ours(rng, name, way, runs)
    figures |= peers(rng, runs)
    return figures | {"seconds": round(time.perf_counter() - begun, 1)}


ROWS = {
    "ours": "",
    "  late labels": "_delayed",
    "  erring reviewers": "_erring",
    "  and nobody knew": "_erring_unsaid",
}
PEERS = {
    "z-test, 200 looks": "_z",
    "threshold, 0 fail": "_fixed",
    "threshold, 2 fail": "_fixed_lenient",
    "Mann-Whitney": "_mann_whitney",
}


def show(figures: dict[str, float]) -> None:
    """One row for each rule."""
    table = Table(
        "rule",
        "6 % promoted",
        "8 % missed",
        "equal sent back",
        "labels to proof",
        "to champion",
        title="A challenger beside a champion that is wrong in 5 %",
        caption=f"{figures['runs']:,} rollouts each",
    )
    for rule, name in ROWS.items():
        shares = [f"{figures[key + name]:.2%}" for key in ("false_promotion", "missed_bad", "aa_rollback")]
        counts = [f"{figures[key + name]:.0f}" for key in ("mean_labels", "mean_labels_to_champion")]
        table.add_row(rule, *shares, *counts)
    for rule, name in PEERS.items():
        keys = ("peer_false_promotion", "peer_missed_bad", "peer_aa_rollback")
        table.add_row(rule, *(f"{figures[key + name]:.2%}" for key in keys), "", "")
    Console(width=100).print(table)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="200 rollouts of each kind")
    parser.add_argument("--json", action="store_true", help="one object of figures as the last line")
    given = parser.parse_args()
    figures = measure(200 if given.quick else 2_000)
    show(figures)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
