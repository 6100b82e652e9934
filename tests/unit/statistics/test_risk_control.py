"""The promise holds as often as it says, whatever was reviewed; and what cannot be promised is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.risk_control import (
    THRESHOLDS,
    certify,
    decisions_needed,
    fixed_bet,
    past_decisions,
    slip_p_values,
)

TARGET, DELTA = 0.01, 0.05
GOAL = {"target": TARGET, "delta": DELTA}


def true_slips(threshold):
    """E[0.62 (1 - c) 1{c >= t}] for c ~ Beta(6, 1.2)."""
    return 0.62 * 1.2 / 7.2 * beta.sf(threshold, 6, 2.2)


def a_past(rng, size, *, spot=None, floor=None):
    """All reviewed, or 3 % and the like from .92 on."""
    confidence = rng.beta(6, 1.2, size)
    wrong = rng.random(size) < 0.62 * (1 - confidence)
    pi = np.ones(size) if spot is None else np.where(confidence >= 0.92, spot, 1.0)
    reviewed = rng.random(size) < pi
    return past_decisions(confidence, wrong & reviewed, reviewed, pi, floor=floor)


def share_broken(seed, draws, size, **how):
    rng = np.random.default_rng(seed)
    found = [certify(a_past(rng, size, **how), **GOAL).threshold for _ in range(draws)]
    return np.mean([one is not None and true_slips(one) > TARGET for one in found])


@pytest.mark.parametrize("size", [500, 2_000])
def test_the_promise_is_broken_no_more_often_than_delta_where_all_was_reviewed(size):
    assert share_broken(1, 1_000, size) <= DELTA + 2 * np.sqrt(DELTA * (1 - DELTA) / 1_000)


@pytest.mark.parametrize(("size", "spot"), [(4_000, 0.3), (20_000, 0.1)])
def test_the_promise_is_broken_no_more_often_than_delta_where_few_were_reviewed(size, spot):
    assert share_broken(2, 400, size, spot=spot) <= DELTA


@pytest.mark.parametrize(("size", "spot"), [(3_000, 0.1), (3_000, 0.5)])
def test_the_p_value_of_a_true_hypothesis_is_small_no_more_often_than_it_says(size, spot):
    """At the threshold whose true slip rate is just the target, at levels the bet was not chosen for too."""
    rng = np.random.default_rng(3)
    at = np.array([THRESHOLDS[np.searchsorted(true_slips(THRESHOLDS), TARGET)]])
    found = [slip_p_values(a_past(rng, size, spot=spot), thresholds=at, **GOAL)[0] for _ in range(1_000)]

    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(found) <= level) <= level


def test_with_one_probability_for_all_the_bet_gives_way_to_binomial_tails():
    past = past_decisions([0.9] * 10, [True] + [False] * 9, [True] * 4 + [False] * 6, [0.5] * 10)
    found = certify(past, **GOAL)

    assert found.exact
    assert found.p_values[-1] == pytest.approx(binom.cdf(1, 10, TARGET * 0.5))


def test_the_bet_is_never_weaker_than_hoeffdings_bound_at_its_level():
    decisions, floor = 20_000, 0.05
    bet = fixed_bet(decisions, floor=floor, **GOAL)
    mean = TARGET * floor
    for slips in range(8):
        seen = slips / decisions
        parts = (seen * np.log(seen / mean) if slips else 0.0) + (1 - seen) * np.log((1 - seen) / (1 - mean))
        hoeffding = np.exp(-decisions * parts) if seen < mean else 1.0
        stake = (decisions - slips) * np.log1p(bet * TARGET) + slips * np.log1p(bet * (TARGET - 1 / floor))
        assert (stake >= np.log(1 / DELTA)) or hoeffding > DELTA


def test_a_slip_that_was_surely_seen_weighs_less_than_one_that_a_spot_check_found():
    confidence, pi = np.full(20_000, 0.9), np.where(np.arange(20_000) < 600, 1.0, 0.05)
    reviewed = (np.arange(20_000) < 600) | (np.arange(20_000) % 20 == 0)

    def p_value(place):
        wrong = np.arange(20_000) == place
        return slip_p_values(past_decisions(confidence, wrong, reviewed, pi), **GOAL)[-1]

    assert p_value(5) < p_value(10_000)


def test_nothing_reviewed_promises_nothing():
    past = past_decisions([0.9] * 50, [False] * 50, [False] * 50, [0.01] * 50)

    assert certify(past, **GOAL).threshold is None
    assert not certify(past, **GOAL).proven.any()
    assert decisions_needed(past, 0.9, **GOAL) is None


def test_no_decision_promises_nothing():
    assert certify(past_decisions([], []), **GOAL).threshold is None


def test_all_wrong_promises_nothing():
    past = past_decisions([0.99] * 5_000, [True] * 5_000)

    assert certify(past, **GOAL).threshold is None
    assert decisions_needed(past, 0.99, **GOAL) is None


def test_a_promise_that_lets_nothing_through_is_none():
    past = past_decisions([0.5] * 5_000, [True] * 5_000)

    assert certify(past, **GOAL).proven[0]
    assert certify(past, **GOAL).threshold is None


def test_decisions_of_one_confidence_are_let_through_together_or_not_at_all():
    wrong = [True] * 30 + [False] * 970
    tied = past_decisions([0.9] * 1_000, wrong)
    above = past_decisions([0.9] * 1_000 + [0.95] * 1_000, wrong + [False] * 1_000)

    assert certify(tied, **GOAL).threshold is None
    assert certify(above, **GOAL).threshold == 0.95


def test_the_order_of_the_decisions_changes_nothing():
    rng = np.random.default_rng(4)
    past = a_past(rng, 5_000, spot=0.3)
    mixed = rng.permutation(5_000)
    parts = (past.confidence, past.wrong, past.reviewed, past.pi)
    again = past_decisions(*(part[mixed] for part in parts))

    assert np.allclose(slip_p_values(past, **GOAL), slip_p_values(again, **GOAL), rtol=1e-9)


def test_the_probability_may_stand_at_the_floor_and_a_lower_floor_proves_less():
    confidence, pi = [0.9] * 4_000, [0.1] * 3_990 + [1.0] * 10
    reviewed = [place % 10 == 0 or place >= 3_990 for place in range(4_000)]

    def p_value(floor):
        past = past_decisions(confidence, [False] * 4_000, reviewed, pi, floor=floor)
        return slip_p_values(past, **GOAL)[-1]

    assert (1 - 0.01 * 0.1) ** 4_000 < p_value(0.1) < DELTA
    assert p_value(0.01) > 0.5


def test_those_who_are_never_automatic_cannot_slip_and_count_as_decisions():
    doubtful = past_decisions(
        [0.9] * 400, [True] * 100 + [False] * 300, eligible=[False] * 100 + [True] * 300
    )

    assert certify(doubtful, **GOAL).threshold == 0.9


def test_an_answer_that_is_awaited_counts_as_wrong():
    confidence, reviewed = [0.9] * 600, [True] * 550 + [False] * 50
    silent = past_decisions(confidence, [False] * 600, reviewed)
    told = past_decisions(confidence, [False] * 600, reviewed, [0.9] * 600, awaited=~np.array(reviewed))

    assert int(silent.awaited.sum()) == 50
    assert certify(silent, **GOAL).threshold is None
    assert certify(told, **GOAL).threshold is None


def test_labels_that_were_lost_are_noticed():
    with pytest.raises(InputError, match=r"0 decisions are reviewed or awaited where .* about 600"):
        past_decisions([0.9] * 20_000, [False] * 20_000, [False] * 20_000, [0.03] * 20_000)


@pytest.mark.parametrize("confidence", [np.nan, -0.1, 1.1, np.inf])
def test_a_confidence_that_is_none_is_refused(confidence):
    with pytest.raises(InputError, match="confidence is missing or outside"):
        past_decisions([0.9, confidence], [False, False])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pi": [0.0, 1.0]}, "no review probability"),
        ({"pi": [np.nan, 1.0]}, "no review probability"),
        ({"pi": [0.5, 1.0], "floor": 0.6}, "floor 0.6"),
        ({"floor": 0.0}, "floor 0"),
        ({"wrong": [0.5, 0.0]}, "neither right nor wrong"),
        ({"wrong": [False]}, "differ in shape"),
    ],
)
def test_arrays_that_mean_nothing_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        past_decisions(**({"confidence": [0.9, 0.8], "wrong": [False, False]} | changes))


@pytest.mark.parametrize(
    ("target", "delta", "thresholds", "words"),
    [
        (0.0, 0.05, THRESHOLDS, "target 0"),
        (0.01, 1.0, THRESHOLDS, "delta 1"),
        (np.nan, 0.05, THRESHOLDS, "target nan"),
        (0.01, 0.05, THRESHOLDS[::-1], "do not descend"),
    ],
)
def test_goals_that_mean_nothing_are_refused(target, delta, thresholds, words):
    with pytest.raises(InputError, match=words):
        certify(past_decisions([0.9], [False]), target=target, delta=delta, thresholds=thresholds)


def test_so_many_decisions_as_are_said_to_be_needed_do_prove_it():
    rng = np.random.default_rng(5)
    confidence = rng.uniform(0.9, 1.0, 200)
    wrong = np.zeros(200, dtype=bool)
    needed = decisions_needed(past_decisions(confidence, wrong), 0.95, **GOAL)

    assert needed == 299
    more = np.resize(confidence, needed)
    assert certify(past_decisions(more, np.zeros(needed, dtype=bool)), **GOAL).threshold <= 0.95
