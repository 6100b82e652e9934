"""A new policy on recorded history: what changes, with figures that stand for all decisions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.errors import ConfigurationError, InputError
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws
from hitl_mlops.routing.simulate import History, Terms, margins, simulate

KEY = b"k" * 32
OLD = parse_policy("""
routes: {auto: {confidence: ">= 0.7"}, senior: {confidence: "< 0.7", within: 4h}}
spot_checks: {auto: 0.2}
""")
STRICTER = parse_policy("""
routes: {auto: {confidence: ">= 0.9"}, senior: {confidence: "< 0.9", within: 1h}}
spot_checks: {auto: 0.2}
""")


def a_history(count=4000, seed=5, policy=OLD):
    """Decisions routed by the old policy, wrong as often as the confidence says; and the truth."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1, count)
    columns = pd.DataFrame({"confidence": confidence, "margin": 2 * confidence - 1, "label": "a"})
    ids = [f"d_{seed}_{place}" for place in range(count)]
    routes = route(policy, columns, draws(KEY, ids))
    wrong = rng.random(count) > confidence
    reviewed = routes.signatures > 0
    history = History(
        columns=columns,
        case_ids=ids,
        at=pd.date_range("2026-03-01", periods=count, freq="5min", tz="UTC"),
        route=routes.route,
        signatures=routes.signatures,
        spot_check=routes.spot_check,
        within_h=np.full(count, 4.0),
        pi=routes.pi,
        reviewed=reviewed,
        wrong=wrong & reviewed,
    )
    return history, wrong


def test_the_same_policy_changes_nothing():
    history, _ = a_history()
    found = simulate(history, OLD, KEY, terms=Terms(per_hour=20))
    assert found.moved == 0
    assert found.old == found.new
    assert found.slips_change.value == 0
    assert found.policy_hash == OLD.hash


def test_who_changes_route_is_counted_pair_by_pair():
    history, _ = a_history()
    found = simulate(history, STRICTER, KEY)
    confidence = history.columns["confidence"]
    assert (
        found.moves["auto", "senior"]
        == found.moved
        == int(confidence.between(0.7, 0.9, inclusive="left").sum())
    )
    assert sum(found.moves.values()) == found.decisions == 4000
    assert found.new.decisions == {
        "senior": int((confidence < 0.9).sum()),
        "auto": int((confidence >= 0.9).sum()),
    }


def test_reviews_are_what_people_would_be_asked_for_spot_checks_with_them():
    history, _ = a_history()
    routes = route(STRICTER, history.columns, draws(KEY, history.case_ids))
    new = simulate(history, STRICTER, KEY, terms=Terms(minutes=3)).new
    assert sum(new.reviews.values()) == int(routes.signatures.sum())
    assert new.spot_checks == new.reviews["auto"] == int(routes.spot_check.sum())
    assert new.review_hours == pytest.approx(int(routes.signatures.sum()) * 3 / 60)
    assert sum(hour.mean for hour in new.by_hour) * 14 == pytest.approx(sum(new.reviews.values()))


@pytest.mark.parametrize("policy", [OLD, STRICTER], ids=["old", "stricter"])
def test_slips_of_all_decisions_are_covered_though_few_were_reviewed(policy):
    covered, runs = 0, 100
    for seed in range(runs):
        history, wrong = a_history(count=1500, seed=seed)
        found = simulate(history, policy, KEY)
        truth = (
            wrong & (route(policy, history.columns, draws(KEY, history.case_ids)).route == "auto")
        ).mean()
        low, high = found.new.slips.interval
        covered += low <= truth <= high
    assert covered >= 88  # 95 % of 100 runs, less three standard errors


def test_expected_slips_and_their_cost_are_the_share_of_all_decisions():
    history, _ = a_history()
    new = simulate(history, STRICTER, KEY, terms=Terms(slip_cost=10)).new
    assert new.expected_slips[0] == pytest.approx(4000 * new.slips.value)
    assert new.slip_cost == pytest.approx(10 * new.expected_slips[0])
    assert new.expected_slips[1] <= new.expected_slips[0] <= new.expected_slips[2]


def test_a_stricter_policy_lets_less_slip_and_the_paired_interval_says_so():
    change = simulate(a_history()[0], STRICTER, KEY).slips_change
    assert change.high < 0


def test_a_staff_too_small_is_late_by_the_time_each_policy_allows():
    history, _ = a_history()
    enough, short = (simulate(history, STRICTER, KEY, terms=Terms(per_hour=each)) for each in (60, 8))
    assert enough.new.queue.late == 0
    assert short.new.queue.late > short.old.queue.late == 0
    assert short.new.queue.tickets == sum(short.new.reviews.values())


def test_nothing_reviewed_gives_no_slips_and_no_cost():
    history, _ = a_history(count=20)
    blind = History(
        **{name: getattr(history, name) for name in History.__slots__}
        | {"reviewed": np.zeros(20, dtype=bool)}
    )
    found = simulate(blind, STRICTER, KEY, terms=Terms(slip_cost=1))
    assert found.new.slips.value is None
    assert found.new.expected_slips is found.new.slip_cost is None
    assert found.awaited == int((history.signatures > 0).sum())


def test_what_cannot_be_tried_is_refused():
    history, _ = a_history(count=10)
    for terms in (Terms(per_hour=0), Terms(minutes=-1), Terms(slip_cost=-1), Terms(per_hour=float("nan"))):
        with pytest.raises(InputError):
            simulate(history, OLD, KEY, terms=terms)
    with pytest.raises(ConfigurationError, match="amount"):
        simulate(history, parse_policy("routes: {auto: {when: {amount: 1}}, senior: {}}"), KEY)
    empty = History(pd.DataFrame({"confidence": []}), [], pd.DatetimeIndex([], tz="UTC"), *[np.array([])] * 7)
    with pytest.raises(InputError, match="no recorded decisions"):
        simulate(empty, OLD, KEY)


def test_margins_come_from_the_stored_probabilities():
    assert margins([{"a": 0.5, "b": 0.25, "c": 0.25}, {"a": 1.0}]).tolist() == [0.25, 1.0]
    assert np.isnan(margins([{}])).all()


COSTS = "costs: {wrong: {a: 100, default: 5}, review: 4, budget: 10}"


def test_the_costs_of_both_policies_are_those_of_the_new_ones_section():
    history, _ = a_history(count=400)
    new = parse_policy(f"""
{COSTS}
routes: {{auto: {{confidence: ">= 0.7"}}, senior: {{confidence: "< 0.7", within: 4h}}}}
spot_checks: {{auto: 0.2}}
""")
    found = simulate(history, new, KEY)
    out = (history.signatures == 0) | history.spot_check
    expected = 100 * (1 - history.columns["confidence"].to_numpy())
    assert found.old.costs.mistakes == pytest.approx(expected[out].sum())
    assert found.old.costs.reviews == 4 * history.signatures.sum()
    assert found.old.costs.above_budget == (expected[out] > 10).sum()
    assert found.new.costs.above_budget == 0
    assert found.new.costs.mistakes <= 4 * found.new.decisions["auto"]
    assert found.new.costs.total == found.new.costs.mistakes + found.new.costs.reviews
    assert simulate(history, OLD, KEY).new.costs is None


def test_what_is_permitted_to_some_versions_goes_by_the_version_that_answered():
    history, _ = a_history(count=50)
    new = parse_policy("actions: [{may: [a], model: [2]}]\nroutes: {auto: {confidence: '>= 0'}, senior: {}}")
    known = replace(history, versions=["2"] * 25 + ["3"] * 25)
    assert simulate(known, new, KEY).new.decisions == {"auto": 25, "senior": 25}
    assert simulate(history, new, KEY).new.decisions == {"senior": 50}
