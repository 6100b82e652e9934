"""The id of a case that brings none: made from its inputs, the same at the door and in the base data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from hitl_mlops.decisions.cells import EXACT_UP_TO
from hitl_mlops.ids import content_id


def made_ids(rows: Iterable[Mapping[str, Any] | None], seen: Counter[str] | None = None) -> list[str]:
    """An id for each row of inputs, in order; "" for None.

    Equal content has an equal id, however a file or NumPy holds it: 8 and 8.0 are one number, blank text and
    NaN are no value; 1, true and "1" are three things. A repeat is numbered, so that a table
    always gives the same ids; `seen` counts them on from one piece of a table to the next.

    >>> one, two, again = made_ids([{"x": 8.0, "y": " "}, {"x": "8", "y": None}, {"x": 8, "y": None}])
    >>> (one == two, again == one + "_2")
    (False, True)
    """
    seen = Counter() if seen is None else seen
    ids: list[str] = []
    for row in rows:
        if row is None:
            ids.append("")
            continue
        name = content_id("case", {key: _same(value) for key, value in row.items()})
        seen[name] += 1
        ids.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return ids


def _same(value: Any) -> Any:
    """One spelling for what is the same value."""
    if hasattr(value, "item"):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or isinstance(value, (bool, int)):
        return value if isinstance(value, (bool, int)) else None
    if isinstance(value, (float, Decimal)):
        number = float(value)
        whole = math.isfinite(number) and number.is_integer() and abs(number) <= EXACT_UP_TO
        if whole:
            return int(number)
        return number if math.isfinite(number) else None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    text = str(value)
    return text if text.strip() else None
