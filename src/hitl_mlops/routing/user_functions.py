"""Asking a function of the user's, so that whatever it does is an answer for each row or plainly none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.conditions import Mask, column_of
from hitl_mlops.routing.policy import Policy

Check: TypeAlias = Callable[[pd.DataFrame], Any]
"""A user's function: frame of columns → one value for each row. Of a check: true (passed) or false."""

SAID = ("label", "confidence", "margin", "disagreement")
"""What every function is shown beside the columns that it reads."""


MOST_CALLS = 64
"""How often a function that fails is asked again in halves before the rest of the rows has no answer."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a function said of each row.

    Attributes:
        answers: shape (n,); None where there is none.
        failures: what went wrong, such as `raised KeyError` → with which rows, shape (n,).
    """

    answers: npt.NDArray[np.object_]
    failures: Mapping[str, Mask]

    @property
    def failed(self) -> Mask:
        """Rows without an answer."""
        failed = np.zeros(len(self.answers), dtype=bool)
        for rows in self.failures.values():
            failed |= rows
        return failed


def ask_function(policy: Policy, name: str, columns: pd.DataFrame, functions: Mapping[str, Check]) -> Said:
    """One answer for each row, or what went wrong with it.

    The function gets a frame of its own: the columns that the policy names for it, and what the model said;
    all columns where the policy names none. One that raises, or gives another number of answers than there
    are rows, is asked again in halves, so that one bad row does not take the others with it; after 64 calls
    the rest has no answer. On no rows it is not called.

    Raises:
        ConfigurationError: a column that the policy names for it is not there.
    """
    said = Said(np.full(len(columns), None, dtype=object), {})
    function = functions.get(name)
    if function is None:
        return replace(said, failures={"is not there": np.ones(len(columns), dtype=bool)})
    failures: dict[str, Mask] = {}
    shown, waiting, calls = _shown(policy, name, columns), [(0, len(columns))], 0
    while waiting and len(columns):
        start, stop = waiting.pop(0)
        calls += 1
        answers, why = _asked(function, shown.iloc[start:stop])
        if answers is not None:
            said.answers[start:stop] = answers
        elif stop - start > 1 and calls + len(waiting) + 2 <= MOST_CALLS:
            middle = (start + stop) // 2
            waiting += [(start, middle), (middle, stop)]
        else:
            failures.setdefault(why, np.zeros(len(columns), dtype=bool))[start:stop] = True
    return replace(said, failures=failures)


def _asked(function: Check, rows: pd.DataFrame) -> tuple[npt.NDArray[np.object_] | None, str]:
    try:
        answers = np.asarray(function(rows), dtype=object)
    except Exception as error:  # noqa: BLE001 - a user's function may raise anything, and doubt means people
        return None, f"raised {type(error).__name__}"
    fits = answers.shape == (len(rows),)
    return (answers, "") if fits else (None, "gave no answer for each row")


def _shown(policy: Policy, name: str, columns: pd.DataFrame) -> pd.DataFrame:
    if name not in policy.functions:
        return columns.copy()
    reads = policy.functions[name]
    said = [each for each in SAID if each in columns.columns and each not in reads]
    return pd.DataFrame({each: column_of(columns, each) for each in (*reads, *said)})
