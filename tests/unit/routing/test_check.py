"""The lint of a policy: what it finds with its line, and that it never calls dead what lives."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.routing.check import Severity, check
from hitl_mlops.routing.policy_default import default_policy
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.reach import (
    Reach,
    Stretch,
    _reach_alone,
    confidence_gaps,
    possible_routes,
    reach_of_clause,
    reach_of_rules,
    tier_overlaps,
)
from hitl_mlops.routing.route import route

TIERS = """
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "0.7..0.9"}
  senior: {confidence: "< 0.7"}
"""


def ruled(*rules, more=TIERS):
    lines = [f"  - {{name: r{place}, when: {when}, route: {to}}}" for place, (when, to) in enumerate(rules)]
    return parse_policy("rules:\n" + "\n".join(lines) + more)


def told(policy, severity=None, columns=None):
    return [
        (one.line, one.fact) for one in check(policy, columns) if severity is None or one.severity is severity
    ]


def test_a_policy_that_says_what_it_does_has_no_findings():
    assert check(parse_policy(TIERS)) == ()


@pytest.mark.parametrize(
    "text",
    [*(path.read_text() for path in sorted(Path("configs").glob("*/policy.yaml"))), default_policy("x")],
)
def test_no_policy_that_is_shipped_or_made_has_an_error(text):
    assert told(parse_policy(text), Severity.ERROR) == []


def test_a_rule_that_a_milder_one_covers_is_an_error_with_its_line():
    policy = ruled(("{amount: '>= 500'}", "standard"), ("{amount: '>= 10000'}", "senior"))
    [(line, fact)] = told(policy, Severity.ERROR)
    assert line == 3
    assert fact.startswith("The rule 'r1' fires only where a value is missing or unusable")
    assert fact.endswith("'r0'.")


def test_a_rule_that_a_stricter_one_covers_is_only_dead_weight():
    policy = ruled(("{amount: '>= 500'}", "senior"), ("{amount: '>= 10000'}", "standard"))
    assert [one.severity for one in check(policy)] == [Severity.WARNING]


def test_several_rules_together_can_cover_one():
    rules = [
        ("{c: a}", "senior"),
        ("{c: {not: a}}", "senior"),
        ("{c: missing}", "senior"),
        ("{d: 1}", "senior"),
    ]
    assert reach_of_rules(ruled(*rules))[3] == (Reach.NEVER, (0, 1, 2))
    assert reach_of_rules(ruled(*rules[1:]))[2][0] is Reach.ACTS


def test_a_rule_that_no_case_fits_is_told_so():
    clauses = "{consequence: [{is: high, when: {amount: '>= 9'}}, {is: low}]}"
    cell = "{reversible: auto, irreversible: auto}"
    more = f"{TIERS}risk: {clauses}\nmatrix: {{high: {cell}, low: {cell}}}\n"
    policy = ruled(("{consequence: hihg}", "senior"), ("{confidence: '>= 90'}", "senior"), more=more)
    facts = [fact for _, fact in told(policy, Severity.ERROR)]
    assert facts == [
        "The rule 'r0' can never fire: no case fits it.",
        "The rule 'r1' fires only where a value is missing or unusable: no other case fits it.",
    ]


def test_a_rule_that_demands_the_mildest_route_changes_nothing_and_is_told_so():
    policy = ruled(("{vip: true}", "auto"), ("{amount: '>= 5'}", "senior"))
    [(line, fact)] = told(policy, Severity.WARNING)
    assert line == 2
    assert fact.startswith("The rule 'r0' demands auto, the mildest route")


def test_two_rules_of_one_name_are_told():
    policy = parse_policy(
        "rules: [{name: a, when: {x: 1}, route: senior}, {name: a, when: {x: 2}, route: senior}]" + TIERS
    )
    assert [fact[:26] for _, fact in told(policy, Severity.WARNING)] == ["Another rule is called 'a'"]


def test_rules_over_too_many_attributes_are_undecided_and_not_called_dead():
    wide = "{" + ", ".join(f"a{n}: ['>= 1', '>= 2', '>= 3', x, y, z]" for n in range(6)) + "}"
    policy = ruled((wide, "senior"), (wide.replace("a5", "a6"), "senior"), ("{b: 1}", "senior"))
    assert reach_of_rules(policy)[2][0] is Reach.UNDECIDED
    assert any("cannot be decided" in fact for _, fact in told(policy, Severity.INFO))
    assert told(policy, Severity.ERROR) == []


def test_where_all_attributes_are_too_many_the_rules_of_the_same_ones_may_still_settle_it():
    wide = "{" + ", ".join(f"a{n}: ['>= 1', '>= 2', '>= 3', x, y, z]" for n in range(7)) + "}"
    policy = ruled((wide, "senior"), ("{b: [1, missing]}", "senior"), ("{b: missing}", "senior"))
    assert reach_of_rules(policy)[2] == (Reach.NEVER, (1,))


def test_a_consequence_that_is_never_first_is_an_error_and_the_closing_one_is_not():
    cell = "{reversible: auto, irreversible: auto}"
    policy = parse_policy(
        f"""
risk:
  consequence:
    - {{is: mid, when: {{amount: ">= 5"}}}}
    - {{is: high, when: {{amount: ">= 10"}}}}
    - {{is: rest, when: {{amount: "< 5"}}}}
    - {{is: low}}
matrix: {{mid: {cell}, high: {cell}, rest: {cell}, low: {cell}}}
{TIERS}"""
    )
    assert [reach_of_clause(policy, place) for place in range(4)] == [
        Reach.ACTS,
        Reach.IN_DOUBT,
        Reach.ACTS,
        Reach.IN_DOUBT,
    ]
    known = "a case whose values are known"
    assert told(policy, Severity.ERROR) == [
        (5, f"This clause for 'high' is never the first that fits {known}.")
    ]
    assert [line for line, _ in told(policy, Severity.INFO)] == [7]


def test_risk_that_reads_its_own_consequence_is_an_error():
    policy = parse_policy(f"risk: {{irreversible: {{consequence: high}}}}\n{TIERS}")
    assert [line for line, _ in told(policy, Severity.ERROR)] == [1]


def test_gaps_are_told_with_their_bounds_and_where_they_close_to():
    policy = parse_policy("routes: {auto: {confidence: '> 0.9'}, senior: {confidence: '< 0.5'}}")
    assert [gap.stretch for gap in confidence_gaps(policy)] == [
        Stretch(0.5, 0.9, low_included=True, high_included=True)
    ]
    [(_, fact)] = told(policy, Severity.WARNING)
    assert fact == "No tier covers a confidence from 0.5 up to 0.9: such cases go to senior."


def test_a_gap_of_some_cases_comes_with_one_of_them():
    policy = parse_policy(
        "routes: {auto: {confidence: '>= 0.5', when: {margin: '>= 0.2'}}, senior: {confidence: '< 0.5'}}"
    )
    [gap] = confidence_gaps(policy)
    assert (gap.always, gap.example) == (False, {"margin": None})
    assert "in some cases, as with margin missing" in told(policy, Severity.WARNING)[0][1]


def test_a_policy_without_tiers_is_one_gap():
    policy = parse_policy("routes: {auto: {}, senior: {}}")
    assert [(str(gap.stretch), gap.always) for gap in confidence_gaps(policy)] == [("from 0 up to 1", True)]


def test_overlaps_are_told_with_the_stricter_one():
    tiers = "auto: {confidence: '>= 0.8'}, standard: {confidence: 0.5..0.9}, senior: {confidence: '< 0.5'}"
    policy = parse_policy(f"routes: {{{tiers}}}")
    [one] = tier_overlaps(policy)
    assert (one.milder, one.stricter, one.always) == ("auto", "standard", True)
    assert one.stretch == Stretch(0.8, 0.9, low_included=True, high_included=False)
    [(_, fact)] = told(policy, Severity.INFO)
    assert fact.endswith(
        "from 0.8 to below 0.9 is claimed by auto and standard: standard, the stricter, takes it."
    )


def test_routes_that_nothing_leads_to_and_that_are_always_outdone_are_told():
    policy = parse_policy(
        "routes:\n  auto: {confidence: '>= 0.5'}\n  check: {confidence: '< 0.3'}\n"
        "  standard: {}\n  senior: {confidence: '< 0.5'}"
    )
    assert possible_routes(policy) == {"auto", "senior"}
    assert told(policy, Severity.WARNING) == [
        (3, "No case ends on the route 'check': a stricter one takes each that it claims."),
        (4, "Nothing leads to the route 'standard'."),
    ]


def test_a_route_that_only_a_failed_check_leads_to_is_led_to():
    policy = parse_policy(
        "routes: {check: {confidence: '>= 0.5', checks: [sum], else: standard}, standard: {}, "
        "senior: {confidence: '< 0.5'}}"
    )
    assert possible_routes(policy) == {"check", "standard", "senior"}


def test_a_column_that_no_case_has_is_an_error_where_the_columns_are_known():
    policy = ruled(("{amuont: 3}", "senior"))
    assert told(policy, Severity.ERROR) == []
    assert told(policy, Severity.ERROR, columns=["amount"]) == [
        (2, "The policy reads 'amuont', which no case has.")
    ]


def test_with_rules_over_too_many_attributes_the_routes_are_still_told():
    wide = "{" + ", ".join(f"a{n}: ['>= 1', '>= 2', '>= 3', x, y, z]" for n in range(7)) + "}"
    more = TIERS + "  nobody: {signatures: 2}\n"
    assert possible_routes(ruled((wide, "senior"), more=more)) == {"auto", "standard", "senior"}
    assert "nobody" in possible_routes(ruled((wide, "nobody"), more=more))


# What must hold for any policy

NUMBERS = st.sampled_from([0, 1, 2, 2.5, 10, -3])
TEXTS = st.sampled_from(["a", "b", "true", "2", "2.0"])
TESTS = st.one_of(
    NUMBERS.map(str),
    TEXTS.map("'{}'".format),
    st.just("missing"),
    st.just("true"),
    st.tuples(st.sampled_from([">=", "<", ">", "<="]), NUMBERS).map(lambda two: f"'{two[0]} {two[1]}'"),
    st.sampled_from(
        ["0..2", "'1..2.5'", "{not: 2}", "{not: '>= 2'}", "[a, '>= 2']", "{not: missing}", "{not: [a, 1]}"]
    ),
)
CONFIDENCES = st.sampled_from(
    ["'>= 0.9'", "'< 0.3'", "0.3..0.9", "'> 0.5'", "'<= 0.5'", "0.7", "{not: '>= 0.4'}"]
)
MAPS = st.dictionaries(st.sampled_from(["x", "y"]), TESTS, min_size=1, max_size=2)
CONDITIONS = st.one_of(
    MAPS.map(lambda tests: "{" + ", ".join(f"{name}: {test}" for name, test in tests.items()) + "}"),
    CONFIDENCES.map("{{confidence: {}}}".format),
    st.tuples(CONFIDENCES, TESTS).map(lambda two: f"{{confidence: {two[0]}, x: {two[1]}}}"),
    st.tuples(TESTS, TESTS).map(lambda two: f"[{{x: {two[0]}}}, {{y: {two[1]}}}]"),
)
CELLS = st.one_of(st.none(), NUMBERS, TEXTS, st.booleans(), st.sampled_from(["2e0", "c", 1.5, 99.0, "+2"]))
SURENESS = st.one_of(st.floats(0, 1), st.sampled_from([0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 0.0, np.nan, 1.5, -1.0]))
ROWS = st.lists(st.tuples(CELLS, CELLS, SURENESS), min_size=1, max_size=30)


def routed(policy, rows):
    frame = pd.DataFrame(rows, columns=["x", "y", "confidence"], dtype=object)
    frame["confidence"] = frame["confidence"].astype(float)
    return route(policy, frame)


@given(st.lists(CONDITIONS, min_size=1, max_size=5), ROWS)
@settings(max_examples=120, deadline=None)
def test_a_rule_that_is_called_dead_never_fires_and_one_in_doubt_only_in_doubt(conditions, rows):
    policy = ruled(*((condition, "senior") for condition in conditions))
    reaches = [reach for reach, _ in reach_of_rules(policy)]
    for (_, _, sureness), reasons in zip(rows, routed(policy, rows).reasons, strict=True):
        for place, reach in enumerate(reaches):
            fired = [reason for reason in reasons if reason.startswith(f"rule: r{place} ")]
            assert not (fired and reach is Reach.NEVER)
            surely = any("in doubt" not in reason for reason in fired) and 0 <= sureness <= 1
            assert not (surely and reach is Reach.IN_DOUBT)


@given(st.lists(CONDITIONS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_rule_by_rule_the_verdict_is_the_one_of_all_together(conditions):
    policy = ruled(*((condition, "senior") for condition in conditions))
    alone = [_reach_alone(policy, place)[0] for place in range(len(conditions))]
    assert alone == [reach for reach, _ in reach_of_rules(policy)]


TIER = st.one_of(st.none(), CONFIDENCES.map("confidence: {}".format), CONDITIONS.map("when: {}".format))


def tiered(tiers):
    names = ["auto", "check", "standard", "senior"]
    lines = [f"  {name}: {{{tier or ''}}}" for name, tier in zip(names, tiers, strict=True)]
    return parse_policy("routes:\n" + "\n".join(lines))


def lacks_a_tier(reasons):
    return any(reason.startswith("no confidence tier fits") for reason in reasons)


@given(st.tuples(TIER, TIER, TIER, TIER), ROWS)
@settings(max_examples=120, deadline=None)
def test_the_gaps_are_exactly_the_confidences_that_close_for_lack_of_a_tier(tiers, rows):
    policy = tiered(tiers)
    gaps = confidence_gaps(policy)
    for (_, _, sureness), reasons in zip(rows, routed(policy, rows).reasons, strict=True):
        holding = [gap for gap in gaps if sureness in gap.stretch]
        if 0 <= sureness <= 1 and lacks_a_tier(reasons):
            assert len(holding) == 1
        if any(gap.always for gap in holding):
            assert lacks_a_tier(reasons)
    for gap in gaps:
        inside = [n / 200 for n in range(201) if n / 200 in gap.stretch]
        example = (gap.example.get("x"), gap.example.get("y"))
        closed = [
            lacks_a_tier(reasons) for reasons in routed(policy, [(*example, c) for c in inside]).reasons
        ]
        assert all(closed) if gap.always else any(closed)


@given(st.tuples(TIER, TIER, TIER, TIER), st.lists(CONDITIONS, max_size=3), ROWS)
@settings(max_examples=80, deadline=None)
def test_no_case_takes_a_route_that_is_called_impossible(tiers, conditions, rows):
    policy = (
        ruled(*((condition, "standard") for condition in conditions), more="\n" + _routes_text(tiers))
        if conditions
        else tiered(tiers)
    )
    assert set(routed(policy, rows).route) <= possible_routes(policy)


def _routes_text(tiers):
    names = ["auto", "check", "standard", "senior"]
    return "routes:\n" + "\n".join(
        f"  {name}: {{{tier or ''}}}" for name, tier in zip(names, tiers, strict=True)
    )
