"""What is left of people's week for questions to learn from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.review.budget import SECONDS_EACH, TimedAnswer, room_left
from tests.builders import NOW


def answers(count: int, *, seconds: float | None = 36.0, ago: timedelta = timedelta(hours=1)):
    return [TimedAnswer(NOW - ago, seconds)] * count


def test_what_was_answered_this_week_and_what_waits_is_taken_off():
    room = room_left(5.0, answers(100), 200, now=NOW)
    assert (room.taken_h, room.promised_h, room.left_h, room.fits) == (1.0, 2.0, 2.0, 200)


def test_answers_of_earlier_weeks_tell_the_time_and_take_nothing():
    room = room_left(1.0, answers(10, ago=timedelta(days=8)), 0, now=NOW)
    assert (room.seconds_each, room.taken_h, room.measured) == (36.0, 0.0, 10)


def test_answers_of_long_ago_do_not_tell_the_time_any_more():
    room = room_left(1.0, answers(10, ago=timedelta(days=29)), 0, now=NOW)
    assert (room.seconds_each, room.measured) == (SECONDS_EACH, 0)


def test_a_few_answers_do_not_tell_the_time():
    assert room_left(1.0, answers(9), 0, now=NOW).seconds_each == SECONDS_EACH


def test_one_answer_that_was_left_lying_does_not_move_the_time_of_the_others():
    found = [*answers(20), TimedAnswer(NOW, 8 * 3600.0)]
    assert room_left(100.0, found, 0, now=NOW).seconds_each == 36.0


def test_an_answer_whose_time_is_not_known_counts_as_the_median():
    room = room_left(5.0, [*answers(50), *answers(50, seconds=None)], 0, now=NOW)
    assert room.taken_h == pytest.approx(1.0)


def test_a_question_that_asks_for_two_answers_takes_twice_the_room():
    room = room_left(1.0, answers(10, ago=timedelta(days=8)), 0, now=NOW, answers_each=2)
    assert (room.fits, room.hours_of(50)) == (50, 1.0)


def test_without_a_budget_nothing_is_said_of_what_fits():
    room = room_left(None, answers(100), 5, now=NOW)
    assert (room.left_h, room.fits) == (None, None)
    assert room.hours_of(100) == pytest.approx(1.0)


@given(st.floats(0, 100), st.integers(0, 3000), st.integers(0, 3000), st.floats(0.5, 3600))
def test_never_more_than_the_budget_is_promised(hours, given_answers, awaited, seconds):
    room = room_left(hours, answers(given_answers, seconds=seconds), awaited, now=NOW)
    assert room.fits is not None
    assert room.fits >= 0
    spent = room.taken_h + room.promised_h
    assert room.fits == 0 or spent + room.hours_of(room.fits) <= hours * (1 + 1e-9)
