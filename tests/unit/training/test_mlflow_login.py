"""Under which account MLflow is asked: ours for our work, the user's own for what they say."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hitl_mlops.training.mlflow_login import VARIABLES, Login, log_in, own_login

OURS, OTHERS, THEIRS = Login("pipeline", "p"), Login("pipeline-2", "q"), Login("ann", "a")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    log_in(None)
    before = {name: os.environ.pop(name, None) for name in VARIABLES}
    yield
    log_in(None)
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def said() -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in VARIABLES)


def test_nobody_is_logged_in_where_nothing_says_so():
    log_in(None)
    assert said() == (None, None)
    assert own_login() is None


def test_ours_is_not_taken_for_the_users_own_and_goes_again():
    log_in(OURS)
    log_in(OTHERS)
    assert said() == ("pipeline-2", "q")
    assert own_login() is None
    log_in(None)
    assert said() == (None, None)


def test_a_login_that_the_user_took_away_is_gone():
    os.environ.update(dict(zip(VARIABLES, ("ann", "a"), strict=True)))
    log_in(None)
    for name in VARIABLES:
        del os.environ[name]
    assert own_login() is None


def test_the_users_own_comes_back_after_ours():
    os.environ.update(dict(zip(VARIABLES, ("ann", "a"), strict=True)))
    log_in(OURS)
    assert own_login() == THEIRS
    assert said() == ("pipeline", "p")
    log_in(None)
    assert said() == ("ann", "a")
