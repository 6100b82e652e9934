"""The breaker's states: what opens it, what closes it, what is too little to say."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.errors import RefusedError
from hitl_mlops.routing.breaker import (
    LONGEST_OPEN,
    BreakerState,
    figures_of,
    first_opening,
    open_for,
    reset,
    stepped,
)
from hitl_mlops.routing.conditions import Within
from hitl_mlops.routing.switches import Scope
from tests.builders import NOW
from tests.guard_builders import HALF_AN_HOUR, a_breaker, a_rule, seen

NORTH = Scope("branch", "north")
LATER = NOW + timedelta(hours=1)
HELD = {"at": LATER, "held_by": frozenset({"b1"})}


def half_open(**changes):
    return a_breaker(state=BreakerState.HALF_OPEN, until=None, counts_from=LATER, **changes)


def opening(answers, rule=None, scope=None):
    return first_opening(scope or Scope(), "b1", answers, rule or a_rule(), NOW)


def test_too_many_overrides_open_it_for_the_time_of_the_rule():
    opened = opening(seen(20, overridden=10))

    assert opened == a_breaker()
    assert opened.until == NOW + HALF_AN_HOUR


@pytest.mark.parametrize("answers", [[], seen(9, overridden=9), seen(20, overridden=5)])
def test_too_few_answers_or_overrides_leave_it_closed(answers):
    assert opening(answers) is None


def test_only_the_latest_window_counts():
    assert opening([*seen(20, overridden=20), *seen(20)]) is None
    assert opening([*seen(20), *seen(20, overridden=20)]) is not None


def test_other_scopes_do_not_count():
    north = seen(20, overridden=20, scopes=frozenset({NORTH}))

    assert opening(north) is None
    assert opening(north, scope=NORTH).scope == NORTH


def test_a_spot_check_counts_for_those_that_nobody_saw():
    reviewed, checked = seen(15, overridden=15), seen(5, pi=0.05)

    assert figures_of([*reviewed, *checked]).values["override_rate"] == pytest.approx(15 / 115)
    assert opening([*reviewed, *checked]) is None
    assert opening([*reviewed, *seen(5, overridden=5, pi=0.05)]) is not None


@pytest.mark.parametrize(
    ("figure", "answers"),
    [
        ("error_rate", seen(20, failed=True, confidence=None)),
        ("calibration_gap", seen(20, overridden=19, confidence=0.99)),
    ],
)
def test_other_figures_open_it_too(figure, answers):
    rule = a_rule(bounds={figure: Within(figure, low=0.3, low_included=False)})

    assert opening(answers, rule).figures[figure] > 0.3
    assert opening(seen(20, confidence=1.0), rule) is None


def test_a_bound_that_is_included_opens_at_its_value():
    answers = seen(20, overridden=12)
    low = figures_of(answers).low["override_rate"]
    below, at = (
        a_rule(bounds={"override_rate": Within("override_rate", low=low, low_included=included)})
        for included in (False, True)
    )

    assert (opening(answers, below), opening(answers, at) is not None) == (None, True)


def test_what_may_be_chance_does_not_open_it():
    assert opening(seen(20, overridden=6)) is None
    assert opening([*seen(19), *seen(1, overridden=1, pi=0.1)]) is None
    assert opening(seen(20, overridden=9)) is not None


def test_an_open_one_waits_for_its_time_whatever_is_answered():
    early = stepped(a_breaker(), seen(50, at=NOW), a_rule(), NOW + HALF_AN_HOUR - timedelta(seconds=1))
    due = stepped(a_breaker(), [], a_rule(), LATER)

    assert early == a_breaker()
    assert (due.state, due.until, due.counts_from) == (BreakerState.HALF_OPEN, None, NOW + HALF_AN_HOUR)
    assert due.holds


@pytest.mark.parametrize(
    "answers",
    [
        [],
        seen(4, **HELD),
        seen(50, at=LATER),
        seen(50, at=NOW, held_by=frozenset({"b1"})),
        seen(50, at=LATER, held_by=frozenset({"b2"})),
    ],
)
def test_a_half_open_one_stays_until_its_own_trial_is_answered(answers):
    assert stepped(half_open(), answers, a_rule(), LATER) == half_open()


def test_a_good_trial_closes_it_and_what_was_before_counts_no_more():
    after = stepped(half_open(), seen(5, overridden=1, **HELD), a_rule(), LATER)

    assert (after.state, after.openings, after.counts_from) == (BreakerState.CLOSED, 0, LATER)
    assert not after.holds
    assert stepped(after, seen(20, overridden=20, at=NOW), a_rule(), LATER) == after


def test_a_bad_trial_opens_it_for_twice_as_long_and_again():
    bad = seen(5, overridden=2, **HELD)
    twice = stepped(half_open(), bad, a_rule(), LATER)
    fourfold = stepped(half_open(openings=2), bad, a_rule(), LATER)

    assert (twice.state, twice.until - LATER, twice.openings) == (BreakerState.OPEN, 2 * HALF_AN_HOUR, 2)
    assert fourfold.until - LATER == 4 * HALF_AN_HOUR


def test_cases_left_unanswered_meanwhile_fail_the_trial_of_an_error_rate():
    rule = a_rule(bounds={"error_rate": Within("error_rate", low=0.25, low_included=False)})
    silent = seen(5, at=LATER, failed=True, confidence=None)

    assert stepped(half_open(), seen(5, **HELD), rule, LATER).state is BreakerState.CLOSED
    assert stepped(half_open(), [*seen(5, **HELD), *silent], rule, LATER).state is BreakerState.OPEN


def test_doubling_ends_at_a_week_or_at_what_the_rule_says():
    assert open_for(a_rule(), 1_000) == LONGEST_OPEN
    assert open_for(a_rule(opens_for=2 * LONGEST_OPEN), 3) == 2 * LONGEST_OPEN


@pytest.mark.parametrize("state", [BreakerState.OPEN, BreakerState.HALF_OPEN])
def test_a_person_closes_it_and_what_was_before_counts_no_more(state):
    after = reset(a_breaker(state=state, openings=3), LATER)

    assert (after.state, after.openings, after.counts_from) == (BreakerState.CLOSED, 0, LATER)
    assert stepped(after, seen(20, overridden=20), a_rule(), LATER) == after
    with pytest.raises(RefusedError, match="has been closed since"):
        reset(after, LATER)


def test_it_can_open_again_after_it_was_closed():
    closed = replace(reset(a_breaker(), NOW), counts_from=NOW)
    again = stepped(closed, seen(20, overridden=20), a_rule(), LATER)

    assert (again.breaker_id, again.state, again.openings) == ("b1", BreakerState.OPEN, 1)
    assert again.until == LATER + HALF_AN_HOUR
