"""Conditions on a case: data, not a language. Nothing a user writes is ever evaluated as code.

`attribute: test`, all must hold; a list of such maps means any. A test is a value, a list (any of),
`">= 10"`, `"0.75..0.92"` (from, up to but not including), `missing`, or `{not: test}`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.documents import Piece, did_you_mean
from hitl_mlops.errors import ConfigurationError

Mask: TypeAlias = npt.NDArray[np.bool_]
Scalar: TypeAlias = str | float | bool
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""How a number is written in a test, as a regular expression."""
_COMPARISON = re.compile(rf"(>=|<=|>|<)\s*({NUMBER})")
_RANGE = re.compile(rf"({NUMBER})\s*\.\.\s*({NUMBER})")


@dataclass(frozen=True, slots=True)
class OneOf:
    """The attribute equals one of the values, as a number or as text."""

    attribute: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """The attribute is a number in the interval."""

    attribute: str
    low: float = -math.inf
    high: float = math.inf
    low_included: bool = True
    high_included: bool = True


@dataclass(frozen=True, slots=True)
class Missing:
    """The attribute has no value."""

    attribute: str


@dataclass(frozen=True, slots=True)
class Not:
    """The inner condition can be judged and does not hold."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold; no parts: always."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds; no parts: never."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = OneOf | Within | Missing | Not | Every | AnyOf


def evaluate(condition: Condition, columns: pd.DataFrame, *, if_missing: bool = False) -> Mask:
    """Which rows satisfy the condition; shape (len(columns),).

    A comparison with a missing value, or of a text with a number, cannot be judged: it counts as
    `if_missing`, also under `not` (Kleene's three-valued logic, with the unknown taken one way at the
    end). So by default a missing value satisfies neither a comparison nor its negation.

    Raises:
        ConfigurationError: the condition reads an attribute that is no column.

    >>> evaluate(Within("amount", low=10), pd.DataFrame({"amount": [9, 10, None]})).tolist()
    [False, True, False]
    """
    return judge(condition, columns)[int(if_missing)]


def judge(condition: Condition, columns: pd.DataFrame) -> tuple[Mask, Mask]:
    """Which rows surely satisfy the condition, and which may: what cannot be judged is taken both ways.

    The first is `evaluate`, the second `evaluate` with `if_missing`. Raises as `evaluate` does.
    """
    match condition:
        case Every(parts):
            return _joined(np.logical_and, parts, columns, empty=True)
        case AnyOf(parts):
            return _joined(np.logical_or, parts, columns, empty=False)
        case Not(inner):
            sure, maybe = judge(inner, columns)
            return ~maybe, ~sure
        case Missing(attribute):
            gone = np.asarray(column_of(columns, attribute).isna(), dtype=bool)
            return gone, gone.copy()
        case Within():
            return _within(condition, columns)
        case OneOf(attribute, values):
            column = column_of(columns, attribute)
            sure = _equals_any(column, values)
            return sure, sure | column.isna().to_numpy(dtype=bool)


def attributes_of(condition: Condition) -> frozenset[str]:
    """The attributes that the condition reads."""
    match condition:
        case Every(parts) | AnyOf(parts):
            return frozenset().union(*(attributes_of(part) for part in parts))
        case Not(inner):
            return attributes_of(inner)
        case _:
            return frozenset({condition.attribute})


def parse_condition(piece: Piece) -> Condition:
    """The condition that a piece of a policy file says.

    Raises:
        ConfigurationError: a test that reads as none, an empty range; the fact names the line.
    """
    if isinstance(piece.value, list):
        return AnyOf(tuple(parse_condition(item) for item in piece.value))
    tests = piece.fields()
    if not tests:
        raise piece.wrong("the condition is empty, so it would always hold.", "Leave `when` out instead.")
    parts = tuple(parse_test(attribute, test) for attribute, test in tests.items())
    return parts[0] if len(parts) == 1 else Every(parts)


def parse_test(attribute: str, piece: Piece) -> Condition:
    """The condition that `attribute: test` says."""
    if isinstance(piece.value, dict):
        tests = piece.fields({"not"})
        if not tests:
            raise piece.wrong("there is no test.", "Write {not: …}, with a test inside.")
        return Not(parse_test(attribute, tests["not"]))
    if isinstance(piece.value, list):
        return _any_of(attribute, piece)
    if piece.value is None:
        raise piece.wrong("there is no test.", "Write a value, or `missing`.")
    if not isinstance(piece.value, str):
        return OneOf(attribute, (piece.value,))
    return _parse_text(attribute, piece, piece.value.strip())


def _parse_text(attribute: str, piece: Piece, text: str) -> Condition:
    if text == "missing":
        return Missing(attribute)
    if found := _RANGE.fullmatch(text):
        low, high = _bound(piece, found[1]), _bound(piece, found[2])
        if low >= high:
            raise piece.wrong(
                f"the range {piece.spelled()} is empty.", "Write the smaller number first: 0.75..0.92."
            )
        return Within(attribute, low=low, high=high, high_included=False)
    if found := _COMPARISON.fullmatch(text):
        bound, included = _bound(piece, found[2]), found[1].endswith("=")
        if found[1].startswith(">"):
            return Within(attribute, low=bound, low_included=included)
        return Within(attribute, high=bound, high_included=included)
    if text[:1] in "<>=!" or ".." in text:
        raise piece.wrong(
            f"{piece.spelled()} reads as no test.",
            "Write >= 10, < 10, 0.75..0.92, a value, missing, or {not: …}.",
        )
    return OneOf(attribute, (text,))


def _bound(piece: Piece, text: str) -> float:
    bound = float(text)
    if not math.isfinite(bound):
        raise piece.wrong("a bound is larger than any number that is compared.", "Write a smaller one.")
    return bound


def _any_of(attribute: str, piece: Piece) -> Condition:
    tests = [parse_test(attribute, item) for item in piece.items()]
    if not tests:
        raise piece.wrong("the list is empty, so it would never hold.", "Write at least one value.")
    return tests[0] if len(tests) == 1 else AnyOf(tuple(tests))


def _joined(
    join: np.ufunc, parts: Iterable[Condition], columns: pd.DataFrame, *, empty: bool
) -> tuple[Mask, Mask]:
    sure, maybe = np.full(len(columns), empty), np.full(len(columns), empty)
    for part in parts:
        one, other = judge(part, columns)
        join(sure, one, out=sure)
        join(maybe, other, out=maybe)
    return sure, maybe


def column_of(columns: pd.DataFrame, attribute: str) -> pd.Series:
    """The column of that attribute; raises ConfigurationError where there is none."""
    if attribute not in columns.columns:
        known = [str(name) for name in columns.columns]
        raise ConfigurationError(
            f"The policy reads {attribute!r}, which no case has.", remedy=did_you_mean(attribute, known)
        )
    return columns[attribute]


def _within(test: Within, columns: pd.DataFrame) -> tuple[Mask, Mask]:
    numbers = numbers_of(column_of(columns, test.attribute))
    above = numbers >= test.low if test.low_included else numbers > test.low
    below = numbers <= test.high if test.high_included else numbers < test.high
    sure = above & below
    return sure, sure | np.isnan(numbers)


def numbers_of(column: pd.Series) -> npt.NDArray[np.float64]:
    """The column as numbers; NaN where a value is missing or reads as none."""
    if not pd.api.types.is_numeric_dtype(column.dtype):
        column = pd.to_numeric(column, errors="coerce")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _equals_any(column: pd.Series, values: tuple[Scalar, ...]) -> Mask:
    spelled = {spell(value) for value in values}
    if pd.api.types.infer_dtype(column, skipna=True).startswith("mixed"):
        column = column.map(spell, na_action="ignore")  # to factorize, True and 1 are one value
    codes, distinct = pd.factorize(column)
    fits = np.array([spell(value) in spelled for value in distinct] + [False], dtype=bool)
    return fits[codes]  # code -1, a missing value, reads the False at the end


def spell(value: object) -> str:
    """One spelling for equal values, whatever their type: 7, 7.0 and "7"; True and "true"."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    text = str(value)
    return text.lower() if text in {"True", "False"} else text
