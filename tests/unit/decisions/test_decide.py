"""Deciding: one recorded decision for every case, whatever the models do, and a trail that finds changes."""

import contextlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import sqlalchemy as sa

from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.decisions.block import KEY_BYTES, SALT_BYTES, key_of
from hitl_mlops.decisions.block_store_sql import SqlBlockStore
from hitl_mlops.decisions.cases import cases_of
from hitl_mlops.decisions.decide import RECORDED_AT_ONCE, decide_cases
from hitl_mlops.decisions.intake import Intake, Refused
from hitl_mlops.decisions.log import DecidedAlreadyError, DecisionLog
from hitl_mlops.decisions.predict import ask, inputs_frame
from hitl_mlops.decisions.quarantine import quarantine_refused
from hitl_mlops.decisions.record import Arm
from hitl_mlops.decisions.serving import Serving
from hitl_mlops.decisions.verify import changed_blocks
from hitl_mlops.errors import ConfigurationError, HitlError
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.switch_board_in_memory import InMemorySwitchBoard
from hitl_mlops.routing.switches import Order, Scope
from tests.builders import KEY, NOW, a_case, a_log, an_intake
from tests.guard_builders import a_guard_board

POLICY = parse_policy("""
rules: [{name: big, when: {amount: ">= 100"}, route: senior}]
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "0.7..0.9"}
  senior: {confidence: "< 0.7"}
spot_checks: {auto: 0.03}
""")


@dataclass
class FakeModel:
    """Says "yes" with the probability that stands in column x; may raise where x is one of `bad`."""

    version: str = "1"
    bad: tuple[float, ...] = ()
    calls: int = 0
    shift: float = 0.0
    classes: tuple[str, ...] = ("no", "yes")

    @property
    def digest(self):
        return f"sha256:{self.version}"

    def probabilities(self, inputs):
        self.calls += 1
        x = inputs["x"].to_numpy(dtype=float) + self.shift
        if np.isin(x, self.bad).any():
            raise RuntimeError("bad row")
        return np.column_stack([1 - x, x])


class World:
    def __init__(self, **serving):
        self.serving = Serving(**({"champion": FakeModel()} | serving))
        self.log, self.trail = a_log(), InMemoryTrail()
        self.transaction, self.board = contextlib.nullcontext, a_guard_board()

    def decide(self, cases, policy=POLICY, **changes):
        return self.decide_intake(an_intake(cases, changes.get("log", self.log)), policy, **changes)

    def decide_intake(self, intake, policy=POLICY, **changes):
        parts = {"log": self.log, "trail": self.trail, "transaction": self.transaction, "board": self.board}
        given = {"key": KEY, "now": NOW, "actor": "cli"} | parts | changes
        return decide_cases(intake, self.serving, policy, **given).decisions()


def cases_of_x(*values, amount=1.0):
    return [
        a_case(case_id=f"c{n}", inputs={"x": value}, attributes={"amount": amount})
        for n, value in enumerate(values)
    ]


def test_each_case_has_one_decision_in_order():
    decisions = World().decide(cases_of_x(0.95, 0.8, 0.4))
    assert [each.label for each in decisions] == ["yes", "yes", "no"]
    assert [each.route for each in decisions] == ["auto", "standard", "senior"]
    assert [each.confidence for each in decisions] == pytest.approx([0.95, 0.8, 0.6])
    assert [each.pi for each in decisions] == [0.03, 1.0, 1.0]
    assert decisions[0].policy_hash == POLICY.hash
    assert decisions[0].model_digest == "sha256:1"


def test_deciding_again_answers_from_the_log_without_asking_a_model():
    world = World()
    first = world.decide(cases_of_x(0.95, 0.4))
    calls, size = world.serving.champion.calls, world.trail.size()
    assert world.decide([*cases_of_x(0.95, 0.4)]) == first
    assert (world.serving.champion.calls, world.trail.size()) == (calls, size)


def test_what_another_writer_decided_meanwhile_is_answered_as_he_decided_it():
    world = World()
    intake = an_intake(cases_of_x(0.95, 0.4), world.log)
    (before,) = world.decide(cases_of_x(0.7))  # c0
    first, second = world.decide_intake(intake)
    assert first == before
    assert second.confidence == pytest.approx(0.6)
    assert [block.number for block in world.log.store.blocks()] == [1, 2]


def test_where_nobody_looked_what_is_decided_is_found_out():
    world = World()
    world.decide(cases_of_x(0.95))
    intake = replace(an_intake(cases_of_x(0.95, 0.4), world.log), known=None)
    with pytest.raises(DecidedAlreadyError):
        world.decide_intake(intake)
    assert len(world.log.decisions()) == 1


def test_the_same_case_twice_has_one_decision():
    world = World()
    one, two = world.decide([a_case(inputs={"x": 0.9}), a_case(inputs={"x": 0.9})])
    assert one == two
    assert len(world.log.decisions()) == 1


def test_no_cases_make_no_decisions_and_no_entry():
    world = World()
    assert world.decide([]) == []
    assert world.trail.size() == 0


def test_a_row_the_model_fails_on_goes_to_people_and_takes_no_other_with_it():
    decisions = World(champion=FakeModel(bad=(0.5,))).decide(cases_of_x(0.95, 0.5, 0.95))
    assert [each.route for each in decisions] == ["auto", "senior", "auto"]
    assert (decisions[1].label, decisions[1].confidence, decisions[1].probabilities) == ("", 0.0, {})
    assert "the model gave no usable answer → senior" in decisions[1].reasons


def test_a_model_that_always_fails_is_not_asked_without_end():
    values = np.linspace(0, 1, 1000).tolist()
    model = FakeModel(bad=tuple(values))
    decisions = World(champion=model).decide(cases_of_x(*values))
    assert {each.route for each in decisions} == {"senior"}
    assert model.calls <= 64


@pytest.mark.parametrize("shift", [np.nan, np.inf, 0.6, -1.2])
def test_probabilities_that_are_none_go_to_people(shift):
    decision = World(champion=FakeModel(shift=shift)).decide(cases_of_x(0.95))[0]
    assert (decision.route, decision.label) == ("senior", "")


def test_a_number_that_is_not_there_is_no_value():
    world = World()
    world.decide([a_case(inputs={"x": np.nan})])
    assert world.log.case("case-1").inputs == {"x": None}


def test_no_policy_sends_everything_to_people():
    decision = World().decide(cases_of_x(0.99), policy=None)[0]
    assert (decision.route, decision.signatures, decision.policy_hash) == ("senior", 1, "none")


def test_the_attributes_of_a_case_reach_the_rules():
    assert World().decide(cases_of_x(0.99, amount=500.0))[0].route == "senior"


def test_what_was_frozen_before_a_batch_is_recorded_goes_to_people():
    world = World(challenger=FakeModel("2"), share_percent=40.0, rollout_id="r1")
    assert {each.route for each in world.decide(cases_of_x(*[0.95] * 20))} == {"auto"}

    world.board.switches.add(Scope(), Order("r1", "odd", NOW))
    later = [a_case(case_id=f"later-{n}", inputs={"x": 0.95}) for n in range(40)]
    decisions = world.decide(later)

    assert {each.arm for each in decisions} == set(Arm)
    assert {each.route for each in decisions} == {"senior"}
    assert all("frozen: s1 → senior" in each.reasons for each in decisions)


def test_a_frozen_version_is_frozen_whichever_arm_it_answers():
    world = World(challenger=FakeModel("2"), share_percent=40.0, rollout_id="r1")
    world.board.switches.add(Scope("model", "2"), Order("r1", "odd", NOW))
    decisions = world.decide(cases_of_x(*[0.95] * 60))

    assert {(each.arm, each.route) for each in decisions} == {
        (Arm.CHAMPION, "auto"),
        (Arm.CHALLENGER, "senior"),
    }


class Unreadable(InMemorySwitchBoard):
    def standing(self):
        raise RuntimeError("no such table")


def test_a_board_that_cannot_be_read_freezes_everything():
    world = World()
    world.board = a_guard_board(switches=Unreadable())
    (decision,) = world.decide(cases_of_x(0.95))
    assert decision.route == "senior"
    assert decision.reasons[0] == "frozen: the switches cannot be read → senior"


def test_what_else_is_kept_of_a_batch_is_kept_with_it_or_not_at_all(stored):
    seen = []
    stored.decide(cases_of_x(0.95), beside=seen.append)
    assert [block.decisions() for block in seen] == [stored.log.decisions()]

    def broken(_block):
        raise HitlError("no tickets")

    with pytest.raises(HitlError, match="no tickets"):
        stored.decide([a_case(case_id="c9", inputs={"x": 0.95})], beside=broken)
    assert [each.case_id for each in stored.log.decisions()] == ["c0"]


def test_with_a_challenger_both_models_see_every_case_and_one_answers():
    world = World(challenger=FakeModel("2", shift=-0.3), share_percent=40.0, rollout_id="r1")
    decisions = world.decide(cases_of_x(*[0.9] * 300))
    by_arm = {arm: [each for each in decisions if each.arm is arm] for arm in Arm}
    assert 80 < len(by_arm[Arm.CHALLENGER]) < 160
    assert {each.model_version for each in by_arm[Arm.CHALLENGER]} == {"2"}
    shadows = {each.decision_id: each for version in ("1", "2") for each in world.log.shadows(version)}
    assert len(shadows) == 300
    for each in decisions:
        assert shadows[each.decision_id].model_version == ("1" if each.arm is Arm.CHALLENGER else "2")


def test_a_subject_stays_on_the_challengers_side_as_the_share_grows():
    subjects = [f"s{n}" for n in range(2000)]
    last = np.zeros(2000, dtype=bool)
    for share in (0.0, 1.0, 5.0, 25.0, 50.0, 100.0):
        serving = Serving(FakeModel(), FakeModel("2"), share, "r1")
        now = serving.challenger_answers(KEY, subjects)
        assert not (last & ~now).any()
        assert now.mean() == pytest.approx(share / 100, abs=0.04)
        last = now
    other = Serving(FakeModel(), FakeModel("2"), 50.0, "r2").challenger_answers(KEY, subjects)
    assert (
        0.4
        < (other == Serving(FakeModel(), FakeModel("2"), 50.0, "r1").challenger_answers(KEY, subjects)).mean()
        < 0.6
    )


def test_in_the_shadow_a_challenger_that_fails_changes_nothing():
    alone = World().decide(cases_of_x(0.95, 0.5))
    world = World(challenger=FakeModel("2", bad=(0.95, 0.5)), rollout_id="r1")
    assert world.decide(cases_of_x(0.95, 0.5)) == alone
    assert world.log.shadows("2") == []


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="120"):
        Serving(FakeModel(), FakeModel("2"), 120.0, "r1")
    with pytest.raises(ConfigurationError, match="rollout"):
        Serving(FakeModel(), FakeModel("2"), 10.0)


def test_an_entry_tells_of_its_block_and_names_no_case():
    world = World()
    decisions = world.decide(
        [a_case(case_id=f"secret-{n}", inputs={"x": 0.95}, attributes={"amount": 1.0}) for n in range(1201)]
    )
    (entry,) = world.trail.entries()
    assert entry.read()["facts"]["count"] == 1201
    assert entry.read()["facts"]["by_route"] == {"auto": 1201}
    assert world.log.block_of(decisions[700].decision_id) == 1
    assert world.trail.about("b_1") == [entry]
    assert b"secret" not in entry.body


def test_many_cases_are_recorded_in_blocks():
    world = World()
    count = RECORDED_AT_ONCE + 1
    assert len(world.decide(cases_of_x(*[0.95] * count))) == count
    assert [entry.read()["facts"]["count"] for entry in world.trail.entries()] == [RECORDED_AT_ONCE, 1]


def test_a_label_that_was_never_asked_for_is_missing_to_the_model_as_nan():
    frame = inputs_frame([a_case(inputs={"x": None, "t": "a"}), a_case(inputs={"x": None, "t": None})])
    assert frame["x"].dtype == float
    assert ask(FakeModel(), frame).label(0) == ""


@pytest.fixture
def stored(tmp_path):
    world = World()
    database = Database(f"sqlite:///{tmp_path}/hitl.db")
    database.create()
    world.log, world.transaction = DecisionLog(SqlBlockStore(database), KEY), database.transaction
    world.database = database
    yield world
    database.close()


def test_what_was_not_touched_is_found_unchanged(stored):
    stored.decide(cases_of_x(*[0.95, 0.8, 0.1 + 0.2] * 250))
    assert list(changed_blocks(stored.trail.entries(), stored.log)) == []


def rewritten(column, change):
    """The stored bytes of a column of the first block, changed."""

    def apply(connection, _target):
        before = bytes(connection.execute(sa.text(f"SELECT {column} FROM decision_blocks")).scalar())
        statement = sa.text(f"UPDATE decision_blocks SET {column} = :after")
        connection.execute(statement, {"after": change(before)})

    return apply


def of_row(row, change):
    """A change of one row's record among twenty."""

    def apply(rows):
        width = len(rows) // 20
        start = row * width
        return rows[:start] + change(rows[start : start + width]) + rows[start + width :]

    return rewritten("rows", apply)


def other_pi(record):
    pi = KEY_BYTES + SALT_BYTES + 16
    return record[:pi] + np.float64(0.5).tobytes() + record[pi + 8 :]


NAMED = [
    of_row(7, lambda record: record[:-20] + b"\1" + record[-19:]),
    of_row(7, lambda record: record[:KEY_BYTES] + b"\0" * SALT_BYTES + record[KEY_BYTES + SALT_BYTES :]),
    of_row(7, other_pi),
    rewritten("texts", lambda texts: texts.replace(b"c7", b"c_")),
    lambda connection, target: connection.execute(
        sa.text("DELETE FROM decision_keys WHERE key = :key"), {"key": key_of(target)}
    ),
    lambda connection, target: connection.execute(
        sa.text("UPDATE decision_keys SET row = 3 WHERE key = :key"), {"key": key_of(target)}
    ),
]


@pytest.mark.parametrize("change", NAMED)
def test_a_decision_changed_behind_our_back_is_found_and_named(stored, change):
    decisions = stored.decide(cases_of_x(*[0.95] * 20))
    target = decisions[7].decision_id
    with stored.database.transaction() as connection:
        change(connection, target)
    (found,) = changed_blocks(stored.trail.entries(), stored.log)
    assert found.lost + found.changed == (target,)
    assert target in found.told


WHOLE = [
    rewritten("header", lambda header: header.replace(b"auto", b"none")),
    rewritten("header", lambda header: b"{" + header),
    rewritten("rows", lambda rows: rows[:-1]),
    lambda connection, _target: connection.execute(sa.text("UPDATE decision_blocks SET at = '2020'")),
    lambda connection, _target: connection.execute(sa.text("DELETE FROM decision_blocks")),
]


@pytest.mark.parametrize("change", WHOLE)
def test_a_block_that_is_not_what_it_was_is_found(stored, change):
    decisions = stored.decide(cases_of_x(*[0.95] * 20))
    with stored.database.transaction() as connection:
        change(connection, decisions[7].decision_id)
    (found,) = changed_blocks(stored.trail.entries(), stored.log)
    assert found.told.startswith("Entry 0: ")


class BrokenTrail(InMemoryTrail):
    def append(self, events):
        raise HitlError(f"the trail is down: {len(events)} events are lost")


def test_without_an_entry_there_is_no_decision(stored):
    stored.trail = BrokenTrail()
    with pytest.raises(HitlError, match="down"):
        stored.decide(cases_of_x(0.95))
    assert stored.log.decisions() == []
    assert stored.log.cases(["c0"]) == {}


def test_another_writers_decision_is_the_one_given_out(stored):
    world = World(champion=FakeModel("9"))
    world.log, world.transaction = stored.log, stored.transaction
    first = stored.decide(cases_of_x(0.95))

    class Racing(DecisionLog):
        asked = 0

        def decided(self, case_ids):
            self.asked += 1
            return {} if self.asked == 1 else super().decided(case_ids)

    racing = Racing(SqlBlockStore(stored.database), KEY)
    assert world.decide(cases_of_x(0.95), log=racing) == first
    assert world.trail.size() == 0


def test_refused_rows_are_counted_in_the_trail_without_their_values():
    world = World()
    refused = Refused(1, "c1", {"x": "secret"}, ("x is not a number",))
    intake = Intake(cases_of([]), (refused, replace(refused, place=2, case_id="c2")), *world.log.drawn([]))
    parts = {"log": world.log, "trail": world.trail, "transaction": world.transaction, "now": NOW}
    assert quarantine_refused(intake, actor="cli", **parts) == 2
    assert quarantine_refused(intake, actor="cli", **parts) == 0
    (entry,) = world.trail.entries()
    assert json.loads(entry.body)["facts"] == {
        "count": 2,
        "refused": 2,
        "reasons": {"x is not a number": 2},
    }
    assert b"secret" not in entry.body
    assert len(world.log.quarantined()) == 2


def test_nothing_refused_is_no_entry():
    world = World()
    parts = {"log": world.log, "trail": world.trail, "transaction": world.transaction, "now": NOW}
    assert quarantine_refused(an_intake([], world.log), actor="cli", **parts) == 0
    assert world.trail.size() == 0
