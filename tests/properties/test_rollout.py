"""What must hold of a rollout whatever comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.rollout.guardrails import Guardrails
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Evidence, Rollout, Stage
from hitl_mlops.rollout.step import step
from hitl_mlops.routing.breaker import Breaker, BreakerState
from hitl_mlops.routing.switches import MODEL, Scope
from hitl_mlops.statistics.sequential import harm_e, non_inferiority_e

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = RolloutPolicy(stages=(1, 5, 25, 100), at_least=20, hold_at_most=timedelta(days=1))
E_VALUES = st.floats(0, 1e6) | st.just(float("nan"))


@st.composite
def rollouts(draw):
    share = draw(st.sampled_from([0.0, 1.0, 5.0, 25.0, 100.0]))
    stage = Stage.CANARY if share else Stage.SHADOW
    return Rollout("ro", "1", "sha256:a", "2", "sha256:b", stage, share, NOW, NOW)


@st.composite
def evidences(draw):
    labels = draw(st.integers(0, 100))
    return Evidence(
        cases=1000,
        agreed=900,
        labels=labels,
        pending=draw(st.integers(0, 5)),
        challenger_wrong=labels,
        champion_wrong=0,
        promote_e=draw(E_VALUES),
        rollback_e=draw(E_VALUES),
        promote_at=20.0,
        rollback_at=100.0,
        served=draw(st.integers(0, 40)),
        unanswered_e=draw(E_VALUES),
    )


@st.composite
def breakers(draw):
    scope = draw(st.sampled_from([Scope(), Scope(MODEL, "1"), Scope(MODEL, "2")]))
    return Breaker("b1", scope, draw(st.sampled_from(list(BreakerState))), NOW, None, NOW, 1)


@st.composite
def guardrails(draw):
    standing = draw(st.none() | st.lists(breakers(), max_size=2))
    return Guardrails(draw(st.sampled_from(["", "frozen by s1"])), standing, draw(st.integers(0, 10)), 10)


def share_after(rollout, evidence, stands, late):
    return step(rollout, evidence, stands, POLICY, NOW + late).after.share_percent


def more(value, by):
    """A larger e-value; what is no number stays so."""
    return value + by


@settings(deadline=None)
@given(rollouts(), evidences(), guardrails(), st.floats(0, 1e5), st.sampled_from([0, 30]))
def test_more_harm_never_leads_to_more_share(rollout, evidence, stands, by, hours):
    late = timedelta(hours=hours)
    before = share_after(rollout, evidence, stands, late)
    worse = [
        (replace(evidence, rollback_e=more(evidence.rollback_e, by)), stands),
        (replace(evidence, unanswered_e=more(evidence.unanswered_e, by)), stands),
        (replace(evidence, promote_e=max(0.0, evidence.promote_e - by)), stands),
        (evidence, replace(stands, frozen="frozen by s1")),
        (evidence, replace(stands, breakers=None)) if not stands.breakers else (evidence, stands),
        (evidence, replace(stands, breakers=[*(stands.breakers or ()), OWN])),
        (evidence, replace(stands, late=10)),
    ]
    for told, standing in worse:
        assert share_after(rollout, told, standing, late) <= before


OWN = Breaker("b9", Scope(MODEL, "2"), BreakerState.OPEN, NOW, None, NOW, 1)


@settings(deadline=None)
@given(rollouts(), evidences(), guardrails())
def test_a_share_grows_by_one_stage_at_the_most_and_only_on_proof(rollout, evidence, stands):
    after = step(rollout, evidence, stands, POLICY, NOW).after
    if after != rollout and after.live:
        assert evidence.promote_e >= evidence.promote_at
        assert after.share_percent == next(one for one in POLICY.stages if one > rollout.share_percent)
    if after.stage is Stage.PROMOTED:
        assert rollout.share_percent == POLICY.stages[-1]


@settings(deadline=None)
@given(rollouts(), evidences(), guardrails())
def test_what_went_back_stays_back(rollout, evidence, stands):
    back = replace(rollout, stage=Stage.ROLLED_BACK, share_percent=0.0)
    assert step(back, replace(evidence, promote_e=1e9), stands, POLICY, NOW).after == back


@pytest.mark.parametrize(
    ("disagree", "margin"), [(0.04, 0.005), (0.04, 0.01), (0.04, 0.04), (0.2, 0.01), (0.6, 0.05)]
)
def test_at_the_margin_the_stake_does_not_grow_on_average(disagree, margin):
    """A supermartingale: started at 1, its mean is at most 1 after every case."""
    rng = np.random.default_rng(11)
    draw = rng.random((4000, 250))
    worse = (disagree + margin) / 2
    differences = np.where(draw < worse, 1.0, np.where(draw < disagree, -1.0, 0.0))

    path = non_inferiority_e(differences, margin)

    error = path.std(axis=0) / np.sqrt(len(path))
    assert np.all(path.mean(axis=0) <= 1 + 4 * error + 1e-9)
    assert (path >= 20).any(axis=1).mean() <= 0.05


@pytest.mark.parametrize("allowed", [0.0, 0.02, 0.1])
def test_evidence_of_harm_does_not_grow_on_average_where_there_is_none(allowed):
    rng = np.random.default_rng(12)
    failed = (rng.random((4000, 300)) < allowed).astype(float)

    path = harm_e(failed, margin=allowed)

    error = path.std(axis=0) / np.sqrt(len(path))
    assert np.all(path.mean(axis=0) <= 1 + 4 * error + 1e-9)
    assert (path >= 100).any(axis=1).mean() <= 0.01


@settings(deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=60), st.integers(0, 59))
def test_one_label_worse_is_never_more_proof_nor_less_harm(differences, place):
    if place >= len(differences) or differences[place] == 1.0:
        return
    worse = [*differences[:place], differences[place] + 1.0, *differences[place + 1 :]]
    assert non_inferiority_e(worse, 0.01)[-1] <= non_inferiority_e(differences, 0.01)[-1]
    assert harm_e(worse)[-1] >= harm_e(differences)[-1]
