from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.gates.measures_evidently import EvidentlyMeasures
from hitl_mlops.gates.measures_plain import PlainMeasures


@pytest.fixture(params=["twin", pytest.param("real", marks=pytest.mark.real)])
def measures(request):
    return PlainMeasures() if request.param == "twin" else EvidentlyMeasures()


def a_frame(seed, rows=300, *, shift=0.0, kinds=("a", "b", "c")):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "steady": rng.normal(size=rows),
            "amount": rng.normal(shift, 1, size=rows),
            "kind": rng.choice(list(kinds), rows),
            "flag": rng.random(rows) < 0.5,
        }
    )


def test_identical_frames_do_not_drift(measures):
    found = measures.drift(a_frame(1), a_frame(1))

    assert found.drifted == ()
    assert found.share == 0.0
    assert [column.column for column in found.columns] == ["steady", "amount", "kind", "flag"]
    assert (found.reference_rows, found.current_rows) == (300, 300)


def test_chance_alone_does_not_drift(measures):
    assert measures.drift(a_frame(2), a_frame(3)).drifted == ()


def test_a_shifted_column_drifts_and_no_other(measures):
    assert measures.drift(a_frame(4), a_frame(5, shift=2.0)).drifted == ("amount",)


def test_a_shift_among_many_rows_drifts_too(measures):
    assert measures.drift(a_frame(6, 3000), a_frame(7, 3000, shift=1.0)).drifted == ("amount",)


def test_a_new_class_of_text_drifts(measures):
    assert measures.drift(a_frame(8), a_frame(9, kinds=("a", "z"))).drifted == ("kind",)


def test_constant_columns_do_not_drift(measures):
    frame = a_frame(10).assign(constant=1.0, word="same")

    assert measures.drift(frame, frame).drifted == ()


def test_a_column_without_any_value_does_not_drift(measures):
    frame = a_frame(11).assign(empty=pd.Series([None] * 300, dtype=object), holes=np.nan)

    found = measures.drift(frame, frame)

    assert found.drifted == ()
    assert {"empty", "holes"} <= {column.column for column in found.columns}


def test_a_column_that_goes_missing_drifts(measures):
    found = measures.drift(a_frame(12), a_frame(12).assign(amount=np.nan))

    assert found.drifted == ("amount",)


def test_more_gaps_are_drift_where_the_values_stay_the_same(measures):
    rng = np.random.default_rng(23)
    before, after = (a_frame(seed, 2000) for seed in (24, 25))
    before["kind"], after["amount"] = (
        frame[name].mask(rng.random(2000) < 0.02) for frame, name in ((before, "kind"), (after, "amount"))
    )
    after["kind"] = after["kind"].mask(rng.random(2000) < 0.3)

    found = measures.drift(before.assign(amount=before["amount"].mask(rng.random(2000) < 0.02)), after)

    assert found.drifted == ("kind",)


def test_infinite_values_count_as_missing(measures):
    after = a_frame(26)
    after.loc[::3, "amount"] = np.inf

    assert measures.drift(a_frame(27), after).drifted == ("amount",)


def test_an_integer_that_no_float_holds_is_compared_as_text(measures):
    frame = a_frame(28).assign(huge=pd.Series([10**400] * 150 + [1] * 150, dtype=object))

    assert measures.drift(frame, frame).drifted == ()


def test_one_moved_column_of_many_is_found(measures):
    rng = np.random.default_rng(29)
    before, after = (pd.DataFrame(rng.normal(size=(200, 40))).rename(columns=str) for _ in range(2))

    assert measures.drift(before, after.assign(**{"7": after["7"] + 1.5})).drifted == ("7",)


def test_free_text_and_mixed_types_are_compared(measures):
    frame = a_frame(13).assign(
        note=[f"a longer note number {place}" for place in range(300)], mixed=[1, "a", None] * 100
    )

    found = measures.drift(frame, frame)

    assert found.drifted == ()
    assert {"note", "mixed"} <= {column.column for column in found.columns}


@pytest.mark.parametrize("rows", [1, 5])
def test_a_handful_of_rows_never_drifts(measures, rows):
    assert measures.drift(a_frame(14, rows), a_frame(15, rows, shift=0.5)).drifted == ()


def test_only_shared_columns_are_compared_also_when_their_names_are_numbers(measures):
    left = pd.DataFrame({0: [1.0, 2.0, 3.0], "only here": [1, 2, 3]})
    right = pd.DataFrame({"0": [1.0, 2.0, 3.0], "only there": [1, 2, 3]})

    assert [column.column for column in measures.drift(left, right).columns] == ["0"]


def test_the_same_frames_give_the_same_figures(measures):
    first = measures.drift(a_frame(16), a_frame(17, shift=0.3))
    again = measures.drift(a_frame(16), a_frame(17, shift=0.3))

    assert first.columns == again.columns


def test_frames_without_a_common_column_are_refused(measures):
    with pytest.raises(InputError, match="share no column"):
        measures.drift(pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}))


def test_an_empty_frame_is_refused(measures):
    with pytest.raises(InputError, match="empty"):
        measures.drift(a_frame(18), a_frame(18).iloc[:0])


def test_a_name_that_stands_twice_is_refused(measures):
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])

    with pytest.raises(InputError, match="twice"):
        measures.drift(twice, twice)


def test_no_more_rows_than_the_bound_are_looked_at():
    found = PlainMeasures(max_rows=50).drift(a_frame(19), a_frame(20))

    assert (found.reference_rows, found.current_rows) == (50, 50)


@pytest.mark.real
def test_chance_and_size_both_have_a_word_where_evidently_alone_cries_wolf():
    rng = np.random.default_rng(30)
    before, after = (
        pd.DataFrame({f"c{place}": rng.integers(0, 30, 300).astype(str) for place in range(5)})
        for _ in range(2)
    )
    real = EvidentlyMeasures().drift(before, after)

    assert min(column.score for column in real.columns) < 0.05  # its p-value takes the reference for exact
    assert real.drifted == ()


@pytest.mark.real
def test_a_sample_gives_the_verdicts_of_all_rows():
    before, after = a_frame(31, 60_000), a_frame(32, 60_000, shift=0.3, kinds=("a", "a", "b", "c"))
    sampled, whole = (EvidentlyMeasures(max_rows=rows).drift(before, after) for rows in (5_000, 60_000))

    assert sampled.drifted == whole.drifted == ("amount", "kind")
    assert (sampled.reference_rows, whole.reference_rows) == (5_000, 60_000)


@pytest.mark.real
def test_the_page_names_the_columns_that_moved_by_our_verdict():
    page = EvidentlyMeasures().drift(a_frame(33), a_frame(34, shift=2.0)).html

    assert b"corrected for chance over all columns: amount." in page


@pytest.mark.real
def test_evidently_draws_a_page_that_loads_nothing_from_elsewhere():
    page = EvidentlyMeasures().drift(a_frame(21, 60), a_frame(22, 60)).html

    assert page is not None
    assert b"<html" in page
    for tag in (b'<script src="http', b'<link rel="stylesheet" href="http', b'<img src="http'):
        assert tag not in page
