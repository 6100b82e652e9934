"""What each gate beyond the first ones looks at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hitl_mlops.gates.checks.finding import Finding
from hitl_mlops.gates.evidence import DataFacts, FixedSet, Footprint, LabelQuality, ReviewerHealth
from hitl_mlops.gates.judge import CHECKS, judge
from hitl_mlops.gates.policy import GatesPolicy, gates_policy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.statistics.agreement import Agreement
from tests.gate_builders import NOON, challenger_evidence, judged_cases


def found(name, policy=None, measured=CHECKS, **changes):
    report = judge(
        challenger_evidence(**changes), policy or GatesPolicy(), policy_hash="p", now=NOON, measured=measured
    )
    return {one.name: one for one in report.results}[name]


def test_errors_in_truth_allow_for_the_errors_of_people():
    cases = judged_cases(count=2000, challenger_error=0.1, champion_error=0.1)
    perfect, human = (
        found("error_rate", GatesPolicy(reviewer_error=error), cases=cases) for error in (0.0, 0.1)
    )
    assert human.interval[1] == pytest.approx(perfect.interval[1] / 0.8)
    assert human.figure == perfect.figure
    assert {"challenger_error", "champion_error"} <= set(human.details)


def test_an_error_that_is_dear_fails_a_challenger_with_no_more_errors():
    cases = judged_cases(count=900, challenger_error=0.0, champion_error=0.0)
    two, one = cases.truth == "2", cases.truth == "1"
    ours = np.where(two & (np.cumsum(two) <= 60), "0", cases.truth).astype(object)
    theirs = np.where(one & (np.cumsum(one) <= 120), "0", cases.truth).astype(object)
    changed = replace(cases, challenger=ours, champion=theirs)
    dear = gates_policy({"severity": {"costs": {"2 -> 0": 50}, "default": 1}})

    assert found("override_rate", cases=changed).verdict is Verdict.PASS
    severe = found("severity", dear, cases=changed)
    assert severe.verdict is Verdict.FAIL
    assert severe.details["mostly"] == {"2→0": 3000.0}
    assert severe.details["challenger_cost"] == pytest.approx(3000 / 900)


def test_costs_that_nobody_names_are_not_asked_for():
    assert found("severity").says == "not asked"


def test_a_class_that_is_said_too_often_loses_precision_and_fails():
    cases = judged_cases(count=1500, challenger_error=0.0, champion_error=0.0)
    grabbed = (cases.truth != "2") & (np.arange(1500) % 8 == 0)
    eager = replace(cases, challenger=np.where(grabbed, "2", cases.truth).astype(object))
    told = found("classes", GatesPolicy(class_margin=0.15), cases=eager)
    assert told.verdict is Verdict.FAIL
    assert "precision of 2" in told.reason


def test_a_class_that_is_lost_in_one_slice_is_found_there():
    cases = judged_cases(count=2000, challenger_error=0.0, champion_error=0.05)
    lost = (cases.truth == "1") & (cases.slices["branch"] == "north") & (np.arange(2000) % 2 == 0)
    spoiled = replace(cases, challenger=np.where(lost, "0", cases.challenger).astype(object))
    told = found("slice_classes", cases=spoiled)
    assert told.verdict is Verdict.FAIL
    assert "recall of 1 on branch = north" in told.reason


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.PASS),
        ({"agreement": Agreement(0.1, -0.1, 0.3, 60)}, Verdict.FAIL),
        ({"agreement": Agreement(0.5, 0.3, 0.7, 60)}, Verdict.INCONCLUSIVE),
        ({"agreement": Agreement(0.8, 0.2, 1.0, 4)}, Verdict.INCONCLUSIVE),
        ({"agreement": None}, Verdict.INCONCLUSIVE),
        ({"health": (ReviewerHealth(80, 0, 60, 50), ReviewerHealth(120, 10, 60, 1))}, Verdict.FAIL),
        ({"health": (ReviewerHealth(20, 0, 15, 14), ReviewerHealth(180, 10, 60, 1))}, Verdict.PASS),
    ],
)
def test_labels_are_good_where_people_agree_and_few_come_from_the_careless(changes, verdict):
    given = replace(LabelQuality(200, 10, 180, 5, Agreement(0.8, 0.75, 0.9, 60)), **changes)
    assert found("label_quality", GatesPolicy(agreement=0.6), label_quality=given).verdict is verdict


def test_agreement_below_chance_fails_without_a_bound_and_silence_does_not():
    quality = LabelQuality(200, 10, 180, 5, Agreement(-0.3, -0.5, -0.1, 60))
    assert found("label_quality", label_quality=quality).verdict is Verdict.FAIL
    assert found("label_quality", label_quality=replace(quality, agreement=None)).verdict is Verdict.PASS


def test_hard_cases_are_judged_where_there_are_enough_and_tell_what_was_left_out():
    wrong = np.arange(20) < 5
    assert found("stress", stress=FixedSet(wrong, np.zeros(20, dtype=bool))).verdict is Verdict.FAIL
    few = found("stress", stress=FixedSet(wrong[:9] & False, np.ones(9, dtype=bool)))
    assert few.verdict is Verdict.INCONCLUSIVE
    told = found("stress", stress=FixedSet(wrong, np.ones(20, dtype=bool), "hard.csv", learned=3))
    assert "3 more were left out" in told.reason
    assert found("stress", stress=None).says == "not asked"


SANE = {
    "leaks": {"amount": 0.6},
    "held_back": 100,
    "learned": {"a": 500, "b": 500},
    "learned_before": {"a": 500, "b": 480},
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"leaks": {"paid_back": 0.99}}, "paid_back (99%)"),
        ({"duplicates": 11}, "11 of 100 held-back cases"),
        ({"learned": {"a": 900, "b": 100}}, "moved by 39 points, mostly a"),
    ],
)
def test_data_that_are_not_sane_fail_with_the_reason(changes, words):
    told = found("data_sanity", data=DataFacts(**{**SANE, **changes}))
    assert told.verdict is Verdict.FAIL
    assert words in told.reason


def test_sane_data_pass_small_shifts_are_chance_and_unseen_data_pass_nobody():
    assert found("data_sanity", data=DataFacts(**SANE)).verdict is Verdict.PASS
    few = {**SANE, "learned": {"a": 3, "b": 1}, "learned_before": {"a": 1, "b": 2}}
    assert found("data_sanity", data=DataFacts(**few)).verdict is Verdict.PASS
    assert found("data_sanity", data=None).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("footprint", "verdict"),
    [
        (Footprint(50, 20.0, 0.1, 1_000_000), Verdict.PASS),
        (Footprint(50, 120.0, 0.1, 1_000_000), Verdict.FAIL),
        (Footprint(50, 20.0, 0.1, 300_000_000), Verdict.FAIL),
        (Footprint(50, 20.0, 0.1, None), Verdict.INCONCLUSIVE),
        (Footprint(4, 20.0, 0.1, 1_000_000), Verdict.INCONCLUSIVE),
        (None, Verdict.INCONCLUSIVE),
    ],
)
def test_a_model_must_be_quick_and_small_enough(footprint, verdict):
    assert found("running_cost", footprint=footprint).verdict is verdict


def test_the_direction_of_disagreement_is_told():
    cases = judged_cases(count=300, challenger_error=0.0, champion_error=0.0)
    one = replace(cases, challenger=np.where(cases.truth == "2", "1", cases.truth).astype(object))
    told = found("disagreement", cases=one)
    assert list(told.details["changes"]) == ["2→1"]
    assert "mostly 2→1" in told.reason


@pytest.mark.parametrize(
    "changes", [{"figure": np.nan}, {"count": 0}, {"interval": (0.0, np.nan)}, {"figure": None}]
)
def test_a_gate_that_would_pass_on_no_number_errs(changes):
    given = {"figure": 0.1, "count": 40, "interval": (0.0, 0.2), **changes}
    odd = {**CHECKS, "golden": lambda *_: Finding(Verdict.PASS, "fine", bound=1.0, **given)}
    assert found("golden", measured=odd).verdict is Verdict.ERROR
