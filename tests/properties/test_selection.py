"""What must hold of any choice of questions, whatever the model said."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.review.selection import Candidates, select

margins = st.one_of(st.floats(0, 1), st.just(float("nan")))
cases = st.lists(st.tuples(margins, st.one_of(st.floats(0, 1), st.just(float("nan")))), max_size=40)
shares = st.floats(0, 1)


def of(given_cases, order=None) -> Candidates:
    places = range(len(given_cases)) if order is None else order
    rows = np.array([given_cases[place] for place in places], dtype=float).reshape(-1, 2)
    return Candidates([f"d{place}" for place in places], rows[:, 0], rows[:, 1])


@given(cases, st.integers(-2, 60), shares)
def test_nothing_is_chosen_twice_nor_more_than_there_is_room_for(found, at_most, share):
    chosen = select(of(found), at_most, key=b"k", name="n", random_share=share)
    known = int(np.isfinite([margin for margin, _ in found]).sum())
    assert len(set(chosen.rows)) == len(chosen.rows) == min(max(at_most, 0), known)
    assert all(np.isfinite(found[row][0]) for row in chosen.rows)
    assert 0 <= chosen.pi <= 1


@settings(deadline=None, max_examples=50)
@given(cases, st.integers(0, 12), st.data())
def test_the_order_of_the_candidates_changes_nothing(found, at_most, data):
    order = data.draw(st.permutations(range(len(found))))
    numbers = np.array([[place * 3 % 7, place % 5] for place in range(len(found))], dtype=float)
    there = select(of(found), at_most, key=b"k", name="n", features=lambda rows: numbers[rows])
    here = select(
        of(found, order), at_most, key=b"k", name="n", features=lambda rows: numbers[np.array(order)[rows]]
    )
    assert {order[row] for row in here.at_random} == set(there.at_random)
    assert {order[row] for row in here.in_doubt} == set(there.in_doubt)


@given(cases, st.integers(0, 50), st.text(max_size=5))
def test_the_same_key_and_name_choose_the_same(found, at_most, name):
    assert select(of(found), at_most, key=b"k", name=name) == select(of(found), at_most, key=b"k", name=name)


def test_each_candidate_is_drawn_as_often_as_its_probability_says():
    margin = np.linspace(0, 1, 30)
    given_cases = Candidates([f"d{place}" for place in range(30)], margin, margin)
    times, counts = 2_000, np.zeros(30)
    for name in range(times):
        chosen = select(given_cases, 7, key=b"k", name=str(name), random_share=0.35)
        counts[list(chosen.at_random)] += 1
    expected = times * chosen.pi
    spread = np.sqrt(expected * (1 - chosen.pi))
    assert np.abs(counts - expected).max() < 4.5 * spread
