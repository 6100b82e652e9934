"""Which decisions people are asked about to learn from, beyond those the policy sends them. Pure.

A share is drawn at random, with a known probability. The others are those that the model is in doubt about:
the margin between its two likeliest classes is small (Scheffer, Decomain & Wrobel 2001, *Active hidden Markov
models for information extraction*; Settles 2009, *Active learning literature survey*, section 3.1). Never
entropy: over many classes it weighs the unlikely ones, which one label settles nothing about. A batch of the
least margins alone asks the same question many times, so a longer list is put into as many clusters as
questions are left, weighted by doubt, and one of each is asked (Zhdanov 2019, *Diverse mini-batch active
learning*, arXiv:1901.05954; as Citovsky et al. 2021, *Batch active learning at scale*, margin comes first and
diversity after).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError
from hitl_mlops.ids import keyed_digest, keyed_fraction
from hitl_mlops.routing.sampling import draws

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.intp]
Features: TypeAlias = Callable[[IntArray], Any]
"""Rows of the candidates → their features, dense or sparse, shape (len(rows), any); None: there are none."""

RANDOM_SHARE = 0.2
LONGER = 5
"""How many times as long as the batch the list is that clusters are sought in."""
MOST_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Candidates:
    """Decisions that nobody was asked about.

    Attributes:
        names: their ids, each once.
        margin: how far the likeliest class lies above the second, in [0, 1]; NaN where there is no answer.
        impact: how much each weighs, in [0, 1].
    """

    names: Sequence[str]
    margin: FloatArray
    impact: FloatArray

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.margin) == len(self.impact):
            raise InputError(
                f"{len(self.names)} candidates have {len(self.margin)} margins, {len(self.impact)} impacts.",
                remedy="Give one margin and one impact per candidate.",
            )
        if len(set(self.names)) != len(self.names):
            raise InputError("A candidate stands twice in the list.", remedy="Give every decision once.")

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Selection:
    """What people are to be asked.

    Attributes:
        at_random: rows of the candidates that were drawn.
        in_doubt: rows that were chosen by doubt, impact and diversity.
        pi: probability with which each candidate was to be drawn, in [0, 1].
        candidates: how many could have been.
    """

    at_random: tuple[int, ...]
    in_doubt: tuple[int, ...]
    pi: float
    candidates: int

    @property
    def rows(self) -> tuple[int, ...]:
        """All of them, those drawn first."""
        return self.at_random + self.in_doubt


def margins_of(probabilities: npt.ArrayLike) -> FloatArray:
    """The likeliest class's probability less the second's, shape (n,); NaN where a row is not finite.

    Args:
        probabilities: one row per case, one column per class; with one column the second is 0.

    >>> margins_of([[0.5, 0.25, 0.25], [float("nan"), 0.0, 1.0]]).tolist()
    [0.25, nan]
    """
    given = np.asarray(probabilities, dtype=np.float64)
    if given.size == 0:
        return np.full(len(given), np.nan)
    with_none = np.column_stack([given, np.zeros(len(given))]) if given.shape[1] == 1 else given
    highest = np.partition(with_none, -2, axis=1)[:, -2:]
    return np.where(np.isfinite(given).all(axis=1), highest[:, 1] - highest[:, 0], np.nan)


def select(
    candidates: Candidates,
    at_most: int,
    *,
    key: bytes,
    name: str,
    features: Features | None = None,
    random_share: float = RANDOM_SHARE,
) -> Selection:
    """At most so many candidates, none twice; the same for the same key and name, in whatever order.

    Args:
        candidates: those with NaN as margin are passed over: without an answer they go to people anyway.
        at_most: how many; 0 or less chooses none, and as many as there are chooses all.
        key: who has it repeats the choice; nobody else can foresee the draw.
        name: of this choice; another name draws anew.
        features: by which cases are told apart; None: by doubt and impact alone.
        random_share: of the batch, in [0, 1]; a broken number is rounded by a draw, so that it holds on the
            average in small batches too.

    The draw is without replacement, each candidate alike, and comes first: so the drawn are a sample of all
    candidates, each with probability random_share * batch / candidates, whatever the others are. Ties of
    doubt fall by a second draw. Where fewer lie in clusters of their own than there are questions, the most
    doubtful of the list fill up.

    Raises:
        InputError: the share is outside [0, 1].

    >>> four = Candidates(["a", "b", "c", "d"], np.array([0.9, 0.1, 0.5, np.nan]), np.ones(4))
    >>> select(four, 1, key=b"k", name="1", random_share=0.0).rows
    (1,)
    >>> drawn = select(four, 2, key=b"k", name="1", random_share=1.0)
    >>> len(drawn.at_random), round(drawn.pi, 3), drawn.candidates
    (2, 0.667, 3)
    """
    if not 0 <= random_share <= 1:
        raise InputError(
            f"A share of {random_share:g} cannot be drawn.", remedy="Set review.random_share from 0 to 1."
        )
    known = np.flatnonzero(np.isfinite(candidates.margin))
    batch = min(max(at_most, 0), len(known))
    if batch == 0:
        return Selection((), (), 0.0, len(known))
    names = [candidates.names[row] for row in known.tolist()]
    first, second = (draws(keyed_digest(key, "selection", what, name), names) for what in ("draw", "ties"))
    wanted = round(random_share * batch, 9)
    at_random = int(wanted + keyed_fraction(key, "selection", "rounding", name))
    drawn, others = np.split(known[np.argsort(first, kind="stable")], [at_random])
    ranked = others[np.lexsort((second[np.searchsorted(known, others)], -_weights(candidates, others)))]
    seed = int.from_bytes(keyed_digest(key, "selection", "clusters", name)[:4], "big")
    chosen = _spread(candidates, ranked, batch - len(drawn), features, seed=seed)
    return Selection(tuple(drawn.tolist()), tuple(chosen.tolist()), wanted / len(known), len(known))


def _spread(
    candidates: Candidates, ranked: IntArray, count: int, features: Features | None, *, seed: int
) -> IntArray:
    """So many of the first of `ranked`, of each cluster the one in its middle, in their order."""
    longer = ranked[: LONGER * count]
    shown = features(longer) if features is not None and len(longer) > count > 1 else None
    if shown is None:
        return ranked[:count]
    middles = _middles(shown, count, np.maximum(_weights(candidates, longer), 1e-9), seed)
    rest = np.setdiff1d(np.arange(len(longer)), middles)
    taken = np.sort(np.concatenate([middles, rest[: count - len(middles)]]))
    return np.asarray(longer[taken], dtype=np.intp)


def _weights(candidates: Candidates, rows: IntArray) -> FloatArray:
    """Doubt times impact; a case whose impact is not known weighs as much as any can."""
    impact = np.nan_to_num(candidates.impact[rows], nan=1.0)
    return np.asarray((1 - candidates.margin[rows]) * impact, dtype=np.float64)


def _middles(features: Any, count: int, weights: FloatArray, seed: int) -> IntArray:
    """Of each cluster of weighted k-means the row next to its centre; fewer where rows repeat."""
    from sklearn.cluster import KMeans

    means = KMeans(count, init="random", n_init=1, max_iter=MOST_ROUNDS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rows that repeat: what is missing is filled up
        apart = means.fit_transform(features, sample_weight=weights)[np.arange(len(weights)), means.labels_]
    by_cluster = np.lexsort((apart, means.labels_))
    return np.asarray(by_cluster[np.unique(means.labels_[by_cluster], return_index=True)[1]], dtype=np.intp)
