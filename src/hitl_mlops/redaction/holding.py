"""Which rows of a frame hold personal data: what a policy may derive an attribute from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hitl_mlops.redaction.finding import Finder

if TYPE_CHECKING:
    import numpy.typing as npt

FIND_PII = "find_pii"
"""The function that is there in every project, unless the project brings one of that name."""


def holds_some(rows: pd.DataFrame, finder: Finder) -> npt.NDArray[np.bool_]:
    """Whether some value of the row holds personal data, shape (n,); a value that is missing holds none.

    Each value is looked at once, however often it stands in its column, with the column's name as context.
    A number that is whole is read as its digits, any other number holds nothing.
    """
    found = np.zeros(len(rows), dtype=bool)
    for name in rows.columns:
        codes, distinct = pd.factorize(rows[name])
        holds = [bool(finder.find(text, str(name))) for text in map(_as_text, distinct)]
        found |= np.array([*holds, False])[codes]  # code -1, a missing value, reads the False at the end
    return found


def _as_text(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else ""
    return str(value)
