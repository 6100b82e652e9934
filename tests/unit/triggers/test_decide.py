"""The decision table: what is asked for, whatever is found and whatever is missing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.triggers.decide import Answer, Decided, Memory, decide
from hitl_mlops.triggers.findings import HARMS, Reading, Readings, SliceReadings, State, Trigger, find
from hitl_mlops.triggers.policy import Act, RetrainPolicy, retrain_policy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = RetrainPolicy(automatic=frozenset(Act))
RATE = Trigger.OVERRIDE_RATE
QUIET = {
    Trigger.DRIFT: Reading(0.0, 0.0, 500),
    Trigger.OVERRIDE_COUNT: Reading(3, 3, 3),
    Trigger.OVERRIDE_RATE: Reading(0.1, 0.05, 200),
    Trigger.CALIBRATION_GAP: Reading(0.02, 0.0, 200),
    Trigger.ACCURACY_DROP: Reading(0.0, -0.02, 200),
}


def at(value: float, low: float | None = None) -> Reading:
    return Reading(value, value if low is None else low, 100)


def readings(changed: dict[Trigger, Reading] | None = None, **more) -> Readings:
    plain = {"since_training": timedelta(hours=1), "new_labels": 100, "decisions": 500}
    return Readings(**(plain | {"figures": QUIET | (changed or {})} | more))


def a_slice(value: str, share: float, rate: Reading, rest: Reading) -> SliceReadings:
    return SliceReadings("branch", value, share, {RATE: rate}, {RATE: rest})


def decided(found: Readings, policy: RetrainPolicy = POLICY, memory: Memory | None = None, **how) -> Decided:
    remembered = memory or Memory()
    standing = [Trigger(one) for one in remembered.standing]
    return decide(find(found, policy, standing, **how), found, policy, remembered, NOW)


def acts(one: Decided) -> list[tuple[str, str]]:
    return [(task.act.value, task.scope) for task in one.tasks if not task.waits]


MAYBE = st.one_of(st.none(), st.floats(0, 1), st.sampled_from([math.nan, math.inf, -math.inf]))
READING = st.builds(Reading, MAYBE, MAYBE, st.integers(0, 500))
FIGURES = st.dictionaries(st.sampled_from([*QUIET]), READING)
SLICES = st.lists(
    st.builds(
        SliceReadings,
        st.sampled_from(["branch", "channel"]),
        st.sampled_from(["north", "south", "missing"]),
        st.floats(0, 1),
        FIGURES,
        FIGURES,
    ),
    max_size=4,
).map(tuple)
ANY = st.builds(
    Readings,
    st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=30))),
    st.one_of(st.none(), st.integers(0, 500)),
    FIGURES,
    SLICES,
    st.integers(0, 5_000),
)
MEMORY = st.builds(
    Memory,
    st.frozensets(st.sampled_from([one.value for one in Trigger])),
    st.one_of(st.none(), st.just(NOW - timedelta(hours=1)), st.just(NOW - timedelta(days=9))),
    st.frozensets(st.sampled_from(["everything", "branch=north"])),
    st.booleans(),
)


@settings(deadline=None)
@given(ANY, MEMORY)
def test_a_finding_that_is_widespread_and_severe_is_always_contained(found, memory):
    told = decided(found, memory=memory)
    severe = [one for one in told.findings if one.fired and one.widespread and one.severe]
    assert not severe or told.answer is Answer.CONTAIN
    if told.answer is Answer.CONTAIN:
        freeze = next(one for one in told.tasks if one.act is Act.FREEZE)
        assert freeze.scope == "everything"
        assert not freeze.waits or "everything" in memory.frozen
        assert told.tasks[0] is freeze


@settings(deadline=None)
@given(st.floats(0.5, 1), st.sampled_from([one.value for one in HARMS]), SLICES, MEMORY)
def test_what_is_severe_over_all_decisions_is_contained_unless_the_rest_is_known_to_be_well(
    low, name, slices, memory
):
    trigger = Trigger(name)
    found = readings({trigger: at(1.0, low)}, slices=slices)
    told = decided(found, memory=memory)
    hit = [one for one in slices if one.figures.get(trigger, Reading()).known]
    well = [one for one in hit if one.rest.get(trigger, Reading()).known]
    assert told.answer is Answer.CONTAIN or well


@settings(deadline=None)
@given(ANY, MEMORY)
def test_a_missing_figure_is_told_as_unknown_and_never_means_that_nothing_is_to_be_done(found, memory):
    told = decided(found, memory=memory)
    assert {one.trigger for one in told.findings} == {*Trigger}
    missing = {one.value for one in QUIET if not found.figures.get(one, Reading()).known}
    missing |= {"schedule"} if found.since_training is None else set()
    assert missing <= {*told.unknown} | {*told.fired}
    assert not told.unknown or told.answer > Answer.NOTHING
    assert len([one for one in told.findings if one.state is not State.QUIET]) <= len(told.reasons)


@settings(deadline=None)
@given(ANY, MEMORY, st.booleans())
def test_the_same_figures_give_the_same_answer_and_a_retraining_is_in_every_answer_that_acts(
    found, memory, scheduled
):
    told = decided(found, memory=memory, scheduled=scheduled)
    assert told == decided(found, memory=memory, scheduled=scheduled)
    assert any(one.act is Act.RETRAIN for one in told.tasks) is (told.answer >= Answer.QUEUE)
    assert not scheduled or told.answer >= Answer.QUEUE


def test_nothing_is_to_be_done_only_where_every_figure_is_known_and_quiet():
    told = decided(readings())
    assert (told.answer, told.tasks, told.reasons) == (Answer.NOTHING, (), ())
    silent = decided(readings({Trigger.DRIFT: Reading()}))
    assert (silent.answer, silent.unknown, silent.tasks) == (Answer.LOOK, ("drift",), ())
    assert silent.reasons == ("The drift is unknown: 0 cases are too few, or a figure is missing.",)


@pytest.mark.parametrize(
    ("trigger", "value"),
    [
        (Trigger.DRIFT, 0.3),
        (Trigger.OVERRIDE_COUNT, 100),
        (Trigger.OVERRIDE_RATE, 0.3),
        (Trigger.ACCURACY_DROP, 0.1),
    ],
)
def test_each_trigger_queues_a_retraining_by_itself(trigger, value):
    told = decided(readings({trigger: at(value)}))
    assert (told.answer, told.fired, acts(told)) == (Answer.QUEUE, (trigger.value,), [("retrain", "")])


def test_drift_alone_is_never_contained():
    assert decided(readings({Trigger.DRIFT: at(1.0)})).answer is Answer.QUEUE


def test_the_schedule_fires_when_it_is_time_or_when_it_began_the_look():
    assert decided(readings(since_training=timedelta(days=8))).fired == ("schedule",)
    assert decided(readings(), scheduled=True).fired == ("schedule",)


def test_a_rate_that_may_be_chance_does_not_fire():
    assert decided(readings({RATE: at(0.9, 0.24)})).answer is Answer.NOTHING


def test_a_slice_is_paused_asked_about_and_retrained_while_the_rest_goes_on():
    slices = (a_slice("north", 0.2, at(0.8), at(0.1)), a_slice("south", 0.8, at(0.1), at(0.8)))
    told = decided(readings(slices=slices))
    assert told.answer is Answer.PAUSE
    assert acts(told) == [("pause", "branch=north"), ("enqueue", ""), ("retrain", "")]
    assert "branch=north (0.8)" in told.reasons[0]


def test_slices_that_hold_most_decisions_are_everywhere():
    slices = tuple(a_slice(name, 0.3, at(0.8), at(0.1)) for name in ("north", "south"))
    told = decided(readings({RATE: at(0.55)}, slices=slices), memory=Memory(live=True))
    assert told.answer is Answer.CONTAIN
    rest = [("roll_back", ""), ("enqueue", ""), ("retrain", "")]
    assert acts(told) == [("freeze", "everything"), *rest]
    pausing = decided(
        readings({RATE: at(0.55)}, slices=slices), policy=RetrainPolicy(automatic=frozenset({Act.PAUSE}))
    )
    assert [one.scope for one in pausing.tasks if one.automatic] == ["branch=north", "branch=south"]


def test_where_the_rest_cannot_be_known_a_bad_slice_is_taken_for_everywhere():
    told = decided(readings({RATE: at(0.6)}, slices=(a_slice("north", 0.2, at(0.8), Reading()),)))
    assert told.answer is Answer.CONTAIN


def test_a_retraining_waits_for_the_cool_down_and_for_something_new_but_containment_does_not():
    memory = Memory(retrained_at=NOW - timedelta(hours=3))
    cooling = decided(readings({RATE: at(0.9)}), memory=memory)
    assert cooling.answer is Answer.CONTAIN
    assert acts(cooling) == [("freeze", "everything"), ("enqueue", "")]
    assert cooling.reasons[-1] == (
        "A challenger learned at 2026-03-01 09:00 UTC; the next may at 2026-03-02 09:00 UTC."
    )
    nothing_new = decided(readings({RATE: at(0.3)}, new_labels=3))
    assert not nothing_new.has(Act.RETRAIN)
    assert "3 labels are new, 20 are needed" in nothing_new.reasons[-1]
    assert decided(readings({RATE: at(0.3)}, new_labels=None)).has(Act.RETRAIN)


def test_what_fired_rests_only_when_it_is_clearly_below_its_bound():
    stood = Memory(standing=frozenset({"override_rate"}))
    assert decided(readings({RATE: at(0.24, 0.2)}), memory=stood).fired == ("override_rate",)
    assert decided(readings({RATE: at(0.22, 0.2)}), memory=stood).fired == ()
    assert decided(readings({RATE: at(0.24, 0.2)})).fired == ()


def test_what_is_frozen_is_not_frozen_again_and_what_the_policy_keeps_for_people_is_not_automatic():
    memory = Memory(frozen=frozenset({"everything"}))
    assert acts(decided(readings({RATE: at(0.9)}), memory=memory)) == [("enqueue", ""), ("retrain", "")]
    careful = decided(readings({RATE: at(0.9)}), policy=RetrainPolicy())
    assert [(one.act, one.automatic) for one in careful.tasks if one.automatic] == [(Act.RETRAIN, True)]


def test_the_section_of_the_policy_is_what_the_room_reads():
    said = parse_policy("""
routes: {auto: {confidence: ">= 0.9"}, standard: {confidence: "< 0.9"}}
retrain:
  every: 2d
  drift: {share: 0.4}
  overrides: {count: 9, rate: 0.2, severe: 0.4}
  calibration: {gap: 0.2, severe: 0.3}
  accuracy: {drop: 0.04, severe: 0.5}
  widespread: 0.7
  at_least: 12
  window: 300
  cool_down: 2h
  new_labels: 5
  quiet_below: 0.8
  enqueue: 7
  automatic: [freeze, pause]
""")
    policy = retrain_policy(said.section("retrain"))
    assert policy.automatic == {Act.FREEZE, Act.PAUSE}
    assert (policy.every, policy.cool_down) == (timedelta(days=2), timedelta(hours=2))
    assert [
        getattr(policy, name).severe for name in ("override_rate", "calibration_gap", "accuracy_drop")
    ] == [
        0.4,
        0.3,
        0.5,
    ]
    assert (policy.drift_share, policy.override_count, policy.widespread, policy.at_least) == (
        0.4,
        9,
        0.7,
        12,
    )
    assert (policy.window, policy.new_labels, policy.quiet_below, policy.enqueue) == (300, 5, 0.8, 7)
    assert retrain_policy({}) == RetrainPolicy()
    assert retrain_policy({"overrides": {"rate": 0.7}}).override_rate.severe == 0.7


def test_a_severe_bound_below_the_figure_is_refused():
    with pytest.raises(ConfigurationError, match="below rate"):
        retrain_policy({"overrides": {"rate": 0.4, "severe": 0.3}})
    with pytest.raises(ConfigurationError, match="severe lies below"):
        parse_policy("routes: {standard: {}}\nretrain: {calibration: {gap: 0.4, severe: 0.3}}")
