"""Something that demands at least a route, of some rows, for a reason; and what many of them add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.conditions import Condition, Mask, attributes_of

_AT_ONCE = 32
"""Signals that are packed into one number at a time; the other half of it is for those before."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A demand.

    Attributes:
        level: the least place among the policy's routes.
        reason: why, as the decision keeps it.
        rows: of which rows, shape (n,).
    """

    level: int
    reason: str
    rows: Mask


def doubtful(level: int, reason: str, rows: Mask, condition: Condition) -> Iterator[Signal]:
    """The demand on rows of which the condition cannot be told; none where there are no such rows."""
    if rows.any():
        missing = ", ".join(sorted(attributes_of(condition)))
        yield Signal(level, f"{reason} (in doubt: no value for {missing})", rows)


def strictest(signals: Sequence[Signal], count: int) -> npt.NDArray[np.int64]:
    """The highest level that anything demands of each row, 0 where nothing does."""
    levels = np.zeros(count, dtype=np.uint16)  # a policy file has no room for more routes
    for signal in signals:
        np.maximum(levels, signal.rows * np.uint16(signal.level), out=levels)
    return levels.astype(np.int64)


def reasons_of(signals: Sequence[Signal], count: int) -> npt.NDArray[np.object_]:
    """Tuples of reasons, strictest first, built once for each combination of signals that occurs."""
    ordered = sorted((each for each in signals if each.rows.any()), key=lambda each: -each.level)
    codes, kinds = np.zeros(count, dtype=np.int64), 1
    for start in range(0, len(ordered), _AT_ONCE):  # renumbered in between, so that any number fits
        packed = codes << _AT_ONCE
        for bit, signal in enumerate(ordered[start : start + _AT_ONCE]):
            packed |= signal.rows.astype(np.int64) << bit
        codes, found = pd.factorize(packed)
        kinds = len(found)
    first = np.zeros(kinds if count else 0, dtype=np.intp)
    first[codes[::-1]] = np.arange(count)[::-1]
    tuples = np.empty(len(first), dtype=object)
    for code, place in enumerate(first):
        tuples[code] = tuple(signal.reason for signal in ordered if signal.rows[place])
    return tuples[codes]
