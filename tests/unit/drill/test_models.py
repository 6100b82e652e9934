"""Models of a drill err on exactly their share, never together, and survive being stored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.drill.models import FULL_NAME, between, draws
from hitl_mlops.training.artifact import Trust
from hitl_mlops.training.registry_in_memory import InMemoryRegistry
from tests.training_builders import release_notes


def wrong_rows(world, project, low, high):
    estimator = world.erring(low, high, project.dataset()).estimator
    inputs = world.pool[list(world.fitted.inputs)]
    said = [world.fitted.classes[place] for place in estimator.predict_proba(inputs).argmax(axis=1)]
    return np.array(said) != np.array(world.truths(inputs))


@pytest.fixture(scope="module")
def built(project):
    project.build_dataset()
    return project


@pytest.mark.parametrize("share", [0.0, 0.05, 0.08, 0.4])
def test_a_model_errs_on_its_share_of_the_rows(world, built, share):
    assert wrong_rows(world, built, 0.0, share).mean() == pytest.approx(share, abs=0.5 / len(world.pool))


def test_models_of_two_shares_never_err_together(world, built):
    both = wrong_rows(world, built, 0.0, 0.05) & wrong_rows(world, built, 0.05, 0.13)
    assert not both.any()


def test_an_erring_model_is_as_sure_as_the_one_it_is_made_of(world, built):
    estimator = world.erring(0.0, 0.4, built.dataset()).estimator
    inputs = world.pool[list(world.fitted.inputs)]
    np.testing.assert_array_equal(
        estimator.predict_proba(inputs).max(axis=1),
        world.fitted.estimator.predict_proba(inputs).max(axis=1),
    )


def test_it_comes_back_from_a_registry_as_it_was(world, built):
    registry = InMemoryRegistry("m", trust=Trust((FULL_NAME,)))
    fitted = world.erring(0.1, 0.3, built.dataset())
    version = registry.register(fitted, release_notes(), run_key="k")
    inputs = world.pool[list(world.fitted.inputs)]
    np.testing.assert_array_equal(
        registry.load(version.version).probabilities(inputs), fitted.estimator.predict_proba(inputs)
    )


def test_a_draw_depends_on_values_and_not_on_their_type():
    whole, text = (
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pd.DataFrame({"a": ["1", 2.0], "b": ["x", "y"]}),
    )
    assert draws(whole).tolist() == draws(text).tolist()
    assert draws(whole.iloc[:0]).shape == (0,)


@given(st.integers(0, 1_000), st.integers(4, 60), st.floats(0, 1))
def test_neighbouring_shares_touch_and_hold_what_they_are_asked_for(seed, count, cut):
    values = np.random.default_rng(seed).uniform(size=count)
    (low, middle), (again, high) = between(values, 0.0, cut), between(values, cut, 1.0)
    assert (low, middle, high) == (0.0, again, 1.0)
    assert ((values >= low) & (values < middle)).sum() == round(cut * len(values))
