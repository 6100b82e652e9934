"""A user's own table of cases: routed as decisions are, and told where it expects otherwise."""

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.routing.cases import route_table
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route

POLICY = parse_policy("""
rules: [{name: large, when: {amount: ">= 100"}, route: senior}]
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "< 0.9"}
  senior: {}
""")


def a_table(**changes):
    plain = {
        "confidence": [0.95, 0.5, 0.95],
        "amount": [1, 1, 500],
        "expected": ["auto", "standard", "senior"],
    }
    return pd.DataFrame(plain | changes)


def test_a_table_that_the_policy_keeps_is_as_expected():
    assert [one.as_expected for one in route_table(POLICY, a_table())] == [True, True, True]


def test_a_row_that_goes_elsewhere_is_shown_with_the_reasons_that_fired():
    found = route_table(POLICY, a_table(expected=["auto", "auto", "auto"]))
    assert [(one.row, one.got) for one in found if not one.as_expected] == [(2, "standard"), (3, "senior")]
    assert found[2].reasons == ("rule: large → senior", "confidence → auto")
    assert found[2].said == {"confidence": 0.95, "amount": 500}


def test_the_routes_are_those_of_decisions():
    rng = np.random.default_rng(3)
    table = a_table(
        confidence=rng.random(200), amount=rng.choice([1.0, 500.0, np.nan], 200), expected=["auto"] * 200
    )
    same = route(POLICY, table[["confidence", "amount"]], None)
    found = route_table(POLICY, table)
    assert [one.got for one in found] == same.route.tolist()
    assert [one.reasons for one in found] == same.reasons.tolist()


def test_an_empty_confidence_is_no_usable_answer():
    [found] = route_table(POLICY, pd.DataFrame({"confidence": [None], "amount": [1], "expected": ["senior"]}))
    assert found.as_expected
    assert found.said["confidence"] is None


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (a_table().drop(columns="amount"), "no column amount"),
        (a_table().drop(columns=["confidence", "expected"]), "no column expected, confidence"),
        (a_table(expected=["auto", "standart", "auto"]), "Row 2 .* expects 'standart'"),
        (a_table(expected=["auto", None, "auto"]), "Row 2 .* expects no route"),
        (a_table(confidence=["0.9", "0,5", "1"]), "Row 2 .* '0,5' for confidence"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_in_plain_words(table, words):
    with pytest.raises(InputError, match=words) as told:
        route_table(POLICY, table)
    assert told.value.remedy


def test_columns_that_the_policy_does_not_read_are_left_alone():
    found = route_table(POLICY, a_table(margin=["?", "?", "?"], note=["a", "b", "c"]))
    assert all(one.as_expected for one in found)


BOUND = parse_policy("""
functions: {find_pii: [note]}
derive: {pii_found: find_pii}
regulation: [{name: special data, when: {pii_found: true}, at_least: senior}]
actions: [{may: [7], model: [3]}]
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "< 0.9"}
  senior: {}
""")


def a_bound_table(**changes):
    plain = {"confidence": [0.95] * 3, "label": [7, 7, 8], "model": [3, 4, 3], "pii_found": [False] * 3}
    return pd.DataFrame(plain | {"expected": ["auto", "standard", "standard"]} | changes)


def test_a_computed_attribute_may_stand_in_the_table_and_the_model_with_it():
    assert all(one.as_expected for one in route_table(BOUND, a_bound_table()))


def test_a_computed_attribute_that_is_no_column_is_made_by_its_function():
    table = a_bound_table(note=["a", "b@c", "d"], expected=["auto", "senior", "standard"])
    table = table.drop(columns="pii_found")
    functions = {"find_pii": lambda rows: rows["note"].str.contains("@")}
    assert all(one.as_expected for one in route_table(BOUND, table, checks=functions))


@pytest.mark.parametrize("column", ["label", "model", "pii_found"])
def test_what_the_sections_read_must_be_in_the_table(column):
    with pytest.raises(InputError, match="note" if column == "pii_found" else column):
        route_table(BOUND, a_bound_table().drop(columns=column))
