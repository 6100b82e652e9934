"""How many labels a classifier needs until it is right in 84 %, by what people are asked about.

    python benchmarks/selection.py [--quick] [--json]

`banking77` (Casanueva et al. 2020): 10,003 customers' questions in 77 classes are the pool, 3,080 others the
test. A model (TF-IDF of single words, logistic regression) learns from 200 questions drawn at random, says
what it thinks of all others, 200 more are chosen and labelled, and so on. Model, size of the batch and
the first 200 are the same for every way of choosing; told are the labels at which accuracy on the
test first reaches 84 %, on the line between two batches. Five seeds (--quick: two, to 75 %).

Ours is `review.selection.select`: a fifth at random, the others by margin, spread over clusters. Beside it:
all at random, the least margins, the highest entropy.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import entropy
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from hitl_mlops.review.selection import Candidates, margins_of, select

DATA = Path(os.environ.get("HITL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "banking77"
FIRST, BATCH, DIRECTIONS = 200, 200, 50
GOAL_ACCURACY, QUICK_ACCURACY = 0.84, 0.75
IntArray: TypeAlias = npt.NDArray[np.intp]
FloatArray: TypeAlias = npt.NDArray[np.float64]
Choose: TypeAlias = Callable[["Data", IntArray, FloatArray, str], IntArray]
"""Data, rows without a label, their probabilities, name of the batch → places among those rows."""


@dataclass(frozen=True)
class Data:
    """The pool and the test, as the model reads them."""

    pool: Any
    labels: npt.NDArray[np.object_]
    test: Any
    truth: npt.NDArray[np.object_]


def read_data() -> Data:
    """Both files; the words are those of the pool, which needs no label."""
    if not (DATA / "train.csv").exists():
        sys.exit(f"{DATA} is absent; set HITL_TEST_DATA to the folder of the data.")
    pool, test = (pd.read_csv(DATA / f"{name}.csv") for name in ("train", "test"))
    words = TfidfVectorizer(sublinear_tf=True)
    return Data(
        words.fit_transform(pool["text"]),
        pool["category"].to_numpy(dtype=object),
        words.transform(test["text"]),
        test["category"].to_numpy(dtype=object),
    )


def drawn(_data: Data, rows: IntArray, _said: FloatArray, name: str) -> IntArray:
    """All at random."""
    return np.random.default_rng([*name.encode()]).permutation(len(rows))[:BATCH]


def least_margins(_data: Data, _rows: IntArray, said: FloatArray, _name: str) -> IntArray:
    """Those whose two likeliest classes lie closest."""
    return np.argsort(margins_of(said), kind="stable")[:BATCH]


def highest_entropy(_data: Data, _rows: IntArray, said: FloatArray, _name: str) -> IntArray:
    """Those over whose classes the probability is spread most evenly."""
    return np.argsort(-entropy(said, axis=1), kind="stable")[:BATCH]


def ours(data: Data, rows: IntArray, said: FloatArray, name: str) -> IntArray:
    """As the project chooses."""
    candidates = Candidates([str(row) for row in rows], margins_of(said), np.ones(len(rows)))

    def features(places: IntArray) -> FloatArray:
        near = TruncatedSVD(DIRECTIONS, random_state=0).fit_transform(data.pool[rows[places]])
        return np.asarray(normalize(near))

    return np.array(select(candidates, BATCH, key=b"benchmark", name=name, features=features).rows)


WAYS: Mapping[str, Choose] = {
    "ours": ours,
    "random": drawn,
    "margin": least_margins,
    "entropy": highest_entropy,
}


def labels_needed(data: Data, choose: Choose, seed: int, accuracy: float) -> float:
    """Labels at which that accuracy is first reached."""
    known = np.zeros(len(data.labels), dtype=bool)
    known[np.random.default_rng(seed).permutation(len(known))[:FIRST]] = True
    before: tuple[int, float] | None = None
    while True:
        model = LogisticRegression(C=10.0, max_iter=300, tol=1e-3).fit(data.pool[known], data.labels[known])
        count, right = int(known.sum()), float(model.score(data.test, data.truth))
        if right >= accuracy:
            if before is None:
                return float(count)
            return float(np.interp(accuracy, [before[1], right], [before[0], count]))
        if known.all():
            return np.inf
        before, rows = (count, right), np.flatnonzero(~known)
        said = model.predict_proba(data.pool[rows])
        known[rows[choose(data, rows, said, f"{seed} {count}")]] = True


def measure(*, quick: bool) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Labels needed by each way and seed; and the figures."""
    data, accuracy = read_data(), QUICK_ACCURACY if quick else GOAL_ACCURACY
    needed: dict[str, list[float]] = {}
    figures: dict[str, float] = {}
    for name, choose in WAYS.items():
        begun = time.perf_counter()
        needed[name] = [labels_needed(data, choose, seed, accuracy) for seed in range(2 if quick else 5)]
        figures[f"{name}_labels"] = float(np.median(needed[name]))
        figures[f"{name}_s"] = round(time.perf_counter() - begun, 1)
    for name in ("ours", "margin", "entropy"):
        prefix = "" if name == "ours" else f"{name}_"
        figures[f"{prefix}label_saving_frac"] = 1 - figures[f"{name}_labels"] / figures["random_labels"]
    return needed, figures


def show(needed: dict[str, list[float]], figures: dict[str, float], accuracy: float) -> None:
    """One row for each way of choosing."""
    table = Table("chosen by", f"labels to {accuracy:.0%}, median", "each seed", "fewer than at random")
    for name, each in needed.items():
        median = figures[f"{name}_labels"]
        fewer = 1 - median / figures["random_labels"]
        table.add_row(name, f"{median:,.0f}", " ".join(f"{one:.0f}" for one in each), f"{fewer:.0%}")
    Console().print(table)


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    needed, figures = measure(quick=given.quick)
    show(needed, figures, QUICK_ACCURACY if given.quick else GOAL_ACCURACY)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
