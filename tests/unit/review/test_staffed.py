"""What the policy asks of people whom the roster does not have is told."""

from __future__ import annotations

from hitl_mlops.review.roster import Person, Roster, Tier
from hitl_mlops.review.staffed import unstaffed
from hitl_mlops.routing.finding import Severity
from hitl_mlops.routing.policy_file import parse_policy

POLICY = parse_policy(
    "routes:\n  auto: {confidence: '>= 0.9'}\n  standard: {confidence: '0.5..0.9'}\n"
    "  senior: {confidence: '< 0.5', skill: senior}\n  cards: {skill: cards}\n"
)
ANN = Person("r1", "ann@x.org", tier=Tier.SUPERVISOR)


def test_a_skill_that_nobody_has_is_a_warning_with_its_line():
    (found,) = unstaffed(POLICY, Roster((ANN,)))
    assert (found.severity, found.line) == (Severity.WARNING, 5)
    assert "'cards'" in found.fact


def test_without_a_roster_it_is_said_that_nothing_is_compared():
    (found,) = unstaffed(POLICY, Roster())
    assert found.severity is Severity.INFO
    assert "no skill is compared" in found.fact


def test_who_lists_the_skill_or_stands_as_high_is_enough():
    bob = Person("r2", "bob@x.org", skills=("cards",))
    assert list(unstaffed(POLICY, Roster((ANN, bob)))) == []


def test_calibration_without_a_roster_asks_nobody_which_is_said():
    policy = parse_policy("routes:\n  standard: {signatures: 1}\nreview: {calibration: {per_week: 2}}\n")
    (found,) = unstaffed(policy, Roster())
    assert "review.calibration" in found.fact
    assert list(unstaffed(policy, Roster((ANN,)))) == []
