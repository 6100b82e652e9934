"""Switches: what a scope covers, that it never makes a route milder, and who may lift one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.errors import InputError, RefusedError
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws
from hitl_mlops.routing.switches import (
    Order,
    Scope,
    Switch,
    check_scope,
    frozen_by,
    lifted,
    parse_scope,
)
from tests.builders import NOW

KEY = b"k" * 32
POLICY = parse_policy("""
rules: [{name: big, when: {amount: ">= 100"}, route: two_signatures}]
routes:
  auto: {confidence: ">= 0.9"}
  check: {confidence: "0.8..0.9", checks: [sum], else: standard}
  standard: {confidence: "0.7..0.8"}
  senior: {confidence: "< 0.7"}
  two_signatures: {signatures: 2}
spot_checks: {auto: 1}
""")
ROWS = pd.DataFrame(
    {
        "confidence": [0.95, 0.85, 0.75, 0.95, 0.95],
        "label": ["a", "b", "a", "b", "a"],
        "amount": [1.0, 1.0, 1.0, 500.0, 1.0],
        "branch": ["north", "south", "north", "south", None],
    }
)
ASKED = [
    "auto",
    "check",
    "standard",
    "two_signatures",
    "auto",
]
VERSIONS = ["1", "2", "1", "2", "1"]


def a_switch(scope="everything", **changes):
    return Switch(
        **({"switch_id": "s1", "scope": parse_scope(scope), "by": "r1", "reason": "r", "at": NOW} | changes)
    )


def routed(switches=(), rows=ROWS, versions=VERSIONS, policy=POLICY):
    checks = {"sum": lambda those: np.ones(len(those), dtype=bool)}
    ids = [f"d{n}" for n in range(len(rows))]
    return route(policy, rows, draws(KEY, ids), checks=checks, switches=switches, versions=versions)


def frozen(*scopes, **changes):
    """Which of the rows some switch covers, by the reasons told."""
    switches = [a_switch(scope, switch_id=f"s{n}") for n, scope in enumerate(scopes)]
    reasons = routed(switches, **changes).reasons
    return [any(one.startswith("frozen: ") for one in row) for row in reasons]


def test_without_a_switch_the_policy_decides():
    assert routed().route.tolist() == ASKED


def test_a_switch_on_everything_sends_all_to_people_and_never_past_a_stricter_route():
    answer = routed([a_switch()])
    assert answer.route.tolist() == ["senior", "senior", "senior", "two_signatures", "senior"]
    assert all("frozen: s1 → senior" in row for row in answer.reasons)
    assert answer.pi.tolist() == [1.0] * 5
    assert not answer.spot_check.any()
    assert answer.signatures.tolist() == [1, 1, 1, 2, 1]


def test_a_lifted_switch_freezes_nothing():
    off = lifted(a_switch(), Order("r2", "mended", NOW), two_people=True)
    assert routed([off]).route.tolist() == ASKED


def test_switches_that_cannot_be_read_freeze_everything_for_a_reason_of_their_own():
    answer = routed(None)
    assert answer.route.tolist() == ["senior", "senior", "senior", "two_signatures", "senior"]
    assert all("frozen: the switches cannot be read → senior" in row for row in answer.reasons)


@pytest.mark.parametrize(
    ("scope", "rows"),
    [
        ("model=1", [True, False, True, False, True]),
        ("model=2", [False, True, False, True, False]),
        ("model=3", [False] * 5),
        ("label=a", [True, False, True, False, True]),
        ("route=auto", [True, False, False, False, True]),
        ("route=check", [False, True, False, False, False]),
        ("branch=south", [False, True, False, True, True]),  # no value: in doubt, frozen
        ("amount=1", [True, True, True, False, True]),
        ("amount=1.0", [True, True, True, False, True]),
        ("amount=500", [False, False, False, True, False]),
    ],
)
def test_a_scope_covers_its_rows(scope, rows):
    assert frozen(scope) == rows


def test_several_switches_cover_what_any_covers():
    assert frozen("model=2", "route=auto") == [True, True, False, True, True]


def test_an_attribute_that_cases_no_longer_have_freezes_all():
    assert frozen("branch=north", rows=ROWS.drop(columns="branch")) == [True] * 5


def test_versions_that_are_not_told_freeze_all():
    assert frozen("model=3", versions=()) == [True] * 5


def test_an_attribute_called_model_is_frozen_with_the_version_of_that_name():
    cars = ROWS.assign(model=["2", "x", "x", "x", "x"])
    assert frozen("model=2", rows=cars) == [True, True, False, True, False]


def test_without_a_policy_and_without_a_senior_there_are_people_too():
    assert set(routed([a_switch()], policy=None).route) == {"senior"}
    only = parse_policy("routes: {auto: {confidence: '>= 0'}, desk: {signatures: 1}, board: {signatures: 3}}")
    assert set(routed([a_switch()], policy=only).route) == {"desk"}


def test_no_rows_are_no_trouble():
    assert len(routed([a_switch("branch=north")], rows=ROWS.head(0), versions=[]).route) == 0


@pytest.mark.parametrize("text", ["everything", " everything ", "model=3", " branch = north east", "a=b=c"])
def test_a_scope_is_read_back_as_it_is_written(text):
    scope = parse_scope(text)
    assert parse_scope(str(scope)) == scope


@pytest.mark.parametrize(
    "text",
    ["", " ", "=", "model", "model=", "=3", "everything=1", "a=\x00", "a=\n", "a=\ud800", "a=" + "x" * 400],
)
def test_what_is_no_scope_is_refused_with_examples(text):
    with pytest.raises(InputError, match="no scope") as told:
        parse_scope(text)
    assert "model=3" in told.value.remedy


KNOWN = {"model": lambda: ["1", "2"], "label": lambda: ["yes", "no"], "route": lambda: ["auto"]}


@pytest.mark.parametrize("text", ["everything", "model=2", "label=no", "route=auto", "branch=anything"])
def test_a_scope_that_can_cover_something_is_taken(text):
    assert check_scope(parse_scope(text), ["branch"], KNOWN) is None


def test_a_scope_of_everything_asks_nobody_what_there_is():
    def broken():
        raise AssertionError("asked")

    check_scope(Scope(), [], {"model": broken})
    check_scope(Scope("branch", "north"), ["branch"], {"model": broken})


def test_an_attribute_that_no_case_has_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="'brnch'") as told:
        check_scope(parse_scope("brnch=north"), ["branch"], KNOWN)
    assert told.value.remedy == "Known are: branch, everything, label, model, route."


def test_a_value_that_is_not_there_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="no model '9'") as told:
        check_scope(parse_scope("model=9"), ["branch"], KNOWN)
    assert told.value.remedy == "Known are: 1, 2."


def test_where_two_people_are_wanted_the_one_who_set_it_cannot_lift_it():
    with pytest.raises(RefusedError, match="another person"):
        lifted(a_switch(), Order("r1", "fine again", NOW), two_people=True)
    assert lifted(a_switch(), Order("r2", "fine again", NOW), two_people=True).lifted_by == "r2"
    assert lifted(a_switch(), Order("r1", "fine again", NOW), two_people=False).lifted_by == "r1"


def test_lifting_twice_is_refused_with_who_did_it_first():
    off = lifted(a_switch(), Order("r2", "fine again", NOW), two_people=False)
    with pytest.raises(RefusedError, match="lifted by r2 at 2026-03-01 12:00"):
        lifted(off, Order("r3", "me too", NOW), two_people=False)


def test_one_line_says_what_is_frozen():
    off = replace(a_switch(), lifted_at=NOW, lifted_by="r2")
    assert frozen_by([off]) == ""
    assert frozen_by([a_switch(), a_switch("branch=north", switch_id="s2")]) == (
        "frozen by s1 (everything), s2 (branch=north)"
    )
    assert frozen_by(None) == "the switches cannot be read, so everything is frozen"
