"""Looking and resetting: the breaker and its entry together, sealed at once, no value of a case in it."""

import contextlib
from datetime import timedelta

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import HitlError, InputError, NotFoundError, RefusedError
from hitl_mlops.routing.breaker import BreakerState
from hitl_mlops.routing.breaker_board_in_memory import InMemoryBreakerBoard
from hitl_mlops.routing.breaker_board_sql import SqlBreakerBoard
from hitl_mlops.routing.circuit import Circuit
from hitl_mlops.routing.switches import Order, Scope
from tests.audit_room import a_memory_trail
from tests.builders import NOW
from tests.guard_builders import HALF_AN_HOUR, a_breaker, a_rule, seen

NORTH, SOUTH = Scope("branch", "north-secret"), Scope("branch", "south")
BAD = [
    *seen(20, overridden=15, scopes=frozenset({NORTH})),
    *seen(20, overridden=15, scopes=frozenset({SOUTH})),
]
PER_BRANCH = a_rule(per="branch")


def an_order(**changes):
    return Order(**({"by": "r1", "reason": "Ben mended the scanner", "at": NOW} | changes))


@pytest.fixture
def opened():
    return a_memory_trail()


@pytest.fixture
def circuit(opened):
    return Circuit(InMemoryBreakerBoard(), opened.trail, contextlib.nullcontext, b"k" * 32)


def look(circuit, answers=(), rule=PER_BRANCH, after=timedelta(0)):
    return circuit.look(rule, list(answers), NOW + after, actor="test")


def kinds(opened, breaker_id="b1"):
    return [entry.read()["kind"] for entry in opened.trail.about(breaker_id)]


def test_each_scope_has_a_breaker_of_its_own(circuit):
    assert [(one.breaker_id, one.scope) for one in look(circuit, BAD)] == [("b1", NORTH), ("b2", SOUTH)]
    assert look(circuit, BAD) == []
    assert [one.breaker_id for one in circuit.board.standing()] == ["b1", "b2"]


def test_every_change_is_told_and_sealed_at_once(circuit, opened):
    look(circuit, BAD[:20])
    assert opened.store.latest().size == opened.trail.size() == 1
    look(circuit, after=HALF_AN_HOUR)
    trial = seen(5, at=NOW + HALF_AN_HOUR, held_by=frozenset({"b1"}), scopes=frozenset({NORTH}))
    look(circuit, trial, after=2 * HALF_AN_HOUR)

    assert opened.store.latest().size == opened.trail.size() == 3
    assert kinds(opened) == [Kind.BREAKER_OPENED, Kind.BREAKER_HALF_OPENED, Kind.BREAKER_CLOSED]
    body = next(iter(opened.trail.about("b1"))).read()
    assert (body["actor"], body["facts"]["answers"]) == ("test", 20)
    assert body["facts"]["figures"]["override_rate"] == 0.75


def test_a_late_look_tells_each_state_it_went_through(circuit, opened):
    look(circuit, BAD[:20])
    trial = seen(5, at=NOW + HALF_AN_HOUR, held_by=frozenset({"b1"}), scopes=frozenset({NORTH}))
    states = [one.state for one in look(circuit, trial, after=2 * HALF_AN_HOUR)]

    assert states == [BreakerState.HALF_OPEN, BreakerState.CLOSED]
    assert len(kinds(opened)) == 3


def test_neither_reason_nor_value_stands_in_the_trail(circuit, opened):
    look(circuit, BAD)
    circuit.reset("b1", an_order())

    assert kinds(opened) == [Kind.BREAKER_OPENED, Kind.BREAKER_RESET]
    assert not any(word in entry.body for entry in opened.trail.entries() for word in (b"secret", b"Ben"))
    assert opened.store.latest().size == opened.trail.size()


def test_a_reset_is_refused_without_words_or_where_there_is_nothing_to_reset(circuit, opened):
    look(circuit, BAD)
    size = opened.trail.size()
    with pytest.raises(InputError):
        circuit.reset("b1", an_order(reason=" "))
    with pytest.raises(NotFoundError, match="b7"):
        circuit.reset("b7", an_order())
    assert opened.trail.size() == size

    circuit.reset("b1", an_order())
    with pytest.raises(RefusedError, match="has been closed"):
        circuit.reset("b1", an_order())


def test_a_policy_without_a_breaker_leaves_those_there_are(circuit):
    circuit.board.keep(a_breaker())

    assert look(circuit, BAD, rule=None, after=timedelta(days=1)) == []
    assert circuit.board.standing() == [a_breaker()]


def test_another_kind_of_scope_in_the_policy_leaves_the_old_breakers_on_their_way(circuit):
    circuit.board.keep(a_breaker(scope=SOUTH))
    changed = look(circuit, seen(20, overridden=20), rule=a_rule(), after=HALF_AN_HOUR)

    assert [(one.scope, one.state) for one in changed] == [
        (SOUTH, BreakerState.HALF_OPEN),
        (Scope(), BreakerState.OPEN),
    ]


def test_without_an_entry_no_breaker_changes(tmp_path, opened):
    class Broken(type(opened.trail)):
        def append(self, events):
            raise HitlError(f"the trail is down: {len(events)}")

    database = Database(f"sqlite:///{tmp_path}/hitl.db")
    database.create()
    circuit = Circuit(SqlBreakerBoard(database), Broken(), database.transaction, b"k")
    with pytest.raises(HitlError, match="down"):
        look(circuit, BAD)

    assert circuit.board.breakers() == []
    database.close()
