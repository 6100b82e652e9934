"""What a model takes to answer, measured on this machine."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import pandas as pd

from hitl_mlops.decisions.model import EstimatorModel, Model
from hitl_mlops.gates.evidence import Footprint

MOST_ALONE, MOST_IN_BATCH, LONGEST_S = 50, 1_000, 2.0


def measure_footprint(
    model: Model, inputs: pd.DataFrame, *, clock: Callable[[], float] = perf_counter
) -> Footprint | None:
    """Up to 50 cases asked one by one, for 2 s at the most, and up to 1,000 at once; None without cases.

    The first answer is not timed: it loads what the others find loaded.

    Args:
        model: the one asked.
        inputs: cases that it can answer.
        clock: seconds, rising.
    """
    batch = inputs.iloc[:MOST_IN_BATCH]
    if batch.empty:
        return None
    model.probabilities(batch.iloc[:1])
    start = clock()
    model.probabilities(batch)
    whole, alone = clock() - start, []
    for place in range(min(len(batch), MOST_ALONE)):
        before = clock()
        model.probabilities(batch.iloc[place : place + 1])
        alone.append(clock() - before)
        if sum(alone) > LONGEST_S:
            break
    size = model.size_bytes if isinstance(model, EstimatorModel) else None
    return Footprint(
        rows=len(alone),
        alone_ms=round(1000 * float(np.quantile(alone, 0.95)), 4),
        batch_ms=round(1000 * whole / len(batch), 6),
        size_bytes=size,
    )
