"""What labels gave back: both models on the same cases, for every thousand labels."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hitl_mlops.gates.judge import judge
from hitl_mlops.gates.policy import GatesPolicy
from hitl_mlops.gates.render import Cost, markdown
from hitl_mlops.gates.returned import label_returns
from hitl_mlops.ids import canonical_json, plain
from hitl_mlops.kpis.returns import HELD_BACK, LIVE, returns_in
from tests.gate_builders import NOON, challenger_evidence, judged_cases


def evidence(count=2_000, **changes):
    cases = judged_cases(count=count, champion_confidence=np.full(count, 0.95), **changes)
    live = np.arange(count) % 2 == 0
    return challenger_evidence(cases=replace(cases, live=live))


def test_held_back_base_data_and_live_decisions_are_told_apart():
    base, live = label_returns(evidence(), 500)
    assert (base.basis, live.basis) == (HELD_BACK, LIVE)
    assert (base.version, base.before, base.labels, base.cases) == ("7", "6", 500, 1_000)


def test_the_gain_is_told_for_every_thousand_labels():
    (half, _), (whole, _) = label_returns(evidence(), 500), label_returns(evidence(), 1_000)
    assert half.accuracy.value == pytest.approx(2 * whole.accuracy.value, abs=1e-5)
    assert whole.accuracy.low < 0.2 < whole.accuracy.high  # wrong in 25 % and in 5 %
    assert whole.accuracy.low > 0.1


def test_a_model_that_lost_is_told_with_its_loss():
    worse, _ = label_returns(evidence(challenger_error=0.3, champion_error=0.1), 1_000)
    assert worse.accuracy.high < 0


def test_a_surer_model_that_errs_as_often_has_a_wider_gap():
    given = evidence(challenger_error=0.05, champion_error=0.05)
    base, _ = label_returns(given, 1_000)
    assert base.calibration_gap is not None
    assert base.calibration_gap.low <= 0 <= base.calibration_gap.high
    sure = replace(given, cases=replace(given.cases, challenger_confidence=np.full(2_000, 0.7)))
    unsure, _ = label_returns(sure, 1_000)
    assert unsure.calibration_gap is not None
    assert unsure.calibration_gap.low > 0.1


def test_without_new_labels_or_a_champion_or_enough_cases_nothing_is_told():
    assert label_returns(evidence(), 0) == ()
    assert label_returns(challenger_evidence(champion=None, cases=judged_cases(champion=None)), 10) == ()
    assert label_returns(evidence(count=40), 10) == ()


def test_without_the_champions_confidence_accuracy_alone_is_told():
    given = evidence()
    silent = replace(given, cases=replace(given.cases, champion_confidence=None))
    assert [one.calibration_gap for one in label_returns(silent, 10)] == [None, None]


def test_what_the_trail_keeps_is_read_back_as_it_was():
    found = label_returns(evidence(), 500)
    kept = json.loads(canonical_json({"returned": [plain(one) for one in found]}))
    assert returns_in(kept) == found


def test_the_release_managers_page_tells_it():
    found = label_returns(evidence(), 500)
    report = judge(evidence(), GatesPolicy(), policy_hash="sha256:p", now=NOON)
    text = markdown(report, name="cheques", cost=Cost(214, 3.5, returned=found))
    assert "Return" in text
    assert "for every 1,000 labels" in text
