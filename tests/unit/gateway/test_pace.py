"""What batches of lately tell about the wait of a case, whatever they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.gateway.pace import GATHERS_AT_MOST_S, Pace, again_in_s

BATCHES = st.lists(st.tuples(st.integers(1, 1_000), st.floats(0, 60)), max_size=30)


def pace_after(batches):
    pace = Pace()
    for rows, seconds in batches:
        pace = pace.after(rows, seconds)
    return pace


def test_before_any_batch_nothing_is_known_and_nobody_waits():
    assert (Pace().of_a_case_s, Pace().of_a_batch_s, Pace().wait_s(10_000)) == (0, 0, 0)


def test_the_time_of_a_batch_and_that_of_a_case_are_told_apart():
    pace = pace_after((rows, 0.010 + 0.0005 * rows) for rows in (10, 200, 400, 20, 300, 100))
    assert pace.of_a_case_s == pytest.approx(0.0005, rel=0.05)
    assert pace.of_a_batch_s == pytest.approx(0.010, rel=0.3)


@pytest.mark.parametrize("rows", [1, 16, 300])
def test_where_all_batches_have_one_size_each_is_thought_to_cost_as_fifty_cases_besides(rows):
    assert pace_after([(rows, 0.01)] * 20).of_a_case_s == pytest.approx(0.01 / (rows + 50))


@given(st.lists(st.tuples(st.integers(290, 310), st.floats(0.03, 0.06)), min_size=10, max_size=40))
def test_under_a_steady_load_chance_does_not_make_a_case_seem_free(batches):
    assert 0.00005 < pace_after(batches).of_a_case_s < 0.0003


def test_chance_among_small_batches_is_not_taken_for_the_cost_of_a_case():
    pace = pace_after([(1, 0.008), (2, 0.014)] * 10)
    assert pace.wait_s(16) < 0.03


def test_a_model_that_has_become_quick_again_is_soon_believed():
    slow = [(rows, 0.1 * rows) for rows in (10, 100, 10, 100)]
    quick = [(rows, 0.001 * rows) for rows in (10, 100) * 40]
    assert pace_after(slow).of_a_case_s > 0.05
    assert pace_after(slow + quick).of_a_case_s < 0.002


@given(st.lists(st.tuples(st.integers(1, 16), st.floats(0.005, 0.5)), max_size=40))
def test_sixteen_callers_of_one_case_each_are_let_in_however_slow_and_uneven_batches_are(batches):
    assert pace_after(batches).allows(16, 0.1)


@given(st.integers(1, 49), st.floats(0, 60))
def test_callers_who_share_a_batch_that_takes_its_time_are_let_in(callers, seconds):
    assert pace_after([(callers, seconds)] * 20).allows(callers, 0.1)


def test_what_comes_at_more_than_the_pace_is_not_let_in_for_ever():
    pace = pace_after((rows, 0.010 + 0.0002 * rows) for rows in (100, 300, 200, 400) * 5)
    assert pace.allows(300, 0.1)
    assert not pace.allows(800, 0.1)


@given(BATCHES, st.integers(0, 10_000), st.integers(0, 10_000))
def test_whatever_batches_took_more_ahead_is_never_less_to_wait(batches, ahead, more):
    pace = pace_after(batches)
    assert 0 <= pace.wait_s(ahead) <= pace.wait_s(ahead + more)


@given(BATCHES.filter(bool))
def test_whatever_batches_took_no_part_is_negative_or_more_than_all_of_it(batches):
    pace = pace_after(batches)
    seconds = max(each for _, each in batches)
    assert 0 <= pace.of_a_batch_s <= seconds * 1.001
    assert 0 <= pace.of_a_case_s * min(one for one, _ in batches) <= seconds * 1.001
    assert 0 <= pace.gathers_s <= GATHERS_AT_MOST_S


@pytest.mark.parametrize(("wait_s", "again"), [(0, 1), (0.2, 1), (1.2, 2), (30, 30)])
def test_one_is_told_to_come_again_in_whole_seconds(wait_s, again):
    assert again_in_s(wait_s) == again
