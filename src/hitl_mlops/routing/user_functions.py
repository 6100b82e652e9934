"""Asking a function of the user's, so that whatever it does is an answer for each row or plainly none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.conditions import column_of
from hitl_mlops.routing.policy import Policy

Check: TypeAlias = Callable[[pd.DataFrame], Any]
"""A user's function: frame of columns → one value for each row. Of a check: true (passed) or false."""

SAID = ("label", "confidence", "margin", "disagreement")
"""What every function is shown beside the columns that it reads."""


def ask_function(
    policy: Policy, name: str, columns: pd.DataFrame, functions: Mapping[str, Check]
) -> tuple[npt.NDArray[np.object_] | None, str]:
    """One answer for each row; or None with what went wrong, such as `raised KeyError`.

    The function gets a frame of its own: the columns that the policy names for it, and what the model said;
    all columns where the policy names none. On no rows it is not called.

    Raises:
        ConfigurationError: a column that the policy names for it is not there.
    """
    function = functions.get(name)
    if function is None:
        return None, "is not there"
    shown = _shown(policy, name, columns)
    if not len(columns):
        return np.empty(0, dtype=object), ""
    try:
        answers = np.asarray(function(shown), dtype=object)
    except Exception as error:  # noqa: BLE001 - a user's function may raise anything, and doubt means people
        return None, f"raised {type(error).__name__}"
    if answers.shape != (len(columns),):
        return None, "gave no answer for each row"
    return answers, ""


def _shown(policy: Policy, name: str, columns: pd.DataFrame) -> pd.DataFrame:
    if name not in policy.functions:
        return columns.copy()
    reads = policy.functions[name]
    said = [each for each in SAID if each in columns.columns and each not in reads]
    return pd.DataFrame({each: column_of(columns, each) for each in (*reads, *said)})
