"""A user's own table of cases with the route that each is to take, held against a policy. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.documents import did_you_mean
from hitl_mlops.errors import InputError
from hitl_mlops.routing.conditions import spell
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.route import Check, route

EXPECTED, MODEL = "expected", "model"
"""Columns of the route that a case is to take, and of the version that answers it."""
SCORES = ("confidence", "margin", "disagreement")
"""Columns that hold a number or nothing."""


@dataclass(frozen=True, slots=True)
class CaseRouted:
    """One case of the table.

    Attributes:
        row: place in the table, from 1; the line with the names is none.
        expected: the route that the table says.
        got: the route that the policy says.
        reasons: all that fired, strictest first.
        said: column → value, of what the policy reads.
    """

    row: int
    expected: str
    got: str
    reasons: tuple[str, ...]
    said: Mapping[str, Any]

    @property
    def as_expected(self) -> bool:
        """Table and policy agree."""
        return self.expected == self.got


def route_table(
    policy: Policy, table: pd.DataFrame, *, checks: Mapping[str, Check] | None = None
) -> tuple[CaseRouted, ...]:
    """Every case of the table, routed as a decision is, in the table's order.

    Args:
        policy: the policy.
        table: one row per case: `expected`, `confidence` (empty: the model gave no usable answer), and what
            the policy reads; a computed attribute that is a column is taken as it stands, and `model` is
            the version where `actions` name some. Other columns are left alone.
        checks: the user's functions by name.

    Raises:
        InputError: a column is not there, a confidence or margin is no number, or a row expects no route
            of the policy.
    """
    given = [name for name in policy.computed if name in table.columns]
    by_model = any(one.model for one in policy.actions or ())
    read = [name for name in SCORES if name in policy.reads] + ["label"] * _reads_label(policy)
    columns = [*dict.fromkeys(["confidence", *policy.attributes_beside(given), *read, *given])]
    _demand(table, [EXPECTED, *columns, *([MODEL] if by_model else [])])
    said = table[columns].reset_index(drop=True)
    for name in SCORES:
        if name in columns:
            said[name] = _numbers(said[name], name)
    expected = [_expected(policy, row, value) for row, value in enumerate(table[EXPECTED].tolist(), start=1)]
    versions = [spell(version) for version in table[MODEL].tolist()] if by_model else ()
    routes = route(policy, said, checks=checks, versions=versions, given=given)
    return tuple(
        CaseRouted(row + 1, expected[row], str(routes.route[row]), routes.reasons[row], _plain(said, row))
        for row in range(len(said))
    )


def _reads_label(policy: Policy) -> bool:
    """Something in the policy goes by what the model said."""
    bound = (policy.outputs.prohibited, policy.actions is not None, policy.costs is not None)
    return "label" in policy.reads or any(bound)


def _demand(table: pd.DataFrame, columns: list[str]) -> None:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(
            f"The table of cases has no column {', '.join(missing)}.",
            remedy=f"Give it the columns {', '.join(columns)}.",
            missing=missing,
        )


def _numbers(column: pd.Series[Any], name: str) -> pd.Series[float]:
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = np.flatnonzero(numbers.isna() & column.notna())
    if wrong.size:
        raise InputError(
            f"Row {wrong[0] + 1} of the table of cases has {column.iloc[wrong[0]]!r} for {name}.",
            remedy="Write a number such as 0.93, or leave the field empty: no usable answer.",
        )
    return numbers


def _expected(policy: Policy, row: int, value: Any) -> str:
    names = [plan.name for plan in policy.routes]
    if value not in names:
        told = "expects no route" if pd.isna(value) else f"expects {value!r}, which is no route of the policy"
        raise InputError(
            f"Row {row} of the table of cases {told}.",
            remedy=did_you_mean("" if pd.isna(value) else str(value), names),
        )
    return str(value)


def _plain(said: pd.DataFrame, row: int) -> dict[str, Any]:
    cells = {str(name): said[name].iloc[row] for name in said.columns}
    return {name: None if pd.isna(cell) else cell for name, cell in cells.items()}
