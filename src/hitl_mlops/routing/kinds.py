"""Every kind of case that a policy's conditions can tell apart, one row each.

Conditions compare with constants only, so between two constants every value is alike: what holds for one
row of every kind holds for all cases. Attributes are taken to vary freely of each other, so a kind may stand
here that never comes (a margin above its confidence); none that comes is left out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.routing.attributes import DISAGREEMENT
from hitl_mlops.routing.conditions import AnyOf, Condition, Every, Not, OneOf, Within, spell
from hitl_mlops.routing.policy import IMPACT, RISK, Policy
from hitl_mlops.routing.route import consequences_of

MOST_KINDS = 100_000
"""With more kinds than this, what is asked cannot be decided."""
ANSWERED = ("confidence", "margin")
"""What is a number in [0, 1] wherever the model gave a usable answer."""
_DIGITS = 17
"""Enough to write any float down exactly."""


def kinds_of_cases(policy: Policy, conditions: Iterable[Condition]) -> pd.DataFrame | None:
    """One row for every kind of case that the conditions tell apart; None where they are too many.

    Columns are the attributes that the conditions read, and `consequence` as the policy gives it where one
    reads that. Missing values, texts where numbers are asked for, confidences outside [0, 1] are kinds too.
    Attributes that the policy computes vary as freely as those of the data.
    """
    scores = _scores(policy)
    leaves = _leaves_of(policy, conditions)
    derived = any(leaf.attribute == "consequence" for leaf in leaves)
    names = sorted({leaf.attribute for leaf in leaves} - {"consequence"})
    values = [
        _values([leaf for leaf in leaves if leaf.attribute == name], is_score=name in scores)
        for name in names
    ]
    if math.prod(len(each) for each in values) > MOST_KINDS:
        return None
    rows = pd.DataFrame(list(itertools.product(*values)), columns=names, dtype=object)
    for name in scores:
        if name in rows.columns:
            rows[name] = rows[name].astype(np.float64)
    return rows.assign(consequence=consequences_of(policy, rows)) if derived else rows


def constants(policy: Policy, conditions: Iterable[Condition], attribute: str) -> list[float]:
    """The numbers, rising, at which what the conditions say of the attribute may change."""
    return _points([leaf for leaf in _leaves_of(policy, conditions) if leaf.attribute == attribute])


def usable(policy: Policy, rows: pd.DataFrame) -> pd.Series[bool]:
    """Rows in which the model gave an answer, and every score that stands there is in [0, 1].

    The other scores may be missing: not every model is an ensemble.
    """
    fits = pd.Series(True, index=rows.index)  # noqa: FBT003 - the value of every row
    for name in _scores(policy):
        if name in rows.columns:
            fits &= rows[name].between(0, 1) | (rows[name].isna() & (name not in ANSWERED))
    return fits


def _scores(policy: Policy) -> tuple[str, ...]:
    """What is a number or missing, whatever the data; the others may hold anything."""
    return (*ANSWERED, DISAGREEMENT, *(name for name in (RISK, IMPACT) if name in policy.computed))


def _leaves_of(policy: Policy, conditions: Iterable[Condition]) -> list[Any]:
    """Every comparison, with those that make the consequence where one reads that."""
    leaves = [leaf for condition in conditions for leaf in _leaves(condition)]
    if any(leaf.attribute == "consequence" for leaf in leaves):
        clauses = [clause.when for clause in policy.consequences if clause.when is not None]
        leaves += [leaf for when in clauses for leaf in _leaves(when)]
    return leaves


def _leaves(condition: Condition) -> Iterator[Any]:
    match condition:
        case Every(parts) | AnyOf(parts):
            for part in parts:
                yield from _leaves(part)
        case Not(inner):
            yield from _leaves(inner)
        case _:
            yield condition


def _values(leaves: list[Any], *, is_score: bool) -> list[Any]:
    """One value of every kind: missing, each constant as number and as text, and what lies between."""
    listed, points = _listed(leaves), _points(leaves)
    if is_score:
        return [math.nan, *_between([-math.inf, *sorted({0.0, *points, 1.0}), math.inf])]
    numbers = list(_between([-math.inf, *points, math.inf])) if points else []
    flags = [flag for flag in (True, False) if spell(flag) in listed]
    spellings = [_other_spelling(point, listed) for point in points if math.isfinite(point)]
    return [None, *sorted(listed), _unlisted(listed), *flags, *numbers, *spellings]


def _listed(leaves: list[Any]) -> set[str]:
    named = [leaf for leaf in leaves if isinstance(leaf, OneOf)]
    return {spell(value) for one in named for value in one.values}  # noqa: PD011 - a tuple of ours


def _points(leaves: list[Any]) -> list[float]:
    bounds = {bound for leaf in leaves if isinstance(leaf, Within) for bound in (leaf.low, leaf.high)}
    numbers = bounds | {_number(text) for text in _listed(leaves)}
    return sorted(number for number in numbers if not math.isnan(number))


def _between(points: list[float]) -> Iterator[float]:
    """Every point, and one number between each two neighbours where there is any."""
    for low, high in itertools.pairwise(dict.fromkeys(points)):
        yield low
        middle = _middle(low, high)
        if low < middle < high:
            yield middle
    yield points[-1]


def _middle(low: float, high: float) -> float:
    if math.isinf(low) and math.isinf(high):
        return 0.0
    if math.isinf(low):
        return max(high - max(1.0, abs(high)), -1.7e308)
    if math.isinf(high):
        return min(low + max(1.0, abs(low)), 1.7e308)
    middle = low / 2 + high / 2
    return middle if low < middle < high else math.nextafter(low, high)


def _number(text: str) -> float:
    """What a text is worth where a number is asked for; NaN where it is none."""
    return float(pd.to_numeric(pd.Series([text], dtype=object), errors="coerce").iloc[0])


def _unlisted(listed: set[str]) -> str:
    text = "something else"
    while text in listed:
        text += " again"
    return text


def _other_spelling(number: float, listed: set[str]) -> str:
    """The number as a text that no condition names, as a data file may write it."""
    digits = _DIGITS
    while (text := f"{number:+.{digits}e}") in listed:
        digits += 1
    return text
