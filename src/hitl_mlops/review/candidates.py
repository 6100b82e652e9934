"""The decisions that nobody was asked about, as a choice of questions reads them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import numpy as np

from hitl_mlops.decisions.block import NOBODY, Block
from hitl_mlops.review.selection import Candidates, FloatArray, margins_of


def unasked(blocks: Iterable[Block], version: str, asked: AbstractSet[str]) -> Candidates:
    """What that model version answered by itself and no person was asked about, in the blocks' order.

    Args:
        blocks: of the decision log; read one after the other.
        version: of the model; margins of another would not be comparable.
        asked: ids of decisions that a ticket asks about.
    """
    names: list[str] = []
    margin: list[FloatArray] = [np.empty(0)]
    impact: list[FloatArray] = [np.empty(0)]
    for block in blocks:
        for place, model in enumerate(block.header["models"]):
            if model["version"] != version:
                continue
            rows = block.rows
            free = (rows["model"] == place) & (rows["signatures"] == 0) & (rows["label"] != NOBODY)
            free[free] = [block.decision_ids[row] not in asked for row in np.flatnonzero(free)]
            names += [block.decision_ids[row] for row in np.flatnonzero(free)]
            margin.append(margins_of(rows["probabilities"][free][:, : len(model["classes"])]))
            impact.append(rows["impact"][free].astype(np.float64))
    return Candidates(names, np.concatenate(margin), np.concatenate(impact))
