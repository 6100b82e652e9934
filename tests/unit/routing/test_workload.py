"""Questions by hour, and the queue before a staff."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.routing.workload import HourLoad, Queue, load_by_hour, work_off

NINE = pd.Timestamp("2026-03-01T09:00Z")


def at(*minutes):
    return pd.DatetimeIndex([NINE + pd.Timedelta(minutes=each) for each in minutes])


def worked(minutes, reviews, within_h, per_hour):
    return work_off(at(*minutes), np.array(reviews), np.array(within_h, dtype=float), per_hour=per_hour)


def test_reviews_are_counted_by_hour_of_the_day_over_all_days():
    load = load_by_hour(at(0, 10, 70, 24 * 60), np.array([1, 2, 1, 1]))
    assert load[9] == HourLoad(9, 2.0, 3)
    assert load[10] == HourLoad(10, 0.5, 1)
    assert [each.hour for each in load] == list(range(24))
    assert sum(each.mean for each in load) * 2 == 5


def test_hours_are_those_of_utc():
    moments = pd.DatetimeIndex(["2026-03-01T09:30+02:00"])
    assert load_by_hour(moments, np.array([1]))[7].peak == 1


def test_nobody_asked_is_no_queue():
    assert worked([0, 1], [0, 0], [1, 1], 1.0) == Queue(0, 0, 0.0)


def test_the_nearest_deadline_goes_first_and_then_who_came_first():
    """One each half hour; the third has an hour, so it goes before the second, which has three."""
    assert worked([0, 1, 2], [1, 1, 1], [1, 3, 1], 2.0) == Queue(3, 0, (90 - 1) / 60)
    assert worked([0, 1, 2], [1, 1, 1], [3, 3, 0.9], 2.0).late == 1


def test_two_signatures_take_two_reviews():
    assert worked([0], [2], [1.5], 1.0) == Queue(1, 1, 2.0)


def test_a_staff_waits_for_what_comes_later():
    assert worked([0, 600], [1, 1], [2, 2], 1.0) == Queue(2, 0, 1.0)


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2), st.floats(0.1, 20)), min_size=1, max_size=40),
    st.floats(0.5, 50),
)
def test_a_larger_staff_waits_no_longer_and_nobody_closes_before_the_work_is_done(rows, per_hour):
    minutes, reviews, within_h = zip(*rows, strict=True)
    few, more = (worked(minutes, reviews, within_h, each) for each in (per_hour, 1000 * per_hour))
    asked = [count for count in reviews if count]
    assert few.tickets == len(asked)
    assert 0 <= few.late <= few.tickets
    if asked:
        assert few.longest_wait_h >= max(asked) / per_hour - 1e-9
        assert more.longest_wait_h <= few.longest_wait_h + 1e-9
