"""Cases as points: near where they are alike, whatever kind of input they have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.training.features import DIRECTIONS, features_of
from tests.training_builders import a_table, a_table_task, a_text_task, some_texts


def test_texts_of_one_kind_lie_nearer_than_others():
    texts = some_texts(60)
    points = features_of(texts[["text"]], a_text_task())
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0)
    near, far = np.linalg.norm(points[0] - points[2]), np.linalg.norm(points[0] - points[1])
    assert near < far


def test_a_table_of_every_kind_of_column_is_read():
    table, task = a_table(80), a_table_task()
    points = features_of(table[list(task.inputs)], task)
    assert points.shape[0] == 80
    assert points.shape[1] <= DIRECTIONS
    assert np.isfinite(points).all()


def test_the_same_rows_give_the_same_points():
    table, task = a_table(80), a_table_task()
    inputs = table[list(task.inputs)]
    np.testing.assert_array_equal(features_of(inputs, task), features_of(inputs, task))


def test_many_pixels_become_few_directions():
    pixels = pd.DataFrame(np.random.default_rng(0).uniform(0, 16, (90, 64)))
    pixels.columns = [f"p{place}" for place in range(64)]
    task = Task("digits", InputKind.IMAGE, tuple(pixels.columns), ("0", "1"))
    assert features_of(pixels, task).shape == (90, DIRECTIONS)


def test_what_cannot_be_compared_has_no_points():
    images = pd.DataFrame({"path": [f"{place}.png" for place in range(9)]})
    assert features_of(images, Task("scans", InputKind.IMAGE, ("path",), ("0", "1"))) is None
    assert features_of(some_texts(60)[["text"]].head(1), a_text_task()) is None
    nothing = pd.DataFrame({"text": ["", "", ""]})
    assert features_of(nothing, a_text_task()) is None
