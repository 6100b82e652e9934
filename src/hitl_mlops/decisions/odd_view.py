"""One way to look at rows, which tells how far each lies from the base data."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class View(ABC):
    """One way to look at rows."""

    __slots__ = ()

    @property
    @abstractmethod
    def faults(self) -> tuple[str, ...]:
        """What may be odd, as sentences that name columns and never values."""

    @abstractmethod
    def far(self, inputs: pd.DataFrame) -> FloatArray:
        """How far each row lies from what was learned; 0 or more, shape (n,)."""

    @abstractmethod
    def blame(self, inputs: pd.DataFrame) -> FloatArray:
        """How much of that is each fault's; 0 or more, shape (n, faults)."""

    def beyond(self, inputs: pd.DataFrame, bound: float) -> BoolArray:
        """Rows that do not lie within the bound, with those whose distance is no number; shape (n,)."""
        return np.asarray(~(self.far(inputs) <= bound), dtype=np.bool_)
