"""What people are asked to learn from: a known share at random, the others in doubt, weighty and unlike."""

from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.review.selection import Candidates, margins_of, select

KEY = b"k" * 32


def candidates(margin, impact=None) -> Candidates:
    margins = np.asarray(margin, dtype=float)
    weights = np.ones(len(margins)) if impact is None else np.asarray(impact, dtype=float)
    return Candidates([f"d{place}" for place in range(len(margins))], margins, weights)


def in_doubt(given: Candidates, at_most: int, **how) -> list[int]:
    return list(select(given, at_most, key=KEY, name="1", random_share=0.0, **how).in_doubt)


def test_the_least_margin_comes_first():
    assert in_doubt(candidates([0.9, 0.1, 0.5]), 2) == [1, 2]


def test_doubt_is_weighed_by_impact():
    assert in_doubt(candidates([0.1, 0.2, 0.3], [0.1, 0.5, 1.0]), 2) == [2, 1]


def test_an_impact_that_is_not_known_weighs_as_much_as_any_can():
    assert in_doubt(candidates([0.5, 0.5], [0.9, np.nan]), 1) == [1]


def test_a_case_without_an_answer_is_passed_over():
    found = select(candidates([np.nan, 0.5, np.nan]), 9, key=KEY, name="1")
    assert (found.rows, found.candidates) == ((1,), 1)


@pytest.mark.parametrize("at_most", [0, -3])
def test_no_room_chooses_nothing(at_most):
    assert select(candidates([0.5]), at_most, key=KEY, name="1").rows == ()


def test_no_candidates_choose_nothing():
    found = select(candidates([]), 5, key=KEY, name="1")
    assert (found.rows, found.pi, found.candidates) == ((), 0.0, 0)


def test_with_room_for_all_all_are_chosen():
    assert sorted(select(candidates([0.1, 0.2, 0.3]), 7, key=KEY, name="1").rows) == [0, 1, 2]


def test_ties_fall_by_the_key_and_not_by_the_order():
    chosen = {
        in_doubt(candidates([0.5] * 50), 1)[0],
        *select(candidates([0.5] * 50), 1, key=b"other", name="1", random_share=0.0).rows,
    }
    assert len(chosen) == 2


def test_a_batch_asks_about_each_kind_of_case():
    kinds = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]], 5, axis=0)
    margin = np.repeat([0.10, 0.11, 0.12, 0.13], 5)
    alike = in_doubt(candidates(margin), 4)
    unlike = in_doubt(candidates(margin), 4, features=lambda rows: kinds[rows])
    assert len({tuple(kinds[row]) for row in alike}) == 1
    assert len({tuple(kinds[row]) for row in unlike}) == 4


def test_where_all_cases_are_the_same_the_batch_is_still_full():
    chosen = in_doubt(candidates(np.linspace(0, 1, 40)), 6, features=lambda rows: np.zeros((len(rows), 2)))
    assert len(set(chosen)) == 6


def test_a_small_batch_keeps_its_random_share_on_the_average():
    sizes = [len(select(candidates([0.5] * 9), 2, key=KEY, name=str(name)).at_random) for name in range(400)]
    assert set(sizes) == {0, 1}
    assert 0.3 < np.mean(sizes) < 0.5


def test_a_share_that_is_none_is_refused():
    with pytest.raises(InputError, match="share"):
        select(candidates([0.5]), 1, key=KEY, name="1", random_share=1.2)


def test_a_decision_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="twice"):
        Candidates(["a", "a"], np.zeros(2), np.ones(2))


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(InputError, match="margins"):
        Candidates(["a"], np.zeros(2), np.ones(1))


def test_the_margin_is_that_of_the_two_likeliest_classes():
    np.testing.assert_allclose(margins_of([[0.2, 0.7, 0.1], [1 / 3] * 3]), [0.5, 0.0])


def test_one_class_alone_has_its_probability_as_margin_and_none_has_no_margin():
    assert margins_of([[0.75]]).tolist() == [0.75]
    assert np.isnan(margins_of(np.empty((2, 0)))).all()
    assert margins_of(np.empty((0, 3))).shape == (0,)
