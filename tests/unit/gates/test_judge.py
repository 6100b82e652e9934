from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.gates.evidence import FixedSet, LabelQuality
from hitl_mlops.gates.judge import CHECKS, judge
from hitl_mlops.gates.measures import ColumnDrift, Drift
from hitl_mlops.gates.policy import GATES, GatesPolicy
from hitl_mlops.gates.report import Verdict
from tests.gate_builders import NOON, challenger_evidence, judged_cases


def judged(policy=None, measured=CHECKS, **changes):
    return judge(
        challenger_evidence(**changes),
        policy or GatesPolicy(),
        policy_hash="sha256:p",
        now=NOON,
        measured=measured,
    )


def verdict_of(name, **changes):
    return {result.name: result for result in judged(**changes).results}[name].verdict


def drift_of(columns, *, moved):
    found = tuple(ColumnDrift(f"c{place}", "psi", 0.5, drifted=place < moved) for place in range(columns))
    return Drift(found, 100, 100)


def test_a_good_challenger_passes_and_every_gate_has_spoken():
    report = judged(drift=drift_of(1, moved=0))

    assert report.verdict is Verdict.PASS
    assert {result.name for result in report.results} == set(GATES)
    assert [result.required for result in report.results] == sorted(
        (result.required for result in report.results), reverse=True
    )


def test_a_challenger_that_is_worse_fails_by_name():
    report = judged(cases=judged_cases(challenger_error=0.3, champion_error=0.1))

    failed = {result.name for result in report.results if result.verdict is Verdict.FAIL}
    assert report.verdict is Verdict.FAIL
    assert {"override_rate", "slices", "disagreement"} <= failed


def test_what_the_challenger_learned_from_is_never_read():
    learned = judged_cases(count=500, challenger_error=0.0, champion_error=0.9)
    learned = replace(learned, held_back=np.zeros(500, dtype=bool))

    report = judged(cases=learned)

    silent = {"override_rate", "calibration", "slices", "classes", "disagreement", "data_sanity"}
    assert {r.name for r in report.results if r.verdict is Verdict.INCONCLUSIVE} >= silent
    assert all(result.count == 0 for result in report.results if result.name in silent)


def test_rows_learned_from_do_not_change_a_single_figure():
    held = judged_cases(count=300)
    rng_rows = judged_cases(count=600, seed=9, held_back=np.zeros(600, dtype=bool))
    both = replace(
        held,
        **{
            name: np.concatenate([getattr(held, name), getattr(rng_rows, name)])
            for name in (
                "truth",
                "challenger",
                "challenger_confidence",
                "champion",
                "pi",
                "labelled",
                "held_back",
                "live",
            )
        },
        slices={"branch": np.concatenate([held.slices["branch"], rng_rows.slices["branch"]])},
    )

    assert judged(cases=both).digest == judged(cases=held).digest


def test_nothing_passes_for_lack_of_data():
    report = judged(
        cases=judged_cases(count=0),
        label_quality=None,
        golden=None,
        stress=None,
        data=None,
        drift=None,
        footprint=None,
    )

    assert {result.verdict for result in report.results} == {Verdict.INCONCLUSIVE}
    assert report.verdict is Verdict.INCONCLUSIVE


def test_the_first_challenger_has_nobody_to_be_compared_with():
    report = judged(cases=judged_cases(champion=None), champion=None)

    compared = [r for r in report.results if r.name in ("override_rate", "slices", "classes")]
    assert {r.verdict for r in compared} == {Verdict.INCONCLUSIVE}
    assert {r.reason for r in compared} == {"There is no champion to compare with."}


def test_a_gate_that_breaks_says_so_and_the_others_still_speak():
    def broken(_evidence, _policy):
        raise ZeroDivisionError("no rows")

    report = judged(measured={**CHECKS, "golden": broken})

    erred = [result for result in report.results if result.verdict is Verdict.ERROR]
    assert [(result.name, result.reason) for result in erred] == [
        ("golden", "The gate broke: ZeroDivisionError: no rows")
    ]
    assert report.verdict is Verdict.ERROR
    assert len(report.results) == len(GATES)


def test_few_labels_are_inconclusive_though_they_look_good():
    assert verdict_of("override_rate", cases=judged_cases(count=20)) is Verdict.INCONCLUSIVE


def test_an_equal_challenger_on_few_hundred_labels_is_neither_passed_nor_failed():
    cases = judged_cases(count=200, challenger_error=0.1, champion_error=0.1)

    assert verdict_of("override_rate", cases=cases) is Verdict.INCONCLUSIVE


def test_an_undecided_gate_says_how_many_cases_would_settle_it():
    cases = judged_cases(count=200, challenger_error=0.08, champion_error=0.1)
    said = {one.name: one for one in judged(cases=cases).results}["override_rate"]
    promised = int(re.search(r"([\d,]+) live decisions would settle it", said.reason)[1].replace(",", ""))
    wide, narrow = said.interval[1] - said.figure, said.bound - said.figure
    assert promised >= 200
    assert wide * (200 / promised) ** 0.5 <= narrow < wide * (200 / (promised - 1)) ** 0.5


def test_a_challenger_worse_by_the_margin_passes_in_no_more_than_five_of_a_hundred_evaluations():
    passed = 0
    for seed in range(200):
        cases = judged_cases(count=400, challenger_error=0.16, champion_error=0.1, seed=seed)
        passed += verdict_of("override_rate", cases=cases, policy=GatesPolicy(margin=0.06)) is Verdict.PASS

    assert passed / 200 <= 0.05


def test_errors_count_by_the_inverse_of_their_review_probability():
    cases = judged_cases(count=400, challenger_error=0.0, champion_error=0.0)
    rare = np.arange(400) < 100
    challenger = np.where(rare & (np.arange(400) < 40), "9", cases.truth).astype(object)
    champion = np.where(~rare & (np.arange(400) < 260), "9", cases.truth).astype(object)
    plain = replace(cases, challenger=challenger, champion=champion)

    weighted = replace(plain, pi=np.where(rare, 0.03, 1.0))

    assert verdict_of("override_rate", cases=plain) is Verdict.PASS
    assert verdict_of("override_rate", cases=weighted) is Verdict.FAIL


def test_live_decisions_speak_alone_when_there_are_enough():
    live = np.arange(600) < 100
    cases = judged_cases(live=live)
    report = judged(cases=cases)

    found = {result.name: result for result in report.results}["override_rate"]
    assert found.count == 100
    assert found.details["basis"] == "live decisions"


def test_one_bad_slice_fails_though_the_whole_is_better():
    cases = judged_cases(count=900, challenger_error=0.0, champion_error=0.3)
    small = np.arange(900) < 60
    spoiled = replace(
        cases,
        challenger=np.where(small, "9", cases.challenger).astype(object),
        slices={"branch": np.where(small, "east", "west").astype(object)},
    )
    report = judged(cases=spoiled)

    found = {result.name: result for result in report.results}
    assert found["override_rate"].verdict is Verdict.PASS
    assert found["slices"].verdict is Verdict.FAIL
    assert "branch = east" in found["slices"].reason


def test_a_class_that_is_lost_fails_its_gate():
    cases = judged_cases(challenger_error=0.0, champion_error=0.1)
    lost = replace(cases, challenger=np.where(cases.truth == "2", "1", cases.truth).astype(object))

    assert verdict_of("classes", cases=lost) is Verdict.FAIL
    assert verdict_of("classes") is Verdict.PASS


def test_slices_too_thin_to_tell_are_named():
    report = judged(cases=judged_cases(count=6))
    found = {result.name: result for result in report.results}["slices"]

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "live decisions" in found.details["too_few"]


def test_an_overconfident_challenger_fails_its_calibration():
    cases = judged_cases(challenger_error=0.4, champion_error=0.5, challenger_confidence=np.full(600, 0.99))

    assert verdict_of("calibration", cases=cases) is Verdict.FAIL


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        (LabelQuality(200, 10, 180, 5), Verdict.PASS),
        (LabelQuality(200, 120, 80, 5), Verdict.FAIL),
        (LabelQuality(10, 0, 10, 2), Verdict.INCONCLUSIVE),
        (LabelQuality(0, 0, 0, 0), Verdict.INCONCLUSIVE),
    ],
)
def test_labels_must_be_many_and_clean(quality, expected):
    assert verdict_of("label_quality", label_quality=quality) is expected


@pytest.mark.parametrize(
    ("challenger", "champion", "expected"),
    [(0, 0, Verdict.PASS), (1, 0, Verdict.PASS), (2, 0, Verdict.FAIL), (0, 5, Verdict.PASS)],
)
def test_the_golden_set_allows_few_errors_more(challenger, champion, expected):
    result = FixedSet(np.arange(50) < challenger, np.arange(50) < champion)

    assert verdict_of("golden", golden=result) is expected


def test_drift_warns_and_does_not_block():
    report = judged(drift=drift_of(2, moved=1))

    found = {result.name: result for result in report.results}["drift"]
    assert (found.verdict, found.required, found.figure) == (Verdict.FAIL, False, 0.5)
    assert report.verdict is Verdict.PASS


def test_drift_between_too_few_rows_is_inconclusive():
    few = Drift(drift_of(2, moved=2).columns, 5_000, 99)

    assert verdict_of("drift", drift=few) is Verdict.INCONCLUSIVE
    assert verdict_of("drift", drift=few, policy=GatesPolicy(at_least_rows=99)) is Verdict.FAIL


def test_a_subject_on_both_sides_of_the_split_is_no_sane_test():
    assert verdict_of("data_sanity", overlap=3) is Verdict.FAIL
    assert verdict_of("data_sanity") is Verdict.PASS


def test_a_class_that_the_challenger_cannot_answer_is_told():
    report = judged(classes=("0", "1"))

    found = {result.name: result for result in report.results}["data_sanity"]
    assert found.verdict is Verdict.FAIL
    assert found.details["unknown_classes"] == ["2"]


def test_the_same_evidence_gives_the_same_digest():
    assert judged().digest == judged().digest


def test_columns_of_different_lengths_are_no_evidence():
    with pytest.raises(InputError, match="other lengths"):
        judged_cases(pi=np.ones(3))


def test_cases_on_which_both_agree_speak_without_a_label_where_all_were_gathered():
    cases = judged_cases(count=140, challenger_error=0.05, champion_error=0.35)
    doubtful = np.arange(140) < 110
    sampled = replace(cases, labelled=doubtful, pi=np.where(doubtful, 1.0, 0.03))

    assert verdict_of("override_rate", cases=replace(sampled, complete=True)) is Verdict.PASS
    report = judged(cases=replace(sampled, complete=True, held_back=np.zeros(140, dtype=bool)))
    assert {result.name: result.count for result in report.results}["override_rate"] == 0


def test_gathered_cases_that_nobody_labelled_do_not_pass_where_the_models_differ():
    cases = judged_cases(labelled=np.zeros(600, dtype=bool), pi=np.full(600, 0.03), complete=True)

    assert verdict_of("override_rate", cases=cases) is Verdict.INCONCLUSIVE
