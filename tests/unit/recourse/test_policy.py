"""Who hears a complaint, and how long."""

from datetime import timedelta

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.recourse.policy import recourse_policy
from hitl_mlops.routing.policy import CLOSED
from hitl_mlops.routing.policy_file import parse_policy

ONE = 'routes: {auto: {confidence: ">= 0.9"}, standard: {confidence: "< 0.9", signatures: 1}, %s}'


@pytest.mark.parametrize(
    ("routes", "lane", "signatures"),
    [
        ('senior: {confidence: "< 0.5", skill: senior}', "senior", 1),
        ('senior: {confidence: "< 0.5"}, chief: {confidence: "< 0.2"}', "chief", 1),
        ('two: {confidence: "< 0.5", signatures: 2}', "standard", 1),
    ],
)
def test_the_strictest_route_that_one_person_closes_hears_complaints(routes, lane, signatures):
    found = recourse_policy(parse_policy(ONE % routes))
    assert (found.lane, found.signatures) == (lane, signatures)
    assert found.complaints_within == timedelta(days=30)


def test_where_two_must_always_agree_two_hear_a_complaint():
    found = recourse_policy(parse_policy('routes: {two: {confidence: ">= 0", signatures: 2}}'))
    assert (found.lane, found.signatures) == ("two", 2)


def test_the_window_is_the_policys_and_there_is_one_without_a_policy():
    told = parse_policy(ONE % 'senior: {confidence: "< 0.5"}' + "\nrecourse: {complaints_within: 8w}")
    assert recourse_policy(told).complaints_within == timedelta(weeks=8)
    assert recourse_policy(CLOSED).lane == "senior"


@pytest.mark.parametrize("said", ["soon", "-1d", "{days: 3}", "30"])
def test_a_window_that_is_no_time_span_is_told_with_its_line(said):
    with pytest.raises(ConfigurationError, match="line 2"):
        parse_policy(ONE % 'senior: {confidence: "< 0.5"}' + f"\nrecourse: {{complaints_within: {said}}}")
