"""Whatever people answer and whenever one looks: no automatic decision while a breaker is not closed."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.routing.breaker import BreakerState, Seen
from hitl_mlops.routing.breaker_board_in_memory import InMemoryBreakerBoard
from hitl_mlops.routing.breaker_board_sql import SqlBreakerBoard
from hitl_mlops.routing.circuit import Circuit
from hitl_mlops.routing.guards import Guards, held_by
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws
from hitl_mlops.routing.switches import Order, Scope
from tests.builders import NOW
from tests.guard_builders import HALF_AN_HOUR, a_rule

POLICY = parse_policy("""
routes: {auto: {confidence: ">= 0.5"}, senior: {confidence: "< 0.5"}}
spot_checks: {auto: 0.5}
""")
BRANCHES = ("north", "south")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.integers(1, 12), st.integers(0, 4)),  # how many, of five overruled
        st.tuples(st.just("look"), st.integers(0, 50), st.just(0)),  # minutes later
        st.tuples(st.just("reset"), st.integers(0, 5), st.just(0)),
    ),
    max_size=25,
)


class Loop:
    """A model, people who answer at once, and a board that may be another one after every step."""

    def __init__(self, board):
        self.board, self.now, self.answers, self.count = board, NOW, [], 0
        self.rule = a_rule(per="branch", window=10, at_least=5, trial=3)

    def circuit(self):
        return Circuit(self.board, InMemoryTrail(), nullcontext, b"k" * 32)

    def decide(self, many, overruled):
        names = [f"d{self.count + place}" for place in range(many)]
        rows = pd.DataFrame(
            {
                "confidence": [0.2 if place % 4 == 3 else 0.9 for place in range(many)],
                "label": ["yes"] * many,
                "branch": [BRANCHES[place % 2] for place in range(many)],
            }
        )
        guards = Guards(breakers=self.board.standing())
        routes = route(POLICY, rows, draws(b"k" * 32, names), guards=guards, versions=["1"] * many)
        for place in range(many):
            scope = Scope("branch", rows["branch"][place])
            standing = [one for one in guards.breakers if one.scope == scope]
            assert not (standing and routes.route[place] == "auto")
            assert held_by(routes.reasons[place]) == (
                {one.breaker_id for one in standing} if rows["confidence"][place] > 0.5 else set()
            )
            if routes.signatures[place]:
                wrong = (self.count + place) % 5 < overruled
                pi, held = float(routes.pi[place]), held_by(routes.reasons[place])
                confidence = float(rows["confidence"][place])
                self.answers.append(
                    Seen(self.now, frozenset({scope}), wrong, confidence < 0, confidence, pi, held)
                )
        self.count += many

    def take(self, step):
        what, number, more = step
        if what == "decide":
            self.decide(number, more)
        elif what == "look":
            self.now += timedelta(minutes=number)
            self.circuit().look(self.rule, self.answers, self.now, actor="test")
        elif (standing := self.board.standing()) and number < len(standing):
            self.circuit().reset(standing[number].breaker_id, Order("r1", "mended", self.now))


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_nothing_is_automatic_while_a_breaker_of_its_scope_is_not_closed(steps):
    loop = Loop(InMemoryBreakerBoard())
    for step in steps:
        loop.take(step)


@settings(deadline=None, max_examples=15)
@given(STEPS)
def test_a_restart_at_any_step_changes_nothing(tmp_path_factory, steps):
    url = f"sqlite:///{tmp_path_factory.mktemp('breakers')}/hitl.db"
    database = Database(url)
    database.create()
    twin, kept = Loop(InMemoryBreakerBoard()), Loop(SqlBreakerBoard(database))
    for step in steps:
        twin.take(step)
        kept.take(step)
        database.close()
        database = Database(url)
        kept.board = SqlBreakerBoard(database)
        assert kept.board.breakers() == twin.board.breakers()
    database.close()


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_between_two_states_there_is_only_the_way_that_is_drawn(steps):
    ways = {
        (BreakerState.CLOSED, BreakerState.OPEN),
        (BreakerState.OPEN, BreakerState.HALF_OPEN),
        (BreakerState.HALF_OPEN, BreakerState.CLOSED),
        (BreakerState.HALF_OPEN, BreakerState.OPEN),
    }
    loop = Loop(InMemoryBreakerBoard())
    for step in steps:
        before = {one.breaker_id: one for one in loop.board.breakers()}
        if step[0] == "look":
            loop.now += timedelta(minutes=step[1])
            changed = loop.circuit().look(loop.rule, loop.answers, loop.now, actor="test")
            for one in changed:
                was = before.get(one.breaker_id)
                assert ((was.state if was else BreakerState.CLOSED), one.state) in ways
                before[one.breaker_id] = one
                longest = max(HALF_AN_HOUR * 2**one.openings, HALF_AN_HOUR)
                assert one.until is None or one.until - loop.now <= longest
            assert loop.circuit().look(loop.rule, loop.answers, loop.now, actor="test") == []
        else:
            loop.take(step)
