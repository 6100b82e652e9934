"""Whether a column moved: a distance, held against what chance shows at this many rows.

The population stability index exceeds the usual .1 without any drift in most draws of 50 rows. So each
column's index is compared with its permutation null at the actual sizes, and columns are corrected together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.errors import InputError

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

PERMUTATIONS = 9_999
_CATEGORIES = 30
_FIRST_DRAWS = 499
_PLAINLY_CHANCE = 0.2


def psi(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Population stability index of two rows of counts over the same bins; 0 where the shares are equal.

    Half a count is added to every bin, so that an empty one gives a finite index (Jeffreys). One bin, or a
    side without counts: 0.

    >>> round(psi([50, 50], [80, 20]), 3)
    0.406
    >>> psi([10], [20])
    0.0
    """
    return float(_psi(np.atleast_2d(np.asarray(reference)), np.asarray(current))[0])


def permutation_p(
    reference: Sequence[int], current: Sequence[int], *, seed: int = 0, draws: int = PERMUTATIONS
) -> float:
    """Chance of an index as large when rows are dealt to the two sides at random; in (0, 1].

    The permutation test of binned data, drawn from the multivariate hypergeometric distribution it follows
    (Phipson & Smyth 2010 for the + 1); the null is kept for equal sizes and counts. A chance above .2 is told
    after 499 draws, all others after `draws`: none of .2 or less is told oftener than it may be.

    >>> permutation_p([50, 50], [50, 50])
    1.0
    >>> permutation_p([50, 50], [90, 10]) < 0.001
    True
    """
    pooled = tuple(int(a + b) for a, b in zip(reference, current, strict=True))
    if sum(reference) == 0 or sum(current) == 0 or len(pooled) < 2:  # noqa: PLR2004 - one bin cannot move
        return 1.0
    found = psi(reference, current) - 1e-12
    for count in (min(_FIRST_DRAWS, draws), draws):
        null = _null(pooled, int(sum(current)), seed, count)
        p_value = float((1 + (null >= found).sum()) / (1 + null.size))
        if p_value > _PLAINLY_CHANCE:
            break
    return p_value


def binned(reference: pd.Series, current: pd.Series, *, bins: int = 10) -> tuple[IntArray, IntArray]:
    """Counts of both columns over common bins; a missing value is a bin of its own.

    Numbers: bins of about equal size over both sides together; equal values stay in one bin.
    Anything else, mixed types too: by text, the 30 most frequent and one for the others.
    All missing: one bin.

    >>> binned(pd.Series(["a", "a", None]), pd.Series(["b", "a"]))
    (array([2, 0, 1]), array([1, 1, 0]))
    """
    kinds = {reference.dtype, current.dtype}
    sides = (reference, current) if len(kinds) == 1 else (one.astype(object) for one in (reference, current))
    both = pd.concat(sides, ignore_index=True)
    missing = both.isna().to_numpy(dtype=np.bool_)
    codes = np.full(both.size, -1, dtype=np.int64)
    if numeric(both):
        values = both[~missing].to_numpy(dtype=np.float64)
        edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))
        codes[~missing] = np.searchsorted(edges, values, side="left")
    elif not missing.all():
        codes[~missing] = _text_codes(both[~missing])
    codes[missing] = codes.max(initial=-1) + 1
    _, codes = np.unique(codes, return_inverse=True)
    size = int(codes.max(initial=0)) + 1
    split = len(reference)
    return np.bincount(codes[:split], minlength=size), np.bincount(codes[split:], minlength=size)


def _text_codes(values: pd.Series) -> IntArray:
    """The place of each value's text among the most frequent ones, by name; all others share the last."""
    texts = values if pd.api.types.infer_dtype(values) == "string" else values.astype(str)
    codes, names = pd.factorize(np.asarray(texts, dtype=object))
    counts = np.bincount(codes)
    frequent = sorted(range(counts.size), key=lambda code: (-counts[code], names[code]))[:_CATEGORIES]
    places = np.full(counts.size, len(frequent), dtype=np.int64)
    places[sorted(frequent, key=lambda code: str(names[code]))] = np.arange(len(frequent))
    return np.asarray(places[codes], dtype=np.int64)


def numeric(column: pd.Series) -> bool:
    """Every value that is there is a number, truth values aside; False where all are missing.

    >>> numeric(pd.Series([1, None, 2.5])), numeric(pd.Series([1, "a"])), numeric(pd.Series([None]))
    (True, False, False)
    """
    there = column[~column.isna()]
    if there.dtype.kind in "iuf":
        return bool(len(there))
    return bool(len(there)) and all(
        issubclass(kind, (int, float, np.number)) and kind is not bool for kind in set(map(type, there))
    )


def benjamini_hochberg(p_values: npt.ArrayLike, *, q: float = 0.05) -> npt.NDArray[np.bool_]:
    """Which hypotheses fall when at most a share q of the fallen may be false ones.

    Benjamini & Hochberg (1995). It holds where the tests are independent, and where they depend positively
    (Benjamini & Yekutieli 2001, on each of the true ones); under any other dependence the share is at most
    q * (1 + 1/2 + … + 1/m). Where every hypothesis is true, it is the chance that any falls.
    Empty gives empty; NaN never falls and is not counted; ties fall together.

    >>> benjamini_hochberg([0.001, 0.02, 0.04, 0.9]).tolist()
    [True, True, False, False]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if np.any((values < 0) | (values > 1)):
        raise InputError("A p-value is outside [0, 1].", remedy="Give probabilities.")
    known = np.sort(values[~np.isnan(values)])
    below = np.flatnonzero(known <= q * np.arange(1, known.size + 1) / max(known.size, 1))
    limit = known[below[-1]] if below.size else -1.0
    return np.asarray(values <= limit)


@lru_cache(maxsize=512)
def _null(pooled: tuple[int, ...], size: int, seed: int, draws: int) -> FloatArray:
    counts = np.asarray(pooled, dtype=np.int64)
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(
        counts, size, size=draws, method="marginals"
    )
    return _psi(counts - drawn, drawn)


def _psi(reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]) -> FloatArray:
    if not reference.sum() or not current.sum():
        return np.zeros(reference.shape[0])
    left, right = reference + 0.5, current + 0.5
    left, right = left / left.sum(axis=-1, keepdims=True), right / right.sum(axis=-1, keepdims=True)
    return np.asarray(((left - right) * np.log(left / right)).sum(axis=-1))
