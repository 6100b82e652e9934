"""Law, outputs, permissions and costs: each sends to people what it names, and what it cannot tell."""

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws

KEY = b"k" * 32
TIERS = """
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "0.7..0.9"}
  senior: {confidence: "< 0.7"}
  two: {signatures: 2}
"""


def routed(section, versions=("3",), **columns):
    row = {"confidence": 0.95, "label": "pay", "amount": 10.0, "channel": "web"} | columns
    answer = route(parse_policy(section + TIERS), pd.DataFrame([row]), draws(KEY, ["d_1"]), versions=versions)
    return answer.route[0], answer.reasons[0]


LAW = """
regulation:
  - {name: minors, law: COPPA, when: {age: "< 18"}, at_least: standard}
  - {name: health, when: {area: medical}, at_least: two}
"""


def test_of_the_regulations_that_fit_all_apply_and_the_strictest_leads():
    route, reasons = routed(LAW, age=12, area="medical")
    assert route == "two"
    assert reasons == (
        "regulation: health → two",
        "regulation: minors (COPPA) → standard",
        "confidence → auto",
    )
    assert routed(LAW, age=12, area="sport")[0] == "standard"
    assert routed(LAW, age=30, area="sport")[0] == "auto"


def test_a_regulation_in_doubt_applies():
    route, reasons = routed(LAW, age=None, area="sport")
    assert route == "standard"
    assert "regulation: minors (COPPA) → standard (in doubt: no value for age)" in reasons


def test_no_regulation_makes_a_route_milder():
    assert routed(LAW, age=12, area="sport", confidence=0.1)[0] == "senior"


OUTPUTS = """
outputs:
  prohibited: [close_account]
  rules:
    - {name: a cap on payments, when: {label: pay}, must: {amount: "<= 100"}, route: two}
    - {name: amounts are positive, must: {amount: ">= 0"}}
"""


@pytest.mark.parametrize(
    ("columns", "to", "why"),
    [
        ({}, "auto", "confidence → auto"),
        ({"label": "close_account"}, "senior", "output: close_account is prohibited → senior"),
        ({"amount": 101}, "two", "output: a cap on payments → two"),
        ({"amount": 101, "label": "ask"}, "auto", "confidence → auto"),
        ({"amount": -1}, "senior", "output: amounts are positive → senior"),
        ({"amount": None}, "two", "output: a cap on payments → two (in doubt: no value for amount, label)"),
    ],
)
def test_a_prohibited_class_or_a_broken_rule_goes_to_people(columns, to, why):
    route, reasons = routed(OUTPUTS, **columns)
    assert route == to
    assert why in reasons


ACTIONS = """
actions:
  - {may: [pay], model: [3, 4], when: {channel: [web]}}
  - {may: [ask]}
"""


@pytest.mark.parametrize(
    ("columns", "versions", "to"),
    [
        ({}, ["3"], "auto"),
        ({}, ["5"], "standard"),
        ({}, [], "standard"),
        ({"channel": "phone"}, ["3"], "standard"),
        ({"channel": None}, ["3"], "standard"),
        ({"label": "ask", "channel": "phone"}, ["5"], "auto"),
        ({"label": "lend"}, ["3"], "standard"),
        ({"label": "lend", "confidence": 0.2}, ["3"], "senior"),
    ],
)
def test_only_what_is_permitted_goes_out_without_people(columns, versions, to):
    assert routed(ACTIONS, versions, **columns)[0] == to


def test_an_empty_list_of_actions_permits_nothing():
    assert routed("actions: []")[0] == "standard"


COSTS = "costs: {wrong: {pay: amount, ask: 2}, review: 4, budget: 3}"


@pytest.mark.parametrize(
    ("columns", "to", "why"),
    [
        ({"amount": 59}, "auto", None),
        ({"amount": 70}, "standard", "the budget of a case, 3"),
        ({"amount": 81}, "standard", "that of a review, 4"),
        ({"label": "ask", "amount": 900}, "auto", None),
        ({"amount": None}, "standard", "is unknown"),
        ({"amount": -5}, "standard", "is unknown"),
        ({"amount": np.inf}, "standard", "is unknown"),
        ({"label": "lend"}, "standard", "is unknown"),
    ],
)
def test_what_costs_more_to_leave_to_the_model_than_to_review_goes_to_people(columns, to, why):
    route, reasons = routed(COSTS, **columns)
    assert route == to
    told = [reason for reason in reasons if reason.startswith("cost")]
    assert bool(told) == (why is not None)
    assert why is None or any(why in reason for reason in told)


def test_every_other_class_costs_the_default_and_the_route_may_be_named():
    costs = "costs: {wrong: {default: 1000}, review: 4, route: two}"
    assert routed(costs, label="lend")[0] == "two"
    assert routed(costs, label="lend", confidence=0.999)[0] == "auto"
