"""The nearest inputs are those that differ least, whatever their columns hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.decisions.nearest import learn, nearest
from hitl_mlops.routing.likeness import Yardstick

YARDSTICK = Yardstick({"a": 2.0}, frozenset({"text"}))
cells = st.fixed_dictionaries(
    {
        "a": st.one_of(st.none(), st.floats(-50, 50)),
        "text": st.sampled_from(["red car", "blue car", "an old house", ""]),
        "city": st.sampled_from(["Bern", "Rome", None]),
    }
)


@settings(deadline=None)  # the first call imports scikit-learn
@given(st.lists(cells, min_size=1, max_size=12))
def test_an_input_is_nearest_to_itself(rows: list[dict[str, object]]) -> None:
    frame = pd.DataFrame(rows)
    distances = learn(frame, YARDSTICK).distances(frame)
    assert distances.shape == (len(rows), len(rows))
    assert np.isfinite(distances).all()
    assert np.allclose(distances.diagonal(), distances.min(axis=1), atol=1e-6)


def test_each_kind_of_column_counts() -> None:
    known = pd.DataFrame(
        {
            "a": [0.0, 0.0, 0.0, 9.0],
            "text": ["red car", "red car", "an old house", "red car"],
            "city": ["Bern", "Rome", "Bern", "Bern"],
        }
    )
    [row] = learn(known, YARDSTICK).distances(known.head(1))
    assert row[0] < 1e-9
    assert min(row[1:]) > 0.1
    assert nearest(row[np.newaxis], 1).tolist() == [[0]]
