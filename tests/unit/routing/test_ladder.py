"""The automatic end of a policy's tiers, and the same policy with another one."""

from __future__ import annotations

import pandas as pd
import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.ladder import automatic_from, confidence_tests, with_automatic_from
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws

KEY = b"k" * 32
PLAIN = """
routes:
  auto: {confidence: ">= 0.92"}
  standard: {confidence: "0.75..0.92"}
  senior: {confidence: "< 0.75"}
"""
WITH_CHECK = """
routes:
  auto: {confidence: "> 0.92"}
  check: {confidence: "0.85..0.92", checks: [sum], else: standard}
  standard: {confidence: "0.75..0.85"}
  senior: {confidence: "< 0.75"}
  two: {when: {confidence: "< 0.6", amount: ">= 10"}, signatures: 2}
"""


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.95, (">= 0.95", "0.75..0.95", "< 0.75")),
        (0.9, (">= 0.9", "0.75..0.9", "< 0.75")),
        (0.75, (">= 0.75", None, "< 0.75")),
        (0.6, (">= 0.6", None, "< 0.6")),
        (0.0, (">= 0", None, None)),
    ],
)
def test_tiers_meet_at_the_new_threshold(threshold, expected):
    moved = with_automatic_from(parse_policy(PLAIN), threshold)

    assert tuple(confidence_tests(moved).values()) == expected


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.95, (">= 0.95", None, "0.75..0.95", "< 0.75", None)),
        (0.88, ("> 0.92", "0.88..0.92", "0.75..0.88", "< 0.75", None)),
        (0.8, ("> 0.92", "0.8..0.92", "0.75..0.8", "< 0.75", None)),
    ],
)
def test_a_checked_tier_is_automatic_too(threshold, expected):
    policy = parse_policy(WITH_CHECK)

    assert automatic_from(policy) == 0.85
    assert tuple(confidence_tests(with_automatic_from(policy, threshold)).values()) == expected


@pytest.mark.parametrize("threshold", [1.0, 0.95, 0.92, 0.8, 0.75, 0.5, 0.001])
def test_no_confidence_is_left_between_the_tiers_and_none_below_is_automatic(threshold):
    columns = pd.DataFrame({"confidence": [place / 1_000 for place in range(1_001)]})
    moved = with_automatic_from(parse_policy(PLAIN), threshold)
    found = route(moved, columns, draws(KEY, [f"d{place}" for place in range(1_001)]))

    assert (found.route == "auto").tolist() == (columns["confidence"] >= threshold).tolist()
    assert not any("no confidence tier" in reason for reasons in found.reasons for reason in reasons)


def test_what_when_says_of_confidence_stays():
    moved = with_automatic_from(parse_policy(WITH_CHECK), 0.3)
    columns = pd.DataFrame({"confidence": [0.5, 0.5], "amount": [20.0, 1.0]})

    found = route(moved, columns, draws(KEY, ["a", "b"]), checks={"sum": lambda rows: [True] * len(rows)})

    assert found.route.tolist() == ["two", "check"]


def test_people_for_those_who_are_too_sure_stay_where_they_are():
    policy = parse_policy(
        "routes: {auto: {confidence: '0.9..0.99'}, people: {confidence: '< 0.9'}, "
        "odd: {confidence: '>= 0.99'}}"
    )

    assert list(confidence_tests(with_automatic_from(policy, 0.8)).values()) == [
        "0.8..0.99",
        "< 0.8",
        ">= 0.99",
    ]


def test_a_policy_without_an_automatic_tier_has_nothing_to_move():
    with pytest.raises(ConfigurationError, match="No automatic route"):
        automatic_from(parse_policy("routes: {standard: {confidence: '< 2'}}"))
