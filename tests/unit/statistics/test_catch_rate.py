"""Who stamps is found out by secret seeds, who checks is left alone, whenever one looks."""

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.catch_rate import ALARM_ALPHA, PROMISED, stamping_e
from hitl_mlops.statistics.sequential import first_crossing


def seeds(catch_rate, runs=2_000, count=300, seed=7):
    return np.random.default_rng(seed).random((runs, count)) < catch_rate


@pytest.mark.parametrize("catch_rate", [PROMISED, 0.9, 1.0])
def test_who_keeps_the_promise_is_suspected_in_at_most_one_of_a_hundred(catch_rate):
    suspected = (stamping_e(seeds(catch_rate)) >= 1 / ALARM_ALPHA).any(axis=1).mean()
    assert suspected <= ALARM_ALPHA + 2 * (ALARM_ALPHA / 2_000) ** 0.5


@pytest.mark.parametrize(("catch_rate", "most"), [(0.0, 4), (0.2, 9), (0.4, 19), (0.6, 70)])
def test_who_stamps_is_found_out_after_few_seeds(catch_rate, most):
    paths = stamping_e(seeds(catch_rate))
    first = [first_crossing(path, ALARM_ALPHA) for path in paths]
    assert np.median([300 if one is None else one for one in first]) <= most


def test_many_reviewers_at_once_equal_each_alone():
    together = seeds(0.5, runs=4, count=20)
    assert np.allclose(stamping_e(together), [stamping_e(one) for one in together])


def test_extreme_evidence_stays_finite():
    assert np.isfinite(stamping_e(np.zeros(5_000, dtype=bool))).all()


@pytest.mark.parametrize("promised", [0.0, 1.0, -0.1, float("nan")])
def test_a_promise_that_nobody_can_give_is_refused(promised):
    with pytest.raises(InputError):
        stamping_e([True], promised=promised)
