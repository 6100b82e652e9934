"""Simulated reviewers."""

import numpy as np
import pytest

from hitl_mlops.demo.people import TEAM, answer


def answers_of(reviewer, *, truth="3", model="8", count=2000):
    rng = np.random.default_rng(1)
    return [answer(reviewer, truth, model, rng) for _ in range(count)]


@pytest.mark.parametrize("reviewer", [one for one in TEAM if not one.stamps], ids=lambda one: one.name)
def test_a_reviewer_errs_as_often_as_said_and_takes_the_time_said(reviewer):
    given = answers_of(reviewer)
    wrong = np.mean([one.label != "3" for one in given])
    assert wrong == pytest.approx(reviewer.error_rate, abs=0.02)
    assert np.median([one.seconds for one in given]) == pytest.approx(reviewer.seconds, rel=0.1)


def test_whoever_stamps_says_what_the_model_says_whatever_is_written():
    (eve,) = [one for one in TEAM if one.stamps]
    assert {one.label for one in answers_of(eve)} == {"8"}


def test_nobody_can_stamp_a_ticket_that_does_not_show_the_model():
    (eve,) = [one for one in TEAM if one.stamps]
    assert {one.label for one in answers_of(eve, model=None)} == {"3"}


def test_every_answer_has_a_reason_and_a_code_that_fits():
    for one in answers_of(TEAM[3]):
        assert len(one.rationale) >= 3
        assert one.reason_code == ("agree" if one.label == "8" else "wrong_class")
