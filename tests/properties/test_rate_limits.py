"""No budget is ever overspent, and nothing is refused that every budget has room for."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.routing.limit_book_in_memory import InMemoryLimitBook
from hitl_mlops.routing.rate_limits import Budget, beyond
from hitl_mlops.routing.switches import Scope
from tests.builders import NOW
from tests.guard_builders import a_limit

ROWS = st.integers(1, 4).flatmap(
    lambda limits: st.tuples(
        st.lists(st.lists(st.booleans(), min_size=limits, max_size=limits), max_size=30),
        st.lists(st.integers(0, 8), min_size=limits, max_size=limits),
    )
)


@given(ROWS)
def test_rows_are_let_through_in_order_as_long_as_all_their_budgets_have_room(drawn):
    rows, room = drawn
    counted = list(np.array(rows, dtype=bool).reshape(len(rows), len(room)).T)
    budgets = [Budget(a_limit(at_most=most), 0) for most in room]

    refused = beyond(budgets, counted)

    left = list(room)
    for place, own in enumerate(rows):
        full = [limit for limit, counts in enumerate(own) if counts and left[limit] == 0]
        assert [limit for limit in range(len(room)) if refused[limit][place]] == full
        for limit, counts in enumerate(own):
            left[limit] -= counts and not full
    assert min(left) >= 0


@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 9)), max_size=40), st.integers(1, 20))
def test_in_no_stretch_of_time_are_there_more_than_the_limit(batches, at_most):
    limit, book, now, let_through = a_limit(at_most=at_most), InMemoryLimitBook(), NOW, []
    for seconds, count in batches:
        now += timedelta(seconds=seconds)
        (budget,) = book.budgets([limit], now)
        through = count - int(beyond([budget], [np.ones(count, dtype=bool)])[0].sum())
        book.add({limit: through}, now)
        let_through.append((now, through))

    for since, _ in let_through:
        within = [many for moment, many in let_through if since <= moment < since + limit.per]
        assert sum(within) <= at_most


def test_limits_of_one_scope_and_two_times_count_apart():
    limits = [a_limit(), a_limit(per=timedelta(days=1)), a_limit(scope=Scope("label", "yes"))]
    assert len({one.limit_id for one in limits}) == 3
