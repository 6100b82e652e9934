"""However often anybody looks, a ticket ends where its times put it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.queueing.ladder import Ladder, Rung, climb
from hitl_mlops.review.moves import Move, What
from hitl_mlops.review.ticket import Ticket, TicketKind, TicketState
from tests.builders import NOW
from tests.queue_room import a_ticket

FORTNIGHT_MIN = 14 * 24 * 60
MINUTES = st.integers(0, FORTNIGHT_MIN)
LANES = st.sampled_from(["senior", "supervisor", "governance", "cards"])
RUNGS = st.builds(
    lambda share, past, lane, what: Rung(share, past, lane if what is What.HANDED_UP else None, lane, what),
    st.none() | st.floats(0.0, 5.0),
    st.integers(0, FORTNIGHT_MIN).map(lambda minutes: timedelta(minutes=minutes)),
    LANES,
    st.sampled_from([What.HANDED_UP, What.HANDED_UP, What.REMINDED]),
)
END = st.sampled_from([(), (Rung(None, timedelta(days=7), None, None, What.EXPIRED),)])
LADDERS = st.builds(
    lambda rungs, end: Ladder((*rungs, *end), "ladder_1", 1), st.lists(RUNGS, max_size=4), END
)


def run(ticket: Ticket, ladder: Ladder, looks: list[int]) -> tuple[Ticket, list[Move]]:
    """Where the ticket stands after these looks, in minutes from the beginning, and the steps it took."""
    taken: list[Move] = []
    for minute in sorted(looks):
        now = NOW + timedelta(minutes=minute)
        if ticket.state is TicketState.EXPIRED:
            break
        for move in climb(ticket, ladder, now):
            ticket = replace(ticket, step=move.step, lane=move.lane, skill=move.skill)
            if move.what is What.EXPIRED:
                ticket = replace(ticket, state=TicketState.EXPIRED)
            taken.append(move)
    return ticket, taken


def told(moves: list[Move]) -> list[tuple[object, ...]]:
    return [(m.step, m.what, m.lane, m.skill, m.due_at, m.until) for m in moves]


@settings(max_examples=400)
@given(
    LADDERS,
    st.lists(MINUTES, max_size=30),
    st.integers(1, 3 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.sampled_from([TicketKind.REVIEW, TicketKind.COMPLAINT]),
)
def test_any_cadence_of_looks_ends_at_the_same_place_by_the_same_steps(ladder, looks, due_at, kind):
    ticket = a_ticket(due_at=due_at, kind=kind)
    once = run(ticket, ladder, [FORTNIGHT_MIN])
    often = run(ticket, ladder, [*looks, FORTNIGHT_MIN, FORTNIGHT_MIN])
    assert often[0] == once[0]
    assert told(often[1]) == told(once[1])
    steps = [move.step for move in often[1]]
    assert steps == sorted(set(steps))
    assert all(move.due_at <= move.happened_at for move in often[1])
