"""Rows unlike the base data are named with their columns; rows like it are hardly ever."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.decisions.odd import OddGuard, OddPolicy, conformal_bound, learn_guard, odd_among, odd_rows
from hitl_mlops.decisions.schema import learn_schema
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.demo.cheques import cheques
from hitl_mlops.errors import InputError

DATA = Path(os.environ.get("HITL_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
EXACT = OddPolicy(margin=0.0)


def shared(name: str) -> pd.DataFrame:
    if not (DATA / name).exists():
        pytest.skip(f"The shared data set {name} is absent; set HITL_TEST_DATA to its folder.")
    return pd.read_csv(DATA / name)


def a_task(inputs: tuple[str, ...], kind: InputKind = InputKind.TABLE, subject: str | None = None) -> Task:
    return Task("test", kind, inputs, ("a", "b"), subject=subject)


def learned(base: pd.DataFrame, task: Task, policy: OddPolicy | None = None) -> OddGuard:
    return learn_guard(base, task, learn_schema(base, task), policy or OddPolicy())


def share(faults: Mapping[str, npt.NDArray[np.bool_]], count: int) -> float:
    return float(np.logical_or.reduce([np.zeros(count, dtype=bool), *faults.values()]).mean())


def people(rows: int, seed: int = 0) -> pd.DataFrame:
    """Height and weight go together, income has a long tail; two categories, and gaps in income."""
    rng = np.random.default_rng(seed)
    height = rng.normal(170, 10, rows)
    frame = pd.DataFrame(
        {
            "height": height,
            "weight": 0.9 * height - 80 + rng.normal(0, 4, rows),
            "income": np.exp(rng.normal(10, 1.2, rows)),
            "sector": rng.choice(["shop", "farm", "mill"], rows),
            "member": rng.choice([True, False], rows),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "income"] = np.nan
    return frame


TASK = a_task(("height", "weight", "income", "sector", "member"))
GUARD = learned(people(4_000), TASK)


def one(**changes: object) -> pd.DataFrame:
    usual = {"height": 170.0, "weight": 73.0, "income": 20_000.0, "sector": "shop", "member": True}
    return pd.DataFrame([usual | changes])


def test_rows_like_the_base_data_are_hardly_ever_refused():
    fresh = people(50_000, seed=1)
    assert share(odd_rows(fresh, GUARD), len(fresh)) <= 0.001
    assert GUARD.rate <= 0.001
    assert GUARD.told == "at most 0.1 % of rows like the base data are held back"


def test_what_each_column_allows_but_no_row_joins_is_odd_and_both_columns_are_named():
    faults = odd_rows(one(height=150.0, weight=95.0), GUARD)
    assert set(faults) == {
        "height does not fit the other inputs as it does in the base data",
        "weight does not fit the other inputs as it does in the base data",
    }


def test_a_number_that_rises_for_ever_is_no_reason_by_itself():
    base = people(2_000).assign(day=np.arange(2_000), price=np.arange(2_000) * 3.0 + 7)
    guard = learned(base, a_task((*TASK.inputs, "day", "price")))
    later = one().assign(day=3_900, price=11_707.0)
    assert not odd_rows(later, guard)
    assert odd_rows(later.assign(price=100.0), guard)


def test_a_single_column_of_numbers_is_left_to_the_schema():
    assert learned(people(2_000), a_task(("height",))).views == ()


def test_a_long_tail_is_no_reason_and_does_not_hide_the_others():
    assert not odd_rows(one(income=900_000.0), GUARD)
    assert odd_rows(one(income=900_000.0, height=150.0, weight=95.0), GUARD)


@pytest.mark.parametrize("gap", [None, float("nan"), pd.NA])
def test_a_gap_counts_as_unknown(gap: object):
    assert not odd_rows(one(income=gap), GUARD)
    assert not odd_rows(one(height=gap, weight=95.0), GUARD)
    assert odd_rows(one(income=gap, height=150.0, weight=95.0), GUARD)


def test_one_new_category_is_no_reason_but_several_strange_cells_are():
    names = tuple(f"c{place}" for place in range(6))
    rng = np.random.default_rng(0)
    base = pd.DataFrame({name: rng.choice(["x", "y"], 4_000) for name in names})
    guard = learned(base, a_task(names))
    usual = dict.fromkeys(names, "x")
    assert not odd_rows(pd.DataFrame([usual | {"c1": "new"}]), guard)
    faults = odd_rows(pd.DataFrame([usual | {"c1": "new", "c4": "other"}]), guard)
    assert sorted(fault.split()[0] for fault in faults) == ["c1", "c4"]


def test_no_reason_tells_a_value():
    faults = odd_rows(one(height=151.25, weight=95.5, sector="secret"), GUARD)
    assert faults
    assert not any(value in fault for fault in faults for value in ("151", "95.5", "secret"))


def test_the_same_base_data_give_the_same_guard():
    fresh = people(2_000, seed=2)
    fresh["weight"] = fresh["weight"].to_numpy()[::-1]
    again = learned(people(4_000), TASK)
    first, second = (odd_rows(fresh, guard) for guard in (GUARD, again))
    assert list(first) == list(second)
    assert all(np.array_equal(first[fault], second[fault]) for fault in first)


def test_rate_zero_and_tiny_base_data_refuse_nothing():
    strange = one(height=-500.0, weight=9_000.0)
    assert not odd_rows(strange, learned(people(4_000), TASK, OddPolicy(rate=0.0)))
    assert not odd_rows(strange, learned(people(39), TASK))
    assert learned(people(39), TASK).told == "none is held back: turned off, or too little base data"


def test_an_image_whose_columns_hold_words_is_refused_plainly():
    base = pd.DataFrame({"pixel_0": [0, 1], "pixel_1": ["ink", "paper"]})
    with pytest.raises(InputError, match="The image's column 'pixel_1' holds no numbers"):
        learn_schema(base, a_task(("pixel_0", "pixel_1"), InputKind.IMAGE))


def test_few_rows_prove_only_what_they_can_and_widen_the_bound():
    few = learned(people(200), TASK)
    assert few.rate == pytest.approx(2 / 101)  # numbers and words, each one in a hundred and one
    assert few.held_out == 100
    assert few.told.startswith("at most 2 % of rows like the base data are held back (0.1 % was asked")
    fresh = people(20_000, seed=3)
    assert share(odd_rows(fresh, few), len(fresh)) <= 0.001


def test_rows_of_one_subject_stay_on_one_side():
    base = people(2_000).assign(account=np.arange(2_000) // 4)
    guard = learned(base, a_task(TASK.inputs, subject="account"))
    assert guard.held_out % 4 == 0
    assert 900 <= guard.held_out <= 1_100


def test_a_column_that_never_changed_is_not_held_against_a_row():
    guard = learned(people(500).assign(height=1.0), TASK)
    assert not odd_rows(one(height=2.0), guard)


def test_numbers_written_as_text_are_read_as_numbers():
    assert not odd_rows(one().astype(object).map(lambda cell: cell), GUARD)
    assert odd_rows(one(height="150", weight="95"), GUARD)


def test_no_rows_give_no_faults():
    assert odd_rows(one().head(0), GUARD) == {}


def test_far_numbers_do_not_overflow():
    assert odd_rows(one(height=1e308, weight=-1e308), GUARD)


def test_a_thousand_columns_are_learned_in_blocks():
    rng = np.random.default_rng(0)
    names = tuple(f"x{place}" for place in range(1_000))
    base = pd.DataFrame(rng.normal(size=(400, 1_000)), columns=list(names))
    guard = learned(base, a_task(names))
    assert not odd_rows(base, guard)
    assert odd_rows(base.head(1) * 10, guard)


TEXTS = [
    f"{opening} {what} {ending}"
    for opening in ("Where is", "I lost", "Please block", "I cannot find", "When comes")
    for what in ("my card", "the new card", "my money", "the transfer", "my statement", "the refund")
    for ending in ("?", "since Monday", "and I need help", "that I ordered", "again", "please", "today")
]


def test_a_text_in_another_tongue_or_of_no_words_is_odd_and_other_questions_are_not():
    guard = learned(pd.DataFrame({"text": TEXTS}), a_task(("text",), InputKind.TEXT))
    told = pd.DataFrame(
        {"text": ["Where is the refund that I need", "xkcd zzyx qpwo vbnm", "我的卡在哪里", ""]}
    )
    faults = odd_rows(told, guard)
    assert list(faults) == ["text reads unlike the texts of the base data"]
    assert faults[next(iter(faults))].tolist() == [False, True, True, False]


def test_a_text_longer_by_far_is_odd():
    guard = learned(pd.DataFrame({"text": TEXTS}), a_task(("text",), InputKind.TEXT))
    told = pd.DataFrame({"text": ["Where is my card? " * 2_000]})
    assert "text is far longer than the texts of the base data" in odd_rows(told, guard)


def test_names_and_codes_in_a_table_are_not_read_as_text():
    base = people(300).assign(code=[f"code-{place:04}" for place in range(300)])
    guard = learned(base, a_task(("height", "code")))
    assert not odd_rows(pd.DataFrame({"height": [170.0], "code": ["zzz/999"]}), guard)


def test_files_of_images_are_not_read_as_text():
    base = pd.DataFrame({"file": [f"scan {place} of the day.png" for place in range(100)]})
    guard = learned(base, a_task(("file",), InputKind.IMAGE))
    assert not odd_rows(pd.DataFrame({"file": ["我的卡在哪里"]}), guard)


def test_the_demo_s_new_scanner_is_still_decided_and_a_negative_is_not():
    data = cheques()
    pixels = tuple(name for name in data.base if name.startswith("pixel"))
    guard = learned(data.base, a_task(pixels, InputKind.IMAGE, subject="account_id"))
    assert not odd_rows(data.stream, guard)
    negative = data.stream.assign(**{name: 16 - data.stream[name] for name in pixels})
    assert share(odd_rows(negative, guard), len(negative)) == 1.0


@pytest.mark.data
@pytest.mark.parametrize("size", [50, 500, 2_000, 9_000])
def test_the_rate_holds_on_weather(size: int):
    """On average over bases of that many days; the margin alone brings it under the default rate."""
    weather = shared("weather/weather.csv")
    task = a_task(tuple(weather.columns[:-1]))
    found, widened, promised = [], [], 0.0
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(weather))
        base, fresh = weather.iloc[order[:size]], weather.iloc[order[size:]]
        guard = learned(base, task, EXACT)
        found.append(share(odd_rows(fresh, guard), len(fresh)))
        widened.append(share(odd_rows(fresh, learned(base, task)), len(fresh)))
        promised = guard.rate
    assert np.mean(found) <= promised + 3 * np.std(found) / np.sqrt(len(found))
    assert np.mean(widened) <= 0.001


@pytest.mark.data
def test_a_changed_unit_is_seen_and_fifty_years_of_drift_are_decided():
    weather = shared("weather/weather.csv")
    base, later = weather[:5_000], weather[5_000:]
    guard = learned(base, a_task(tuple(weather.columns[:-1])))
    assert share(odd_rows(later, guard), len(later)) <= 0.001
    celsius = later.assign(feat_1=(later["feat_1"] - 32) * 5 / 9)
    assert share(odd_rows(celsius, guard), len(later)) >= 0.9


@pytest.mark.data
def test_the_rate_holds_on_questions_of_bank_customers():
    train, test = shared("banking77/train.csv"), shared("banking77/test.csv")
    guard = learned(train, a_task(("text",), InputKind.TEXT))
    assert share(odd_rows(test, guard), len(test)) <= 0.001
    reversed_text = test.assign(text=test["text"].str[::-1])
    assert share(odd_rows(reversed_text, guard), len(test)) >= 0.9


def test_rows_that_are_wrong_already_are_not_looked_at():
    sound = np.array([True, False, True])
    columns = {
        "height": np.array([150.0, 150.0, 170.0]),
        "weight": np.array([95.0, 95.0, np.nan]),
        "income": np.full(3, 20_000.0),
        "sector": np.array(["shop", "\ud800", "farm"], dtype=object),
        "member": np.array([True, None, False], dtype=object),
    }
    faults = odd_among(columns, sound, GUARD)
    assert all(odd.tolist() == [True, False, False] for odd in faults.values())
    assert len(faults) == 2
    assert odd_among(columns, np.zeros(3, dtype=bool), GUARD) == {}
    assert odd_among(columns, sound, OddGuard()) == {}


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.floats(0.0001, 0.4))
def test_the_bound_is_passed_by_no_more_held_out_rows_than_the_rate_allows(
    seed: int, count: int, rate: float
):
    held_out = np.random.default_rng(seed).integers(0, 5, count).astype(float)  # with many ties
    bound, reached = conformal_bound(held_out, rate)
    assert ((held_out > bound).sum() + 1) / (count + 1) <= reached + 1e-12
    assert reached <= max(rate + 1e-9, 1 / (count + 1)) + 1e-12


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_row_is_judged_alike_alone_and_among_others(seed: int):
    rng = np.random.default_rng(seed)
    rows = people(40, seed=int(rng.integers(1_000)))
    rows["weight"] = rng.permutation(rows["weight"].to_numpy())
    rows = rows.mask(rng.random(rows.shape) < 0.2)
    together = odd_rows(rows, GUARD)
    for place in range(len(rows)):
        alone = odd_rows(rows.iloc[[place]], GUARD)
        assert set(alone) == {fault for fault, marked in together.items() if marked[place]}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0), st.floats(0.0, 30.0))
def test_who_lies_beyond_is_told_quickly_and_as_the_distance_tells_it(seed: int, mixed: float, bound: float):
    rng = np.random.default_rng(seed)
    rows = people(60, seed=int(rng.integers(1_000)))
    swapped = rng.random(len(rows)) < mixed
    rows.loc[swapped, "weight"] = rng.permutation(rows.loc[swapped, "weight"].to_numpy())
    rows = rows.mask(rng.random(rows.shape) < 0.05)
    for view, _ in GUARD.views:
        assert (view.beyond(rows, bound) == ~(view.far(rows) <= bound)).all()
