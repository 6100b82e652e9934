"""Which rows of a dataset version a recipe learns from: the reviewed ones, and a window of the base data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.errors import InputError

BASE = "base"


def reviewed_rows(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Rows whose label people gave, a mask of shape (n,); without a column `source`, none."""
    if "source" not in rows.columns:
        return np.zeros(len(rows), dtype=np.bool_)
    return np.asarray(rows["source"].to_numpy() != BASE, dtype=np.bool_)


def replayed(rows: pd.DataFrame, window: int | None) -> npt.NDArray[np.bool_]:
    """Rows to learn from: every reviewed one, and of the base rows the latest `window`; shape (n,).

    The latest by `at`, of equal times the later row; without a column `at`, by place. Weights are one: what
    was reviewed is chosen by doubt, and 1/π belongs in evaluation (docs/why/retraining.md).

    Args:
        rows: of a dataset version, with `source`.
        window: how many base rows are replayed; None: all; 0: only what was reviewed is learned.

    Raises:
        InputError: the window is negative.

    >>> frame = pd.DataFrame({"source": ["base", "base", "override"], "at": [2, 1, 3]})
    >>> replayed(frame, 1).tolist(), replayed(frame, 0).tolist()
    ([True, False, True], [False, False, True])
    """
    if window is None:
        return np.ones(len(rows), dtype=np.bool_)
    if window < 0:
        raise InputError(f"A replay of {window} rows cannot be.", remedy="Give model.replay as 0 or more.")
    kept = reviewed_rows(rows)
    base = np.flatnonzero(~kept)
    if "at" in rows.columns:
        base = base[np.argsort(rows["at"].to_numpy()[base], kind="stable")]
    kept[base[len(base) - min(window, len(base)) :]] = True
    return kept
