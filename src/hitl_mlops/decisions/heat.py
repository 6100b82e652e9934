"""What spoke for an answer, laid over a picture. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.explanation import Part, strongest

CELLS = 8
"""Most cells on a side of what is laid over a picture."""


@dataclass(frozen=True, slots=True)
class Heat:
    """The weight of each cell of a picture. Shape of `cells`: (rows, columns), from above."""

    cells: npt.NDArray[np.float64]

    @property
    def shown(self) -> tuple[tuple[float, ...], ...]:
        """In parts of the strongest, in [-1, 1], to two places; empty where all weigh nothing."""
        most = float(np.abs(self.cells).max(initial=0.0))
        if not most > 0:
            return ()
        return tuple(tuple(row) for row in (self.cells / most).round(2).tolist())


def cell_of(pixels: int) -> npt.NDArray[np.intp]:
    """The cell that each pixel of a square picture lies in, row by row; shape (pixels,).

    Cells are numbered row by row; there are at most eight on a side.

    Raises:
        ValueError: so many pixels are no square.
    """
    side = math.isqrt(pixels)
    if side * side != pixels or not side:
        raise ValueError(f"{pixels} pixels are no square")
    on_side = min(side, CELLS)
    along = np.arange(side) * on_side // side
    return np.asarray((along[:, np.newaxis] * on_side + along).ravel())


def heat_of(weights: Sequence[float] | npt.NDArray[np.float64]) -> Heat:
    """The weights of the pixels of a square picture, added up in cells."""
    cells = np.bincount(cell_of(len(weights)), weights=np.asarray(weights, dtype=np.float64))
    return Heat(np.asarray(cells, dtype=np.float64).reshape(math.isqrt(len(cells)), -1))


def regions_of(heat: Heat) -> tuple[Part, ...]:
    """The strongest cells, named by their place counted from 1."""
    return strongest(
        [
            Part(f"row {row + 1}, column {column + 1}", "", float(weight))
            for (row, column), weight in np.ndenumerate(heat.cells)
        ]
    )
