"""Guards together: which rows each holds back, what closes in doubt, what a limit counts."""

from datetime import timedelta

import pandas as pd
import pytest

from hitl_mlops.routing.breaker import BreakerState
from hitl_mlops.routing.guards import Guards
from hitl_mlops.routing.likeness import Yardstick
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.rate_limits import Budget
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws
from hitl_mlops.routing.switches import Order, Scope, Switch
from tests.builders import NOW
from tests.guard_builders import a_breaker, a_guard_board, a_limit

KEY = b"k" * 32
ROUTES = """
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "0.7..0.9"}
  senior: {confidence: "< 0.7"}
spot_checks: {auto: 1}
"""
POLICY = parse_policy(ROUTES)
NORTH = Scope("branch", "north")
ROWS = pd.DataFrame(
    {
        "confidence": [0.95, 0.95, 0.8, 0.95, None],
        "label": ["a", "b", "a", "b", ""],
        "branch": ["north", "south", "north", None, "south"],
    }
)
INPUTS = pd.DataFrame({"x": [1.0, 1.1, 5.0, None, 9.0]})
VERSIONS = ["1", "2", "1", "2", "1"]
ASKED = ["auto", "auto", "standard", "auto", "senior"]


def routed(guards, rows=ROWS, versions=VERSIONS, inputs=INPUTS):
    ids = [f"d{place}" for place in range(len(rows))]
    return route(POLICY, rows, draws(KEY, ids), guards=guards, versions=versions, inputs=inputs)


def taken(guards, **changes):
    return routed(guards, **changes).route.tolist()


def test_without_guards_the_policy_decides():
    assert taken(Guards()) == taken(None) == ASKED
    assert taken(Guards(breakers=[a_breaker(state=BreakerState.CLOSED)])) == ASKED


@pytest.mark.parametrize("state", [BreakerState.OPEN, BreakerState.HALF_OPEN])
def test_a_breaker_takes_what_would_be_automatic_and_leaves_the_rest_where_it_is(state):
    answer = routed(Guards(breakers=[a_breaker(state=state)]))

    assert answer.route.tolist() == ["senior", "senior", "standard", "senior", "senior"]
    assert answer.reasons[0] == ("breaker: b1 → senior", "confidence → auto")
    assert [any("breaker" in one for one in row) for row in answer.reasons] == [
        *(True, True, False),
        *(True, False),
    ]
    assert answer.pi.tolist() == [1.0] * 5


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (NORTH, [0, 3]),  # no value: in doubt, held back
        (Scope("branch", "missing"), [3]),
        (Scope("model", "2"), [1, 3]),
        (Scope("label", "a"), [0]),
        (Scope("gone", "x"), [0, 1, 3]),
    ],
)
def test_a_breaker_holds_back_its_scope(scope, held):
    found = taken(Guards(breakers=[a_breaker(scope=scope)]))
    assert [place for place in range(5) if found[place] != ASKED[place]] == held


def test_a_limit_lets_the_first_through_and_no_more():
    answer = routed(Guards(budgets=[Budget(a_limit(at_most=10), 8)]))

    assert answer.route.tolist() == ["auto", "auto", "standard", "senior", "senior"]
    assert answer.reasons[3] == ("limit: 10 per 1h for everything → senior", "confidence → auto")


def test_a_limit_that_is_used_up_or_overdrawn_lets_nothing_through():
    for used in (10, 25):
        assert "auto" not in taken(Guards(budgets=[Budget(a_limit(), used)]))


def test_what_is_held_back_already_uses_up_no_limit():
    guards = Guards(breakers=[a_breaker(scope=Scope("label", "a"))], budgets=[Budget(a_limit(at_most=2), 0)])
    assert taken(guards) == ["senior", "auto", "standard", "auto", "senior"]


def test_limits_count_what_was_automatic_in_their_scope():
    north = a_limit(scope=NORTH, at_most=1)
    guards = Guards(budgets=[Budget(a_limit(), 0), Budget(north, 0)])
    answer = routed(guards)

    assert answer.route.tolist() == ["auto", "auto", "standard", "senior", "senior"]
    assert answer.used == {a_limit(): 2, north: 1}
    assert routed(Guards()).used == {}


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("switches", "frozen: the switches cannot be read → senior"),
        ("breakers", "breaker: the breakers cannot be read → senior"),
        ("budgets", "limit: the counts of the rate limits cannot be read → senior"),
    ],
)
def test_a_part_that_cannot_be_read_closes(part, reason):
    answer = routed(Guards(**{part: None}))

    assert "auto" not in answer.route.tolist()
    assert reason in answer.reasons[0]


def like(decision_id="d_1", **changes):
    switch = Switch("s1", Scope("like", decision_id), "r1", "r", NOW)
    return Guards(
        **(
            {"switches": [switch], "examples": {"d_1": {"x": 1.0}}, "yardstick": Yardstick({"x": 1.0})}
            | changes
        )
    )


def test_what_is_like_a_flagged_case_goes_to_people():
    answer = routed(like())

    assert answer.route.tolist() == ["senior", "senior", "standard", "senior", "senior"]
    assert answer.reasons[0] == ("frozen: s1 → senior", "confidence → auto")


@pytest.mark.parametrize("changes", [{"examples": {}}, {"examples": {"d_2": {"x": 1.0}}}])
def test_a_flagged_case_that_cannot_be_read_is_like_all(changes):
    assert set(taken(like(**changes))) == {"senior"}


def test_inputs_that_are_not_told_are_like_every_case():
    assert set(taken(like(), inputs=None)) == {"senior"}


def test_no_rows_are_no_trouble():
    guards = Guards(
        switches=like().switches, breakers=[a_breaker(scope=NORTH)], budgets=[Budget(a_limit(), 0)]
    )
    assert taken(guards, rows=ROWS.head(0), versions=[], inputs=INPUTS.head(0)) == []


class Broken:
    """Whatever is asked of it fails."""

    def __getattr__(self, name):
        return self

    def __call__(self, *arguments):
        raise RuntimeError(arguments)


LIMITED = parse_policy(ROUTES + "guards: {rate_limits: [{at_most: 5, per: 1h}]}\n")


def test_the_board_reads_all_and_keeps_what_was_used():
    board = a_guard_board()
    board.breakers.keep(a_breaker(scope=NORTH))
    board.breakers.keep(a_breaker(breaker_id="b2", state=BreakerState.CLOSED))
    guards = board.read(LIMITED, NOW)
    assert guards == Guards(
        breakers=[a_breaker(scope=NORTH)], budgets=[Budget(a_limit(at_most=5), 0)], switches=()
    )

    board.tell(routed(guards).used, NOW)
    again = board.read(LIMITED, NOW + timedelta(minutes=1))
    assert [one.used for one in again.budgets] == [1]
    assert board.read(POLICY, NOW).budgets == []


def test_examples_are_read_only_where_something_is_frozen_like_one():
    board = a_guard_board(examples=Broken(), yardstick=Broken())
    assert board.read(None, NOW).nothing
    board.switches.add(Scope("like", "d_1"), Order("r1", "flagged", NOW))
    assert set(taken(board.read(POLICY, NOW))) == {"senior"}

    whole = a_guard_board(switches=board.switches).read(POLICY, NOW)
    assert (whole.examples, whole.yardstick) == ({"d_1": {"x": 1.0}}, Yardstick({"x": 2.0}))


@pytest.mark.parametrize(
    ("part", "field"), [("switches", "switches"), ("breakers", "breakers"), ("limits", "budgets")]
)
def test_a_broken_part_is_told_apart_from_an_empty_one(part, field):
    guards = a_guard_board(**{part: Broken()}).read(LIMITED, NOW)

    assert getattr(guards, field) is None
    assert not guards.nothing
    assert "auto" not in taken(guards)
