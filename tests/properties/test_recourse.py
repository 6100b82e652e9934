"""Whatever is asked in whatever order: nobody acts on what was taken back, and twice is once."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.errors import HitlError, RefusedError
from hitl_mlops.recourse.decide import halt, reverse
from hitl_mlops.recourse.record import How, TakenBack
from hitl_mlops.recourse.standing import State, may_change, standing
from hitl_mlops.routing.policy import Intervention
from tests.builders import NOW, a_decision
from tests.recourse_builders import a_word
from tests.recourse_room import DECISIONS as KINDS
from tests.recourse_room import Room

MINUTES = st.integers(-60, 60).map(lambda minutes: timedelta(minutes=minutes))
DECISIONS = st.builds(
    lambda when, until, signatures, spot: a_decision(
        intervention=when,
        reversible_until=None if until is None else NOW + until,
        signatures=signatures,
        spot_check=spot,
    ),
    st.sampled_from(Intervention),
    st.none() | MINUTES,
    st.integers(0, 2),
    st.booleans(),
)
ASKED = st.lists(st.tuples(st.sampled_from([halt, reverse]), MINUTES), max_size=6)


class Resolution:
    resolution_id, label, resolved_at = "res_1", "no", NOW


@settings(max_examples=400)
@given(DECISIONS, ASKED, st.sampled_from([None, Resolution()]))
def test_what_was_taken_back_is_never_acted_on_and_stays_as_it_was(decision, asked, resolution):
    taken: TakenBack | None = None
    for verb, after in asked:
        word = a_word(at=NOW + after)
        try:
            now = verb(decision, taken, word)
        except RefusedError:
            continue
        assert taken is None or now is taken
        assert now.how is (How.HALTED if verb is halt else How.REVERSED)
        assert verb(decision, now, a_word(at=NOW + timedelta(days=9))) is now
        taken = now
    stands = standing(decision, resolution, taken)
    if taken is not None:
        assert stands.state in (State.HALTED, State.REVERSED)
        assert (stands.act, stands.label) == (False, None)
        assert not may_change(decision, stands, NOW)


@settings(max_examples=400)
@given(DECISIONS, MINUTES)
def test_a_decision_is_halted_or_reversed_and_never_both(decision, after):
    word = a_word(at=NOW + after)
    done = []
    for verb in (halt, reverse):
        try:
            done.append(verb(decision, None, word).how)
        except RefusedError:
            continue
    until = decision.reversible_until
    in_time = until is not None and NOW + after <= until
    expected = {
        Intervention.BEFORE: [],
        Intervention.DURING: [How.HALTED] if in_time or until is None else [],
        Intervention.AFTER: [How.REVERSED] if in_time else [],
    }
    assert done == expected[decision.intervention]


@settings(max_examples=400)
@given(DECISIONS, st.sampled_from([None, Resolution()]), st.booleans())
def test_act_is_true_only_where_a_label_holds(decision, resolution, stopped):
    taken = TakenBack(decision.decision_id, How.HALTED, a_word()) if stopped else None
    stands = standing(decision, resolution, taken)
    assert stands.act == (stands.label is not None)
    asked = decision.to_review and not decision.spot_check
    assert stands.act == (taken is None and (resolution is not None or not asked))


SAID = st.tuples(
    st.sampled_from(["halt", "reverse", "outcome", "complain"]),
    st.sampled_from([f"d_{name}" for name in KINDS]),
    st.sampled_from(["one", "two"]),
    st.none() | st.sampled_from(["k1", "k2"]),
    st.integers(0, 20),
)


def say(room, verb, name, reason, key):
    if verb == "outcome":
        label = "yes" if reason == "one" else "no"
        return room.recourse.tell_outcome(name, label, source="letters", at=NOW, key=key)
    return getattr(room.recourse, verb)(name, by="ann", reason=reason, key=key)


@settings(max_examples=60, deadline=None)
@given(st.lists(SAID, max_size=12))
def test_whatever_is_said_in_whatever_order_the_book_and_the_trail_agree(said):
    room = Room()
    stopped, answers = {}, {}
    for verb, name, reason, key, hours in said:
        room.now = max(room.now, NOW + timedelta(hours=hours))
        entries = len(room.told())
        try:
            got = say(room, verb, name, reason, key)
        except HitlError:
            assert len(room.told()) == entries
            continue
        if key is not None:
            assert answers.setdefault((key, verb, name, reason), got) == got
        if isinstance(got, TakenBack):
            assert stopped.setdefault(name, got) == got
        for one in stopped:
            assert not room.recourse.standing(one).act
    kinds = [entry["kind"] for entry in room.told()]
    assert kinds.count("decisions.halted") + kinds.count("decisions.reversed") == len(stopped)
    names = [f"d_{name}" for name in KINDS]
    assert kinds.count("outcomes.told") == sum(len(room.recourse.book.revisions(one)) for one in names)
    made = sum(len(room.recourse.book.complaints(one)) for one in names)
    assert kinds.count("complaints.made") == made == len(room.tickets.waiting())
    room.database.close()
