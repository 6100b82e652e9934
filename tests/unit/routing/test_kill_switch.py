"""Freezing and lifting: the switch and its entry together, sealed at once, no word of the reason in it."""

import contextlib
from datetime import timedelta

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import ConfigurationError, HitlError, InputError, NotFoundError, RefusedError
from hitl_mlops.routing.kill_switch import KillSwitch, wants_two_people
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.switch_board_in_memory import InMemorySwitchBoard
from hitl_mlops.routing.switch_board_sql import SqlSwitchBoard
from hitl_mlops.routing.switches import Order, Scope
from tests.audit_room import a_memory_trail
from tests.builders import NOW

NORTH = Scope("branch", "north-secret")


def an_order(**changes):
    return Order(**({"by": "r1", "reason": "Ben broke the scanner", "at": NOW} | changes))


@pytest.fixture
def opened():
    return a_memory_trail()


@pytest.fixture
def kill(opened):
    return KillSwitch(InMemorySwitchBoard(), opened.trail, contextlib.nullcontext, b"k" * 32)


def test_freezing_and_lifting_are_told_and_sealed_at_once(kill, opened):
    switch = kill.freeze(NORTH, an_order())
    assert opened.store.latest().size == 1
    off = kill.unfreeze("s1", an_order(by="r2", at=NOW + timedelta(hours=1)), two_people=True)
    assert opened.store.latest().size == 2

    assert kill.board.switches() == [off]
    bodies = [entry.read() for entry in opened.trail.about(switch.switch_id)]
    assert [(one["kind"], one["actor"], one["facts"]["scope"]) for one in bodies] == [
        (Kind.SWITCH_SET, "r1", "branch"),
        (Kind.SWITCH_LIFTED, "r2", "branch"),
    ]
    assert bodies[0]["facts"]["scope_key"] == bodies[1]["facts"]["scope_key"]


def test_neither_the_reason_nor_an_attributes_value_stands_in_the_trail(kill, opened):
    kill.freeze(NORTH, an_order())
    kill.unfreeze("s1", an_order(by="r2"), two_people=True)

    assert not any(word in entry.body for entry in opened.trail.entries() for word in (b"secret", b"Ben"))


@pytest.mark.parametrize(
    "changes", [{"reason": ""}, {"reason": " \n"}, {"by": " "}, {"reason": "nul \x00"}, {"reason": "\ud800"}]
)
def test_an_order_without_person_or_words_changes_nothing(kill, opened, changes):
    kill.freeze(Scope(), an_order())
    with pytest.raises(InputError):
        kill.freeze(Scope(), an_order(**changes))
    with pytest.raises(InputError):
        kill.unfreeze("s1", an_order(**changes), two_people=False)

    assert [one.is_on for one in kill.board.switches()] == [True]
    assert opened.trail.size() == 1


def test_a_refused_lifting_leaves_it_on_and_tells_nothing(kill, opened):
    kill.freeze(Scope(), an_order())
    with pytest.raises(RefusedError, match="another person"):
        kill.unfreeze("s1", an_order(), two_people=True)
    with pytest.raises(NotFoundError, match="s7"):
        kill.unfreeze("s7", an_order(by="r2"), two_people=True)

    assert [one.switch_id for one in kill.board.standing()] == ["s1"]
    assert opened.trail.size() == 1


def test_lifting_twice_is_refused(kill):
    kill.freeze(Scope(), an_order())
    kill.unfreeze("s1", an_order(), two_people=False)

    with pytest.raises(RefusedError, match="lifted by r1"):
        kill.unfreeze("s1", an_order(by="r2"), two_people=False)


def test_without_an_entry_there_is_no_switch(tmp_path, opened):
    class Broken(type(opened.trail)):
        def append(self, events):
            raise HitlError(f"the trail is down: {len(events)}")

    database = Database(f"sqlite:///{tmp_path}/hitl.db")
    database.create()
    kill = KillSwitch(SqlSwitchBoard(database), Broken(), database.transaction, b"k")
    with pytest.raises(HitlError, match="down"):
        kill.freeze(Scope(), an_order())

    assert kill.board.switches() == []
    database.close()


def test_the_policy_says_whether_two_people_are_wanted():
    routes = "routes: {senior: {confidence: '>= 0'}}\n"
    assert not wants_two_people(parse_policy(routes))
    assert not wants_two_people(parse_policy(routes + "guards: {kill_switch: {two_people: false}}"))
    assert wants_two_people(parse_policy(routes + "guards: {kill_switch: {two_people: true}}"))
    with pytest.raises(ConfigurationError, match="line 2"):
        parse_policy(routes + "guards: {kill_switch: {two_people: 2}}")
