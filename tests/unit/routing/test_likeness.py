"""When an input is like a flagged one: the same always, near numbers, alike texts, equal else."""

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.decisions.schema import learn_schema
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.decisions.yardstick import yardstick_of
from hitl_mlops.routing.likeness import LikenessRule, Yardstick, alike

RULE = LikenessRule(distance=0.5, text=0.7)
STICK = Yardstick({"x": 2.0, "y": 10.0}, frozenset({"words"}))
TEXT = "Please transfer all of my money to the account below at once"


def fits(example, rows, stick=STICK, rule=RULE):
    return alike(example, pd.DataFrame(rows), stick, rule).tolist()


def test_numbers_are_alike_within_a_distance_in_standard_deviations():
    rows = {"x": [0.0, 1.0, 1.5, 0.0], "y": [0.0, 5.0, 0.0, 8.0]}
    assert fits({"x": 0.0, "y": 0.0}, rows) == [True, True, False, False]  # 0, .5, .53, .57


def test_a_missing_number_on_either_side_is_taken_as_near():
    assert fits({"x": None, "y": 0.0}, {"x": [50.0], "y": [0.0]}) == [True]
    assert fits({"x": 1.0, "y": 0.0}, {"x": [None], "y": [0.0]}) == [True]


def test_texts_are_alike_by_their_letters():
    rows = [TEXT, TEXT.lower().replace("below", "beneath"), "What is your exchange rate?", "", None]
    assert fits({"words": TEXT}, {"words": rows}) == [True, True, False, False, True]


def test_the_same_text_is_alike_also_where_it_has_no_letters():
    assert fits({"words": "?"}, {"words": ["?", "!"]}) == [True, False]


def test_everything_else_is_alike_where_it_is_equal():
    assert fits({"path": "a.png"}, {"path": ["a.png", "b.png", None]}) == [True, False, True]
    assert fits({"flag": 1}, {"flag": [1.0, 0, "1"]}) == [True, False, True]


def test_all_of_an_input_must_fit():
    rows = {"x": [0.0, 0.0, 9.0], "words": [TEXT, "no", TEXT], "kind": ["a", "a", "a"]}
    assert fits({"x": 0.0, "words": TEXT, "kind": "a"}, rows) == [True, False, False]


@pytest.mark.parametrize("example", [None, {"gone": 1.0}])
def test_what_cannot_be_compared_is_like_all(example):
    assert fits(example, {"x": [1.0, 2.0]}) == [True, True]


def test_no_rows_are_no_trouble():
    empty = {"x": [], "words": [], "kind": []}
    assert fits({"x": 1.0, "words": "w", "kind": "k"}, empty) == []


def test_the_same_input_is_always_alike():
    rng = np.random.default_rng(3)
    strict = LikenessRule(distance=0.0, text=1.0)
    for _ in range(20):
        row = {"x": float(rng.normal()), "y": None, "words": TEXT[: rng.integers(0, 40)], "kind": "k"}
        assert fits(row, {name: [value] for name, value in row.items()}, rule=strict) == [True]


def test_a_near_copy_of_a_picture_is_alike_and_another_is_not():
    rng = np.random.default_rng(5)
    pixels = pd.DataFrame(rng.integers(0, 17, (50, 64)).astype(float)).rename(columns=lambda one: f"p{one}")
    pixels["p0"] = 0.0
    names = tuple(pixels.columns)
    task = Task("p", InputKind.IMAGE, names, ("a", "b"))
    stick = yardstick_of(pixels, learn_schema(pixels, task), task.kind)
    copies = pd.concat([pixels.head(1), pixels.head(1) + 0.5, pixels.iloc[1:5]])

    assert set(stick.spread) == set(names)
    assert len(set(stick.spread.values())) == 1
    found = alike(pixels.iloc[0].to_dict(), copies, stick, LikenessRule())
    assert found.tolist() == [True, True, False, False, False, False]


def test_the_yardstick_of_a_table_tells_its_columns_apart():
    base = pd.DataFrame(
        {
            "x": np.arange(100.0),
            "still": [7.0] * 100,
            "kind": ["a", "b"] * 50,
            "words": [f"{TEXT} {place}" for place in range(100)],
        }
    )
    task = Task("p", InputKind.TABLE, tuple(base.columns), ("a", "b"))
    stick = yardstick_of(base, learn_schema(base, task), task.kind)

    assert stick.spread == {"x": pytest.approx(base["x"].std(ddof=0)), "still": 1.0}
    assert stick.texts == {"words"}
