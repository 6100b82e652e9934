"""What people's labels add up to: how right, and how fast beside crowd-kit.

    python benchmarks/consensus.py [--quick] [--json]

`temp_crowd` (Snow et al. 2008): 4,620 labels by 76 people of 462 items whose answer is known. How many items
the majority has right, and how many Dawid and Skene's model as we fit it.

Speed: 100,000 made labels of 20,000 items by 500 people in four classes (--quick: a tenth), each person right
as often as a draw from Beta(6, 3) says. Both fit until nothing moves any more, by their own rule; the best of
three times counts, imports left out. crowd-kit is installed for this alone, into a folder that is removed.

People with few labels: the same with 1 to 30 labels a person, several draws of each; told is by how many
points we lie above the majority, and the worst of those means.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table

from hitl_mlops.statistics.crowd import Labels, dawid_skene, majority

DATA = Path(os.environ.get("HITL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
CROWD_KIT = "crowd-kit==1.4.2"
TRIES, CLASSES, EACH = 3, 4, 5
FEW = (1, 2, 5, 10, 30)
GOALS = {"temp_accuracy": 0.9416, "speedup_crowdkit": 10.0}
PEER = """
import json, sys, time
import pandas as pd
from crowdkit.aggregation import DawidSkene
labels, taken = pd.read_csv(sys.argv[1]), []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    found = DawidSkene(n_iter=200, tol=1e-5).fit_predict(labels)
    taken.append(time.perf_counter() - start)
print(json.dumps([min(taken), found.sort_index().tolist()]))
"""


def crowd(seed: int, items: int, people: int) -> tuple[Labels, npt.NDArray[np.int64]]:
    """Made labels, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, CLASSES, items)
    places = np.repeat(np.arange(items), EACH)
    who = rng.permutation(np.resize(np.arange(people), items * EACH))
    wrong = (truth[places] + rng.integers(1, CLASSES, items * EACH)) % CLASSES
    is_right = rng.random(items * EACH) < rng.beta(6, 3, people)[who]
    return Labels(places, who, np.where(is_right, truth[places], wrong), items, people, CLASSES), truth


def temp() -> tuple[Labels, npt.NDArray[np.int64]]:
    """The real labels, and the truth."""
    file = DATA / "temp_crowd" / "temp.standardized.tsv"
    if not file.exists():
        sys.exit(f"{file} is absent; set HITL_TEST_DATA to the folder of the data.")
    rows = pd.read_csv(file, sep="\t", names=["who", "item", "said", "gold"], header=0)
    items, names = pd.factorize(rows["item"])
    people, _ = pd.factorize(rows["who"])
    said, classes = pd.factorize(rows["said"], sort=True)
    gold = rows.drop_duplicates("item")["gold"].map({name: place for place, name in enumerate(classes)})
    return Labels(items, people, said, len(names), int(people.max()) + 1, len(classes)), gold.to_numpy()


def peer(labels: Labels) -> tuple[float, npt.NDArray[np.int64]]:
    """crowd-kit's seconds, and its class of each item."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python, file = Path(folder) / "bin" / "python", Path(folder) / "labels.csv"
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", CROWD_KIT]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        columns = {"task": labels.items, "worker": labels.people, "label": labels.said}
        pd.DataFrame(columns).to_csv(file, index=False)
        call = [str(python), "-c", PEER, str(file), str(TRIES)]
        without_ours = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        told = subprocess.run(call, check=True, capture_output=True, text=True, env=without_ours).stdout
    seconds, found = json.loads(told.splitlines()[-1])
    return float(seconds), np.array(found)


def ours(labels: Labels) -> tuple[float, npt.NDArray[np.int64]]:
    """Our seconds, and our class of each item."""
    taken = []
    for _ in range(TRIES):
        start = time.perf_counter()
        found = dawid_skene(labels)
        taken.append(time.perf_counter() - start)
    return min(taken), found.labels


def above_majority(each: int, draws: int) -> float:
    """By how many points we lie above the majority where each person gave so few labels; the mean."""
    gains = []
    for seed in range(draws):
        labels, truth = crowd(seed, 3_000, 3_000 * EACH // each)
        gains.append((dawid_skene(labels).labels == truth).mean() - (majority(labels) == truth).mean())
    return 100 * float(np.mean(gains))


def measure(*, quick: bool) -> dict[str, float]:
    """All figures."""
    labels, gold = temp()
    figures = {
        "temp_accuracy": round(float((dawid_skene(labels).labels == gold).mean()), 4),
        "majority_accuracy": round(float((majority(labels) == gold).mean()), 4),
    }
    made, truth = crowd(0, 2_000 if quick else 20_000, 500)
    (theirs_s, theirs), (ours_s, found) = peer(made), ours(made)
    few = {f"few_{each}_points": round(above_majority(each, 3 if quick else 30), 3) for each in FEW}
    return figures | {
        "labels": len(made.items),
        "seconds": round(ours_s, 4),
        "seconds_crowdkit": round(theirs_s, 4),
        "speedup_crowdkit": round(theirs_s / ours_s, 1),
        "made_accuracy": round(float((found == truth).mean()), 4),
        "made_accuracy_crowdkit": round(float((theirs == truth).mean()), 4),
        "made_accuracy_majority": round(float((majority(made) == truth).mean()), 4),
        **few,
        "few_worst_points": min(few.values()),
    }


def show(figures: dict[str, float]) -> None:
    """One row for each data set, and one for people with few labels."""
    table = Table("labels", "majority", "crowd-kit", "ours", "")
    table.add_row(
        "temp_crowd, right", f"{figures['majority_accuracy']:.4f}", "", f"{figures['temp_accuracy']:.4f}", ""
    )
    right = [f"{figures[f'made_accuracy{whose}']:.4f}" for whose in ("_majority", "_crowdkit", "")]
    table.add_row(f"{figures['labels']:,} made, right", *right, "")
    times = (f"{figures['seconds_crowdkit']:.2f} s", f"{figures['seconds']:.3f} s")
    table.add_row("the same, time", "", *times, f"{figures['speedup_crowdkit']} times as fast")
    for each in FEW:
        table.add_row(
            f"{each} a person, above the majority", "", "", f"{figures[f'few_{each}_points']:+.2f}", "points"
        )
    Console().print(table)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = measure(quick=given.quick)
    show(figures)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
