"""Conditions: what each test says of each value, missing ones above all."""

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.documents import parse_yaml
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.conditions import attributes_of, evaluate, parse_condition


def condition(text):
    return parse_condition(parse_yaml(text, "policy.yaml"))


def holds(text, *values, **options):
    return evaluate(condition(text), pd.DataFrame({"x": list(values)}), **options).tolist()


def test_comparisons_include_or_exclude_their_bound():
    assert holds("x: '>= 10'", 9, 10, 11) == [False, True, True]
    assert holds("x: '> 10'", 9, 10, 11) == [False, False, True]
    assert holds("x: '<= 1e1'", 9, 10, 11) == [True, True, False]
    assert holds("x: '< -0.5'", -1, -0.5, 0) == [True, False, False]


def test_a_range_goes_up_to_but_not_including():
    assert holds("x: 0.75..0.92", 0.7499, 0.75, 0.9199, 0.92) == [False, True, True, False]


def test_values_are_equal_as_numbers_or_as_text():
    assert holds("x: 7", 7, 7.0, 8) == [True, True, False]
    assert holds("x: '7'", 7, 8) == [True, False]
    assert holds("x: [a, b]", "a", "c", None) == [True, False, False]
    assert holds("x: true", *[True, False]) == [True, False]
    assert holds("x: true", "True", "true", "no") == [True, True, False]


def test_true_and_one_beside_each_other_stay_two_values():
    assert holds("x: true", *[1, True, 1.0]) == [False, True, False]
    assert holds("x: [1, a]", *[True, 1, "a", None]) == [False, True, True, False]


def test_missing_satisfies_no_comparison_and_no_negation_of_one():
    for text in ("x: '>= 1'", "x: 1", "x: {not: '>= 1'}", "x: {not: 1}", "x: [1, 2]"):
        assert holds(text, None, np.nan) == [False, False]
    assert holds("x: missing", None, 1.0) == [True, False]
    assert holds("x: {not: missing}", None, 1.0) == [False, True]


def test_in_doubt_a_missing_value_can_count_as_fitting_both_ways():
    for text in ("x: '>= 1'", "x: {not: '>= 1'}", "x: 1", "x: {not: [1]}"):
        assert holds(text, np.nan, if_missing=True) == [True]
    assert holds("x: missing", 1.0, if_missing=True) == [False]


def test_a_text_where_a_number_is_asked_for_cannot_be_judged():
    assert holds("x: '>= 1'", "2", "two") == [True, False]
    assert holds("x: '>= 1'", "2", "two", if_missing=True) == [True, True]


def test_a_list_mixes_values_and_tests():
    assert holds("x: ['>= 10', missing, 3]", 3, 4, 10, None) == [True, False, True, True]


def test_all_of_a_map_and_any_of_a_list():
    frame = pd.DataFrame({"a": [1, 1, 2], "b": ["u", "v", "u"]})
    assert evaluate(condition("{a: 1, b: u}"), frame).tolist() == [True, False, False]
    assert evaluate(condition("[{a: 2}, {b: v}]"), frame).tolist() == [False, True, True]
    assert attributes_of(condition("[{a: 2}, {b: {not: v}}]")) == {"a", "b"}


def test_no_rows_give_no_answers():
    assert evaluate(condition("x: 1"), pd.DataFrame({"x": []})).tolist() == []


def test_an_attribute_that_is_no_column_is_named():
    with pytest.raises(ConfigurationError, match="'x'"):
        evaluate(condition("x: 1"), pd.DataFrame({"y": [1]}))


@pytest.mark.parametrize(
    "text", ["x: '== 1'", "x: '>= __import__(1)'", "x:", "x: []", "x: 1..", "{}", "x: {or: 1}", "x: {}"]
)
def test_what_is_no_test_is_refused(text):
    with pytest.raises(ConfigurationError):
        condition(text)


def test_what_looks_like_code_is_only_text():
    assert holds("x: __import__('os')", "__import__('os')", "os") == [True, False]
