"""The lint of regulation, outputs, actions, costs, functions and names."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.routing.check import Severity, check
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.reach import possible_routes
from hitl_mlops.routing.route import route

TIERS = """
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "0.7..0.9"}
  senior: {confidence: "< 0.7"}
"""


def told(text, severity=None, **known):
    found = check(parse_policy(text + TIERS), **known)
    return [(one.line, one.fact) for one in found if severity in {None, one.severity}]


def test_a_policy_that_uses_every_section_well_has_no_findings():
    text = """
functions: {find_pii: [note], score: [amount]}
derive: {pii_found: find_pii}
risk:
  model: score
  consequence: [{is: high, when: {risk: ">= 0.8"}}, {is: low}]
matrix: {high: {reversible: senior, irreversible: senior}, low: {reversible: auto, irreversible: standard}}
impact: {factors: [{name: large, weight: 1, when: {amount: ">= 9"}}]}
rules: [{name: weighty, when: {impact: ">= 0.5"}, route: senior}]
regulation: [{name: special data, when: {pii_found: true}, at_least: senior}]
outputs: {prohibited: [lend], rules: [{name: a cap, must: {amount: "<= 9"}}]}
actions: [{may: [pay], when: {channel: web}}]
costs: {wrong: {default: 20}, review: 4, budget: 3}
"""
    known = {
        "columns": ["note", "amount", "channel"],
        "classes": ["pay", "lend"],
        "functions": ["find_pii", "score"],
    }
    assert told(text, **known) == []


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (
            "regulation: [{name: r, when: {confidence: '> 2'}, at_least: senior}]",
            "The regulation 'r' never applies save where a value is missing or unusable",
        ),
        (
            "outputs: {rules: [{name: r, when: {x: {not: missing}}, must: [{x: '> 1'}, {x: {not: '> 1'}}]}]}",
            "The output rule 'r' is never broken",
        ),
        (
            "actions: [{may: pay, when: [{x: missing, confidence: '> 3'}]}]",
            "The permission for pay is never given",
        ),
    ],
)
def test_what_never_speaks_is_an_error_with_its_line(text, fact):
    [(line, said)] = told(text, Severity.ERROR)
    assert line == 1
    assert said.startswith(fact)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("regulation: [{name: r, when: {x: 1}, at_least: auto}]", "demands auto, the mildest route"),
        ("costs: {wrong: {default: 9}, review: 4, budget: 5}", "The budget of 5 never matters"),
        (
            "outputs: {prohibited: pay}\nactions: [{may: [pay, ask]}]",
            "'pay' is permitted here and prohibited",
        ),
        ("functions: {find: [x]}", "Nothing asks the function 'find'"),
        ("derive: {found: find}", "No condition reads 'found'"),
        ("risk: {model: score}", "No condition reads 'risk'"),
        (
            "risk: {consequence: [{is: any}]}\nmatrix: {any: {reversible: senior, irreversible: auto}}",
            "asks less of what cannot be taken back (auto)",
        ),
    ],
)
def test_what_changes_nothing_is_a_warning(text, fact):
    assert any(fact in said for _, said in told(text, Severity.WARNING))


def test_what_a_model_that_is_no_ensemble_leaves_open_is_told():
    [(line, said)] = told("rules: [{name: split, when: {disagreement: '> 0.2'}, route: senior}]")
    assert line == 1
    assert "no ensemble" in said


@pytest.mark.parametrize(
    ("text", "line", "fact"),
    [
        ("outputs: {prohibited: [lnd]}", 1, "The policy names the class 'lnd'"),
        ("actions:\n  - {may: [lnd]}", 2, "The policy names the class 'lnd'"),
        ("costs: {wrong: {pay: 3, lnd: 1, default: 2}, review: 4}", 1, "The policy names the class 'lnd'"),
        ("derive: {found: fnd}", 1, "The policy names the function 'fnd'"),
        ("functions: {find: [nte]}\nderive: {found: find}", 1, "The policy reads 'nte'"),
    ],
)
def test_a_name_that_nothing_knows_is_an_error_with_the_likeliest_meant(text, line, fact):
    known = {"columns": ["note"], "classes": ["pay", "lend"], "functions": ["find"]}
    [(where, said)] = told(text, Severity.ERROR, **known)
    assert where == line
    assert said.startswith(fact)


def test_a_check_may_read_columns_that_no_condition_reads():
    policy = parse_policy(
        "functions: {sums: [total]}\nroutes: {check: {confidence: '>= 0.5', checks: [sums], else: senior}, "
        "senior: {confidence: '< 0.5'}}"
    )
    assert possible_routes(policy) == {"check", "senior"}
    assert check(policy) == ()


def test_a_route_that_only_a_regulation_leads_to_is_led_to():
    policy = parse_policy(
        "regulation: [{name: r, when: {x: 1}, at_least: two}]" + TIERS + "  two: {signatures: 2}\n"
    )
    assert "two" in possible_routes(policy)
    assert check(policy) == ()


SECTIONS = {
    "regulation": "[{name: r, when: {x: '>= 3'}, at_least: standard}]",
    "outputs": "{prohibited: [b], rules: [{name: cap, must: {x: '<= 9'}}]}",
    "actions": "[{may: [a], when: {x: {not: 5}}}]",
    "costs": "{wrong: {default: x}, review: 1}",
    "impact": "{factors: [{name: f, weight: 1, of: x, from: 0, to: 10}]}",
    "rules": "[{name: heavy, when: {impact: '>= 0.5'}, route: standard}]",
}


@given(
    st.sets(st.sampled_from(sorted(SECTIONS))),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from([None, 0, 4, 5, 20]), st.sampled_from("ab"))),
)
@settings(max_examples=60, deadline=None)
def test_no_case_takes_a_route_that_is_called_impossible(chosen, rows):
    chosen = chosen | {"impact"} if "rules" in chosen else chosen
    policy = parse_policy("\n".join(f"{name}: {SECTIONS[name]}" for name in chosen) + TIERS)
    frame = pd.DataFrame(rows, columns=["confidence", "x", "label"]).astype(
        {"confidence": float, "x": np.float64}
    )
    assert set(route(policy, frame).route) <= possible_routes(policy)
