from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.training.columns import (
    MISSING,
    ColumnType,
    as_dates,
    as_numbers,
    as_texts,
    as_words,
    column_types,
)

MANY = 200


def found(values: list[object] | pd.Series, name: str = "c") -> ColumnType:
    return column_types(pd.DataFrame({name: values}), [name])[0].type


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, None, 3.0], ColumnType.NUMBER),
        ([1, 2, 3], ColumnType.NUMBER),
        ([Decimal("1.5"), Decimal(2)], ColumnType.NUMBER),
        (["1.5", "2", "-3e2"], ColumnType.NUMBER),
        ([True, False, None], ColumnType.BOOLEAN),
        (["red", "blue", None], ColumnType.CATEGORY),
        (["01234", "00501"], ColumnType.CATEGORY),
        (["2024-01-02", "2024-02-03T10:00:00+02:00"], ColumnType.DATE),
        ([dt.date(2024, 1, 2), dt.date(2024, 1, 3)], ColumnType.DATE),
        ([None, None], ColumnType.DROPPED),
        ([7, 7, 7], ColumnType.DROPPED),
        ([[1], [2]], ColumnType.DROPPED),
        ([{"a": 1}, {"a": 2}], ColumnType.DROPPED),
    ],
)
def test_a_column_is_known_by_its_cells(values: list[object], expected: ColumnType) -> None:
    assert found(values) is expected


def test_times_of_pandas_are_dates() -> None:
    assert found(pd.Series(pd.date_range("2024-01-01", periods=3))) is ColumnType.DATE


def test_categories_of_pandas_are_categories() -> None:
    assert found(pd.Series(["a", "b", "a"], dtype="category")) is ColumnType.CATEGORY


def test_sentences_are_text_and_names_of_rows_are_dropped() -> None:
    assert found([f"customer number {at} has called" for at in range(MANY)]) is ColumnType.TEXT
    assert found([f"order-{at}" for at in range(MANY)]) is ColumnType.DROPPED


def test_many_repeated_words_are_a_category() -> None:
    assert found([f"city{at % 80}" for at in range(MANY)]) is ColumnType.CATEGORY


def test_an_id_of_whole_numbers_is_dropped_but_an_amount_is_not() -> None:
    assert found(list(range(MANY)), "customer_id") is ColumnType.DROPPED
    assert found(list(range(MANY)), "amount") is ColumnType.NUMBER
    assert found(list(range(MANY)), "humid") is ColumnType.NUMBER


def test_a_few_unreadable_numbers_are_told() -> None:
    column = column_types(pd.DataFrame({"c": ["1", "2"] * 50 + ["?"]}), ["c"])[0]
    assert column.type is ColumnType.NUMBER
    assert "1 unreadable" in column.why


def test_a_missing_and_a_doubled_column_are_named() -> None:
    with pytest.raises(InputError, match="no column 'b'"):
        column_types(pd.DataFrame({"a": [1]}), ["b"])
    with pytest.raises(InputError, match="'a' more than once"):
        column_types(pd.DataFrame([[1, 2]], columns=["a", "a"]), ["a"])


def test_numbers_are_read_from_json_values() -> None:
    frame = pd.DataFrame({"a": ["1.5", None, "?"], "b": [True, False, None], "c": [np.inf, 2, 3]})
    expected = [[1.5, 1, np.nan], [np.nan, 0, 2], [np.nan, np.nan, 3]]
    np.testing.assert_array_equal(as_numbers(frame), expected)


def test_numbers_are_not_changed_in_the_frame_they_came_from() -> None:
    frame = pd.DataFrame({"a": [np.inf, 1.0]})
    as_numbers(frame)
    assert np.isinf(frame["a"].iloc[0])


def test_words_are_the_same_however_the_cell_was_typed() -> None:
    typed = as_words(pd.DataFrame({"a": [1, 2]}))
    read_back = as_words(pd.DataFrame({"a": [1.0, 2.0]}))
    assert typed.tolist() == read_back.tolist() == [["1"], ["2"]]
    assert as_words(pd.DataFrame({"a": [None, float("nan"), True]}))[:, 0].tolist() == [
        MISSING,
        MISSING,
        "true",
    ]


def test_dates_become_parts_in_utc() -> None:
    parts = as_dates(pd.DataFrame({"a": ["1970-01-02T01:00:00+01:00", "soon", None]}))
    assert parts[0].tolist() == [1.0, 1.0, 2.0, 4.0, 0.0]
    assert np.isnan(parts[1:]).all()


def test_empty_texts_are_empty_strings() -> None:
    assert as_texts(pd.DataFrame({"a": ["x", None, 3]})).tolist() == ["x", "", "3"]
