"""Which inputs are like one that a reviewer flagged. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.conditions import Mask, spell

REVIEW_TAGS = ("policy_violation",)
"""Reason codes by which a reviewer can have similar inputs frozen."""
_BUCKETS = 2**18
_GRAM_LENGTHS = (3, 5)


@dataclass(frozen=True, slots=True)
class LikenessRule:
    """When an input is like another.

    Attributes:
        tag: the reason code that flags a case; empty: none does.
        distance: how far its numbers may lie from the flagged ones: root mean square, in standard deviations.
        text: how alike its texts must be at least: cosine of their character n-grams, in [0, 1].
    """

    tag: str = ""
    distance: float = 0.25
    text: float = 0.8


@dataclass(frozen=True, slots=True)
class Yardstick:
    """How the input columns are compared; those in neither are alike where they are equal.

    Attributes:
        spread: column of numbers → its standard deviation, above 0.
        texts: columns of written text.
    """

    spread: Mapping[str, float] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()


def alike(
    example: Mapping[str, Any] | None, inputs: pd.DataFrame, yardstick: Yardstick, rule: LikenessRule
) -> Mask:
    """Which rows are like the example; shape (len(inputs),).

    All of it must fit: the numbers together lie within `rule.distance`, each text reaches `rule.text`, and
    every other value is equal. Closes when in doubt: a value that is missing on one side fits, and an example
    that cannot be read, or has a column that the inputs lack, is like every row. The same input always fits.

    >>> rows = pd.DataFrame({"x": [1.0, 1.2, 9.0]})
    >>> alike({"x": 1.0}, rows, Yardstick({"x": 1.0}), LikenessRule()).tolist()
    [True, True, False]
    """
    if example is None or not set(example) <= set(inputs.columns):
        return np.ones(len(inputs), dtype=bool)
    numbers = [name for name in example if name in yardstick.spread]
    fits = _near(example, inputs, numbers, yardstick, rule.distance)
    for name in example:
        if name in yardstick.texts:
            fits &= _reads_like(example[name], inputs[name], rule.text)
        elif name not in yardstick.spread:
            fits &= _equal(example[name], inputs[name])
    return fits


def _near(
    example: Mapping[str, Any],
    inputs: pd.DataFrame,
    names: list[str],
    yardstick: Yardstick,
    most: float,
) -> Mask:
    if not names or inputs.empty:
        return np.ones(len(inputs), dtype=bool)
    rows = np.column_stack([_numbers(inputs[name]) for name in names])
    there = _numbers(pd.Series([example[name] for name in names], dtype=object))
    spread = np.array([yardstick.spread[name] for name in names])
    apart = np.nan_to_num((rows - there) / spread, nan=0.0)  # missing on a side: in doubt, near
    return np.asarray(np.sqrt(np.square(apart).mean(axis=1)) <= most, dtype=bool)


def _numbers(column: pd.Series) -> npt.NDArray[np.float64]:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _reads_like(example: Any, column: pd.Series, least: float) -> Mask:
    missing = np.asarray(column.isna(), dtype=bool)
    if example is None or len(column) == 0:
        return np.ones(len(column), dtype=bool)
    from sklearn.feature_extraction.text import HashingVectorizer

    grams = HashingVectorizer(
        analyzer="char_wb", ngram_range=_GRAM_LENGTHS, n_features=_BUCKETS, alternate_sign=False
    )
    texts = ["" if gone else str(text) for text, gone in zip(column, missing, strict=True)]
    cosines = (grams.transform(texts) @ grams.transform([str(example)]).T).toarray().ravel()
    same = np.array([text == str(example) for text in texts], dtype=bool)
    return np.asarray((cosines >= least) | same | missing, dtype=bool)


def _equal(example: Any, column: pd.Series) -> Mask:
    wanted = _spelled(example)
    return np.array([wanted is None or _spelled(one) in (None, wanted) for one in column], dtype=bool)


def _spelled(value: Any) -> str | None:
    gone = value is None or (isinstance(value, float) and bool(np.isnan(value)))
    return None if gone else spell(value)
