"""What must hold for any data that can reach the estimators."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.statistics.calibration import calibration_gap
from hitl_mlops.statistics.drift import benjamini_hochberg, binned, permutation_p
from hitl_mlops.statistics.label_free import label_free_accuracy
from hitl_mlops.statistics.rates import difference, difference_of_all, rate
from hitl_mlops.statistics.sequential import agreed_between, harm_e, non_inferiority_e

differences = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=60)
chances = st.floats(0.01, 1.0)
decisions = st.lists(st.tuples(st.booleans(), st.booleans(), chances, st.booleans()), max_size=40)
cells = st.one_of(st.none(), st.integers(-3, 3), st.floats(), st.text(max_size=3), st.booleans())


@given(differences, st.floats(0, 0.5))
def test_every_e_value_is_positive_and_finite(found, margin):
    for path in (non_inferiority_e(found, margin), harm_e(found)):
        assert path.shape == (len(found) + 1,)
        assert np.isfinite(path).all()
        assert (path > 0).all()


@given(differences)
def test_the_order_of_labels_does_not_change_the_final_evidence(found):
    there = non_inferiority_e(found, 0.01)[-1]

    np.testing.assert_allclose(non_inferiority_e(found[::-1], 0.01)[-1], there)


@given(differences, st.data())
def test_what_was_seen_stays_as_it_was_when_more_labels_come(found, data):
    disagreed = data.draw(st.lists(st.booleans(), min_size=len(found), max_size=80)) + [True] * len(found)
    cut = data.draw(st.integers(0, len(found)))
    whole = non_inferiority_e(found, 0.01, agreed=agreed_between(disagreed, len(found)))
    earlier = non_inferiority_e(found[:cut], 0.01, agreed=agreed_between(disagreed, cut))

    np.testing.assert_allclose(whole[: cut + 1], earlier)


@given(decisions)
def test_every_interval_holds_its_estimate_inside_its_range(rows):
    ours, theirs, pi, seen = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    )
    change = np.subtract(ours, theirs, dtype=float)

    found = [
        (rate(ours, pi, seen), 0.0),
        (difference(ours, theirs, pi, seen), -1.0),
        (difference_of_all(change, change != 0, pi, seen), -1.0),
    ]
    for one, lowest in found:
        if one.value is None:
            assert one.interval is None
        else:
            assert lowest <= one.low <= one.value <= one.high <= 1.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), chances), max_size=50))
@settings(deadline=None)
def test_a_calibration_gap_is_a_share_inside_its_interval(rows):
    sure, right, pi = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    gap = calibration_gap(sure, right, 1 / np.asarray(pi, dtype=float))

    assert gap.value is None or 0 <= gap.low <= gap.value <= gap.high <= 1


@given(st.lists(cells, min_size=1, max_size=25), st.lists(cells, min_size=1, max_size=25))
@settings(deadline=None, max_examples=60)
def test_any_two_columns_can_be_compared_and_no_row_is_lost(reference, current):
    before, after = binned(pd.Series(reference, dtype=object), pd.Series(current, dtype=object))

    assert before.sum() == len(reference)
    assert after.sum() == len(current)
    assert (before + after > 0).all()
    assert 0 < permutation_p(before.tolist(), after.tolist()) <= 1


@given(st.lists(st.floats(0, 1), max_size=30))
def test_correction_never_calls_more_than_the_plain_threshold(p_values):
    corrected = benjamini_hochberg(p_values)

    assert not (corrected & (np.asarray(p_values, dtype=float) > 0.05)).any()


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), chances), min_size=1, max_size=80),
)
@settings(deadline=None)
def test_a_label_free_estimate_is_a_share_inside_its_interval(confidence, rows):
    sure, right, pi = (list(column) for column in zip(*rows, strict=True))
    found = label_free_accuracy(confidence, sure, right, pi)

    assert 0 <= found.low <= found.value <= found.high <= 1
    assert (found.decisions, found.reviewed) == (len(confidence), len(rows))
