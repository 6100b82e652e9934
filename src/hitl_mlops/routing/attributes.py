"""Attributes that a policy makes of others before it judges: by the user's functions, and by weighing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.bounds import Factor
from hitl_mlops.routing.conditions import Mask, attributes_of, column_of, judge, numbers_of
from hitl_mlops.routing.policy import IMPACT, RISK, Policy
from hitl_mlops.routing.signals import Signal
from hitl_mlops.routing.user_functions import Check, ask_function

DISAGREEMENT = "disagreement"


def with_computed(
    policy: Policy, columns: pd.DataFrame, functions: Mapping[str, Check], given: Collection[str] = ()
) -> tuple[pd.DataFrame, list[Signal]]:
    """The columns with every attribute that the policy computes, and what is to be said of making them.

    What a function leaves without a value is a missing value. A score outside [0, 1] is missing. A row for
    which a function raises, is not there or gives no answer goes to people.

    Args:
        policy: the policy.
        columns: one row per case.
        functions: the user's functions by name.
        given: computed attributes that the columns hold already.

    Raises:
        ConfigurationError: a function or a factor reads what is no column.
    """
    signals: list[Signal] = []
    if DISAGREEMENT in policy.reads and DISAGREEMENT not in columns.columns:
        columns = columns.assign(**{DISAGREEMENT: np.nan})
    for name in policy.computed:
        if name in given:
            made = _as_score(columns[name]) if name in (RISK, IMPACT) else columns[name]
        elif name == IMPACT and policy.impact is not None and policy.impact.model is None:
            made, told = _weighed(policy.impact.factors, columns)
            signals += told
        else:
            made, failed = _asked(policy, name, columns, functions)
            signals += failed
        columns = columns.assign(**{name: made})
    return columns, signals


def unscored(policy: Policy, columns: pd.DataFrame) -> Mask:
    """Rows to which the risk model gave no usable score; none where there is no model."""
    if policy.risk_model is None or RISK not in columns.columns:
        return np.zeros(len(columns), dtype=bool)
    return np.isnan(_as_score(columns[RISK]))


def _asked(
    policy: Policy, name: str, columns: pd.DataFrame, functions: Mapping[str, Check]
) -> tuple[Any, list[Signal]]:
    """The values of an attribute that a function makes, and that rows on which it fails go to people."""
    made_by = {**policy.derive, RISK: policy.risk_model, IMPACT: policy.impact and policy.impact.model}
    function, closed = str(made_by[name]), policy.closed_route
    said = ask_function(policy, function, columns, functions)
    failed = [
        Signal(policy.level(closed), f"{name} is unknown: function {function} {why} → {closed}", rows)
        for why, rows in said.failures.items()
    ]
    plain = pd.Series([_scalar(one) for one in said.answers.tolist()], dtype=object, index=columns.index)
    return (_as_score(plain) if name in (RISK, IMPACT) else plain.infer_objects()), failed


def _scalar(value: Any) -> Any:
    """A value that conditions can compare; None where it is none."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, (str, bool, int, float)) and value == value else None  # noqa: PLR0124 - NaN


def _as_score(values: pd.Series[Any]) -> npt.NDArray[np.float64]:
    numbers = numbers_of(values)
    return np.where((numbers >= 0) & (numbers <= 1), numbers, np.nan)


def _weighed(
    factors: tuple[Factor, ...], columns: pd.DataFrame
) -> tuple[npt.NDArray[np.float64], list[Signal]]:
    """The weighted mean of the factors, and for each what it adds to which rows.

    An additive value function (Keeney and Raiffa, Decisions with Multiple Objectives, 1976, chapter 3). A
    factor that cannot be told counts in full.
    """
    total, told = sum(factor.weight for factor in factors), []
    score = np.zeros(len(columns))
    for factor in factors:
        share = factor.weight / total
        value, doubt, reads = _value(factor, columns)
        score += factor.weight * value
        reason = f"impact: {factor.name}, {'' if factor.when is not None else 'up to '}+{share:.2f}"
        told.append(Signal(0, reason, (value > 0) & ~doubt))
        told.append(Signal(0, f"{reason} (in doubt: no value for {reads})", doubt))
    return np.clip(score / total, 0.0, 1.0), told  # of all factors in full it is 1, to the last bit


def _value(factor: Factor, columns: pd.DataFrame) -> tuple[npt.NDArray[np.float64], Mask, str]:
    """What the factor is worth in each row, in [0, 1]; where that is in doubt; and what it reads."""
    if factor.when is not None:
        sure, maybe = judge(factor.when, columns)
        return maybe.astype(np.float64), maybe & ~sure, ", ".join(sorted(attributes_of(factor.when)))
    numbers = numbers_of(column_of(columns, factor.of))
    value = np.clip((numbers - factor.start) / (factor.end - factor.start), 0.0, 1.0)
    doubt = np.isnan(value)
    return np.where(doubt, 1.0, value), doubt, factor.of
