"""Inputs unlike any of the base data go to the data's owners before a model sees them.

Each view (the numbers together, the words, each text) measures how far a row lies from one half of the base
data; the other half, which it has not seen, says how far rows of that kind may lie. That is split-conformal
anomaly detection: Laxhammar & Falkman (2010), *Conformal prediction for distribution-independent anomaly
detection*; Bates, Candès, Lei, Romano & Sesia (2023), *Testing for outliers with conformal p-values*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.cases import frame_of
from hitl_mlops.decisions.odd_numbers import learn_numbers
from hitl_mlops.decisions.odd_texts import learn_texts
from hitl_mlops.decisions.odd_view import View
from hitl_mlops.decisions.odd_words import learn_words
from hitl_mlops.decisions.schema import InputSchema
from hitl_mlops.decisions.task import Task

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FEWEST_ROWS = 40
"""Base data of fewer rows teach no guard."""
MOST_ROWS = 40_000
"""Of more, so many are drawn."""
MOST_NAMED = 3
"""Columns that are named of one row, at the most."""
_SEED = 20231105


@dataclass(frozen=True, slots=True)
class OddPolicy:
    """How odd is too odd.

    Attributes:
        rate: share of rows like the base data that may be refused, in [0, 1); 0: none is ever refused.
        margin: how much further than that rate asks a row must lie, as a share: room for the slow change
            that people's answers are to teach the model.
    """

    rate: float = 0.001
    margin: float = 0.25


@dataclass(frozen=True, slots=True)
class OddGuard:
    """What was learned of the base data.

    Attributes:
        views: each with the farthest that a row may lie.
        rate: at most this share of rows like the base data is refused, on average over bases, even without
            the margin. The rate that was asked for, or the smallest that so few rows can prove.
        held_out: rows of the base data that set the bounds.
        asked: the rate that was asked for.
    """

    views: tuple[tuple[View, float], ...] = ()
    rate: float = 0.0
    held_out: int = 0
    asked: float = 0.0

    @property
    def told(self) -> str:
        """What is promised of rows like the base data, a few words for people."""
        if not self.views:
            return "none is held back: turned off, or too little base data"
        proven = f"at most {100 * self.rate:.2g} % of rows like the base data are held back"
        if self.rate <= self.asked:
            return proven
        return f"{proven} ({100 * self.asked:.2g} % was asked; {self.held_out:,} held-out rows prove no less)"


def learn_guard(base: pd.DataFrame, task: Task, schema: InputSchema, policy: OddPolicy) -> OddGuard:
    """What rows of the base data look like, and how far one may lie from it. The same base, the same guard.

    Half of the rows are learned from, the other half set the bounds; rows of one subject stay together. The
    rate is shared out evenly among the views. A bound at rate r needs 1/r - 1 held-out rows; with fewer it
    is the farthest of them, which proves a rate of 1 in held-out rows + 1; each power of ten by which that
    misses the rate asked for widens the bound by another margin.

    Fewer than 40 rows, or rate 0: a guard that refuses nothing.
    """
    if policy.rate <= 0 or len(base) < FEWEST_ROWS:
        return OddGuard()
    rng = np.random.default_rng(_SEED)
    if len(base) > MOST_ROWS:
        base = base.iloc[np.sort(rng.choice(len(base), MOST_ROWS, replace=False))]
    learned = _learned(base, task, rng)
    inputs = base[list(task.inputs)]
    shown, held_out = inputs[learned], inputs[~learned]
    found = (
        learn_numbers(shown, task, schema),
        learn_words(shown, schema),
        *learn_texts(shown, task, schema),
    )
    views: list[View] = [view for view in found if view is not None]
    wanted = policy.rate / max(len(views), 1)
    bounds = [conformal_bound(view.far(held_out), wanted) for view in views]
    widened = [far * (1 + policy.margin * (1 + max(0.0, log10(rate / wanted)))) for far, rate in bounds]
    proven = sum(rate for _, rate in bounds)
    return OddGuard(tuple(zip(views, widened, strict=True)), proven, len(held_out), policy.rate)


def odd_rows(inputs: pd.DataFrame, guard: OddGuard) -> Mapping[str, BoolArray]:
    """Fault → rows that have it, shape (n,); each odd row has one to three of each view, the worst ones.

    Args:
        inputs: the task's inputs, one row each; more columns do not matter. Missing cells count as unknown:
            the others are compared with what they would be beside any value.
        guard: of the same task.

    A row's answer does not depend on the rows beside it. A distance that is no number counts as odd.
    """
    faults: dict[str, BoolArray] = {}
    for view, bound in guard.views:
        odd = np.flatnonzero(view.beyond(inputs, bound))
        if not odd.size:
            continue
        named = _worst(view.blame(inputs.iloc[odd]))
        for place in np.flatnonzero(named.any(axis=0)).tolist():
            faults[view.faults[place]] = np.zeros(len(inputs), dtype=np.bool_)
            faults[view.faults[place]][odd[named[:, place]]] = True
    return faults


def odd_among(columns: Mapping[str, Any], sound: BoolArray, guard: OddGuard) -> dict[str, BoolArray]:
    """As `odd_rows`, of screened columns: fault → rows, shape (n,), none of them outside `sound`.

    Args:
        columns: the task's inputs, an array of n cells each.
        sound: rows in which nothing is wrong so far; no other is looked at. Shape (n,).
        guard: of the same task.
    """
    if not guard.views or not sound.any():
        return {}
    rows = frame_of({name: column[sound] for name, column in columns.items()})
    faults = {}
    for fault, odd in odd_rows(rows, guard).items():
        faults[fault] = np.zeros(len(sound), dtype=np.bool_)
        faults[fault][sound] = odd
    return faults


def conformal_bound(held_out: FloatArray, rate: float) -> tuple[float, float]:
    """The distance that at most that share of new rows like these exceeds, and the rate it holds for.

    With exchangeable rows the chance that a new one lies beyond the k-th farthest of n is k / (n + 1) at the
    most, whatever the distances mean; here k is the largest for which that stays within the rate, or 1.

    >>> conformal_bound(np.arange(1.0, 100.0), 0.02)  # of 99 the second farthest: 2 / 100
    (98.0, 0.02)
    >>> conformal_bound(np.arange(1.0, 100.0), 0.001)  # so few rows prove 1 in 100 only
    (99.0, 0.01)
    """
    count = held_out.size
    beyond = min(max(1, int(rate * (count + 1) + 1e-9)), count)
    return float(np.partition(held_out, count - beyond)[count - beyond]), beyond / (count + 1)


def _learned(base: pd.DataFrame, task: Task, rng: np.random.Generator) -> BoolArray:
    """Rows to learn from: half of the subjects, or half of the rows where that is no split at all."""
    half = rng.permutation(len(base)) < len(base) // 2
    if task.subject is None or task.subject not in base.columns:
        return half
    subjects, names = pd.factorize(base[task.subject], use_na_sentinel=False)
    by_subject: BoolArray = (rng.permutation(len(names)) < len(names) // 2)[subjects]
    uneven = abs(by_subject.mean() - 0.5) > 0.25  # noqa: PLR2004 - a few subjects have most of the rows
    return half if uneven else by_subject


def _worst(blame: FloatArray) -> BoolArray:
    """The up to three largest of each row that are at least half of the largest."""
    largest = blame.max(axis=1, keepdims=True)
    named = blame >= largest / 2
    if blame.shape[1] > MOST_NAMED:
        rank = np.argsort(np.argsort(-blame, axis=1, kind="stable"), axis=1, kind="stable")
        named &= rank < MOST_NAMED
    return np.asarray(named, dtype=np.bool_)
