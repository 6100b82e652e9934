"""Attributes that a policy makes of others: by functions, by weighing, and never milder by their failing."""

import re

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import consequences_of, route
from hitl_mlops.routing.sampling import draws
from hitl_mlops.routing.user_functions import MOST_CALLS

KEY = b"k" * 32
TIERS = """
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "0.7..0.9"}
  senior: {confidence: "< 0.7"}
  two: {signatures: 2}
"""
DERIVED = parse_policy(
    "functions: {find_pii: [note]}\nderive: {pii_found: find_pii}\n"
    "rules: [{name: personal data, when: {pii_found: true}, route: senior}]" + TIERS
)
RISKY = parse_policy(
    """
risk:
  model: score
  consequence: [{is: high, when: {risk: ">= 0.8"}}, {is: medium, when: {amount: ">= 10"}}, {is: low}]
matrix:
  high: {reversible: two, irreversible: two}
  medium: {reversible: standard, irreversible: standard}
  low: {reversible: auto, irreversible: auto}
"""
    + TIERS
)


def routed(policy, functions=None, **columns):
    frame = pd.DataFrame({"confidence": [0.95], "label": ["a"]} | columns)
    return route(policy, frame, draws(KEY, [f"d_{row}" for row in range(len(frame))]), checks=functions)


def has_at(rows):
    return rows["note"].str.contains("@")


def test_a_condition_reads_what_a_function_found():
    answer = routed(
        DERIVED, {"find_pii": has_at}, note=["a@b", "plain"], confidence=[0.95] * 2, label=["a"] * 2
    )
    assert answer.route.tolist() == ["senior", "auto"]


def test_a_function_sees_the_columns_it_names_and_what_the_model_said_and_cannot_change_them():
    seen = []

    def spy(rows):
        seen.extend(rows.columns)
        rows["confidence"] = 1.0
        return [False] * len(rows)

    answer = routed(DERIVED, {"find_pii": spy}, note=["x"], other=[1], confidence=[0.5])
    assert seen == ["note", "label", "confidence"]
    assert answer.route[0] == "senior"


def test_the_columns_that_a_function_reads_are_columns_that_a_case_must_bring():
    assert DERIVED.attributes == ("note",)
    assert DERIVED.attributes_beside(["pii_found"]) == ()
    with pytest.raises(ConfigurationError, match="'note'"):
        routed(DERIVED, {"find_pii": has_at})


def boom(rows):
    raise OSError(rows)


@pytest.mark.parametrize(
    ("functions", "why"),
    [
        ({}, "is not there"),
        ({"find_pii": boom}, "raised OSError"),
        ({"find_pii": lambda _: True}, "gave no answer for each row"),
        ({"find_pii": lambda rows: [[False]] * len(rows)}, "gave no answer for each row"),
    ],
)
def test_a_function_that_fails_sends_every_row_to_people(functions, why):
    answer = routed(DERIVED, functions, note=["plain"])
    assert answer.route[0] == "senior"
    assert f"pii_found is unknown: function find_pii {why} → senior" in answer.reasons[0]


def test_a_row_on_which_a_function_fails_takes_no_other_with_it():
    def picky(rows):
        return [bool(re.search("@", note)) for note in rows["note"]]

    notes = ["plain"] * 40
    notes[7], notes[30] = None, "a@b"
    answer = routed(DERIVED, {"find_pii": picky}, note=notes, confidence=[0.95] * 40, label=["a"] * 40)
    assert [row for row, name in enumerate(answer.route) if name != "auto"] == [7, 30]
    assert "pii_found is unknown: function find_pii raised TypeError → senior" in answer.reasons[7]


def test_a_function_that_fails_on_everything_is_not_asked_without_end():
    calls = []

    def broken(rows):
        calls.append(len(rows))
        raise OSError

    answer = routed(
        DERIVED, {"find_pii": broken}, note=["x"] * 5000, confidence=[0.95] * 5000, label=["a"] * 5000
    )
    assert len(calls) <= MOST_CALLS
    assert set(answer.route) == {"senior"}


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, pd.NaT, object(), {}, ()])
def test_a_row_that_a_function_leaves_open_is_in_doubt(value):
    answer = routed(
        DERIVED,
        {"find_pii": lambda _: pd.Series([value, False], dtype=object)},
        note=["x", "y"],
        confidence=[0.95] * 2,
        label=["a"] * 2,
    )
    assert answer.route.tolist() == ["senior", "auto"]
    assert "rule: personal data → senior (in doubt: no value for pii_found)" in answer.reasons[0]


def test_what_the_case_brings_under_the_name_of_a_derived_attribute_does_not_count():
    answer = routed(DERIVED, {"find_pii": lambda _: [True]}, note=["x"], pii_found=[False])
    assert answer.route[0] == "senior"


def test_the_score_of_the_risk_model_leads_to_a_consequence():
    answer = routed(RISKY, {"score": lambda _: [0.8]}, amount=[1])
    assert answer.route[0] == "two"
    assert routed(RISKY, {"score": lambda _: [0.79]}, amount=[1]).route[0] == "auto"


@pytest.mark.parametrize("score", [np.nan, None, -0.1, 1.1, np.inf, "much"])
def test_a_risk_that_is_no_score_counts_as_the_strictest_consequence(score):
    answer = routed(RISKY, {"score": lambda _: np.array([score], dtype=object)}, amount=[1])
    assert answer.route[0] == "two"
    assert any(reason.startswith("taken as consequence high") for reason in answer.reasons[0])


@pytest.mark.parametrize("functions", [{}, {"score": boom}, {"score": lambda _: 0.1}])
def test_a_risk_model_that_fails_counts_as_the_strictest_consequence_with_its_reason(functions):
    answer = routed(RISKY, functions, amount=[1])
    assert answer.route[0] == "two"
    assert any(reason.startswith("risk is unknown: function score ") for reason in answer.reasons[0])


def test_a_risk_without_score_is_the_strictest_consequence_also_where_no_clause_reads_it():
    policy = parse_policy(
        "risk: {model: score, consequence: [{is: high, when: {amount: '>= 10'}}, {is: low}]}\n"
        "matrix: {high: {reversible: two, irreversible: two}, low: {reversible: auto, irreversible: auto}}"
        + TIERS
    )
    assert routed(policy, {"score": lambda _: [np.nan]}, amount=[1]).route[0] == "two"
    assert routed(policy, {"score": lambda _: [0.1]}, amount=[1]).route[0] == "auto"
    bare = parse_policy("risk: {model: score}" + TIERS)
    assert routed(bare, {"score": lambda _: [np.nan]}).route[0] == "senior"


def test_a_missing_value_takes_the_strictest_of_the_clauses_that_may_fit():
    policy = parse_policy(
        "risk: {consequence: [{is: low, when: {safe: true}}, {is: high}]}\n"
        "matrix: {low: {reversible: auto, irreversible: auto}, high: {reversible: two, irreversible: two}}"
        + TIERS
    )
    assert routed(policy, safe=[True]).route[0] == "auto"
    assert routed(policy, safe=[None]).route[0] == "two"
    assert consequences_of(policy, pd.DataFrame({"safe": [True, None]})).tolist() == ["low", "high"]


def test_doubt_about_reversibility_takes_the_stricter_cell_whichever_it_is():
    policy = parse_policy(
        "risk: {consequence: [{is: any}], irreversible: {channel: instant}}\n"
        "matrix: {any: {reversible: two, irreversible: auto}}" + TIERS
    )
    assert routed(policy, channel=["instant"]).route[0] == "auto"
    assert routed(policy, channel=[None]).route[0] == "two"


WEIGHED = parse_policy(
    """
impact:
  factors:
    - {name: large, weight: 3, when: {amount: ">= 100"}}
    - {name: size, weight: 1, of: amount, from: 0, to: 200}
rules: [{name: weighty, when: {impact: ">= 0.8"}, route: senior}]
"""
    + TIERS
)


def test_the_impact_is_the_weighted_mean_of_its_factors_and_says_so():
    answer = routed(WEIGHED, amount=[0, 50, 100, 200, 900], confidence=[0.95] * 5, label=["a"] * 5)
    assert answer.impact.tolist() == [0.0, 0.0625, 0.875, 1.0, 1.0]
    assert answer.route.tolist() == ["auto", "auto", "senior", "senior", "senior"]
    assert "impact: large, +0.75" in answer.reasons[2]
    assert "impact: size, up to +0.25" in answer.reasons[1]
    assert not any(reason.startswith("impact") for reason in answer.reasons[0])


def test_of_all_factors_in_full_the_impact_is_exactly_one():
    weights = [0.1, 0.2, 0.7, 0.3, 0.15]
    factors = ", ".join(f"{{name: f{n}, weight: {w}, when: {{x: 1}}}}" for n, w in enumerate(weights))
    assert routed(parse_policy(f"impact: {{factors: [{factors}]}}" + TIERS), x=[1]).impact[0] == 1


def test_a_factor_that_cannot_be_told_counts_in_full():
    answer = routed(WEIGHED, amount=[None])
    assert answer.impact.tolist() == [1.0]
    assert "impact: large, +0.75 (in doubt: no value for amount)" in answer.reasons[0]


def test_a_factor_may_count_downwards():
    policy = parse_policy(
        "impact: {factors: [{name: new here, weight: 1, of: years, from: 5, to: 0}]}" + TIERS
    )
    assert routed(
        policy, years=[0, 1, 5, 9], confidence=[0.95] * 4, label=["a"] * 4
    ).impact.tolist() == pytest.approx([1, 0.8, 0, 0])


def test_a_function_may_give_the_impact_and_without_the_section_there_is_none():
    policy = parse_policy("impact: {model: weigh}" + TIERS)
    assert routed(policy, {"weigh": lambda _: [0.3]}).impact.tolist() == [0.3]
    broken = routed(policy, {"weigh": boom})
    assert np.isnan(broken.impact[0])
    assert broken.route[0] == "senior"
    assert np.isnan(routed(parse_policy(TIERS)).impact[0])


def test_disagreement_is_read_where_it_is_a_column_and_is_in_doubt_where_it_is_none():
    policy = parse_policy("rules: [{name: split, when: {disagreement: '> 0.2'}, route: senior}]" + TIERS)
    assert policy.attributes == ()
    assert routed(policy, disagreement=[0.1]).route[0] == "auto"
    assert routed(policy, disagreement=[0.3]).route[0] == "senior"
    assert routed(policy).route[0] == "senior"


def test_attributes_that_are_given_are_taken_as_they_stand():
    frame = pd.DataFrame({"confidence": [0.95], "label": ["a"], "amount": [1], "risk": [0.9]})
    assert route(RISKY, frame, draws(KEY, ["d"]), given=["risk"]).route[0] == "two"
