"""The fairness gate: four fifths, proven; and the approval that was recorded over its failure."""

from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.errors import RefusedError
from hitl_mlops.gates.judge import judge
from hitl_mlops.gates.policy import GatesPolicy, gates_policy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.training.registry import APPROVAL_TAG
from tests.gate_builders import NOON, challenger_evidence, judged_cases
from tests.unit.rollout.test_conduct import POLICY_HASH, Scene

OUTCOME = GatesPolicy(outcome=("approve",))


def groups_of(**approved):
    """Cases of groups, `a=(8, 100)`: of a hundred a eight are approved; the challenger is always right."""
    said = [
        ("approve", name) if place < yes else ("deny", name)
        for name, (yes, of) in approved.items()
        for place in range(of)
    ]
    answers, group = (np.array(column, dtype=object) for column in zip(*said, strict=True))
    return judged_cases(
        count=len(said), truth=answers, challenger=answers, champion=answers, groups={"sex": group}
    )


def fairness_of(cases, policy=OUTCOME, **changes):
    report = judge(challenger_evidence(cases=cases, **changes), policy, policy_hash="sha256:p", now=NOON)
    return {one.name: one for one in report.results}["fairness"]


def test_a_recorded_approval_over_a_disparate_impact_of_sixteen_hundredths_is_refused():
    policy = gates_policy(
        {
            "required": ["fairness", "severity"],
            "fairness": {"outcome": "approve"},
            "severity": {"costs": {"deny": 10}},
        }
    )
    cases = groups_of(women=(8, 100), men=(50, 100))
    worse = np.where(np.arange(200) % 2 == 0, "approve", "deny").astype(object)
    scene = Scene()
    report = judge(
        challenger_evidence(
            model_version="2",
            model_digest=scene.registry.get("2").digest,
            champion="1",
            classes=("approve", "deny"),
            cases=judged_cases(
                count=200, truth=worse, challenger=cases.challenger, champion=worse, groups=cases.groups
            ),
        ),
        policy,
        policy_hash=POLICY_HASH,
        now=NOON,
    )
    found = {one.name: one for one in report.results}
    assert (found["fairness"].verdict, found["fairness"].bound) == (Verdict.FAIL, 0.8)
    assert found["fairness"].figure == pytest.approx(0.16)
    assert found["severity"].verdict is Verdict.FAIL

    scene.gates.keep(report)
    before = scene.trail.size()
    with pytest.raises(RefusedError, match="did not pass its gates \\(fairness, severity\\)"):
        scene.conductor.approve("2", reason="approved: true", approver="human_via_slack")
    scene.registry.set_tag("2", APPROVAL_TAG, "approve: the model meets all business requirements")
    scene.registry.set_tag("2", "approved", "true")
    with pytest.raises(RefusedError):
        scene.conductor.start("2")
    assert scene.trail.size() == before
    assert Kind.APPROVAL_RECORDED not in scene.kinds()
    assert scene.book.live() is None


def test_equal_groups_pass_where_there_are_enough_cases_to_prove_it():
    found = fairness_of(groups_of(women=(500, 1000), men=(510, 1000)))
    assert found.verdict is Verdict.PASS
    assert found.interval[0] >= 0.8


def test_equal_groups_of_few_cases_prove_nothing():
    assert fairness_of(groups_of(women=(20, 40), men=(20, 40))).verdict is Verdict.INCONCLUSIVE


def test_a_group_with_too_few_cases_leaves_it_open_and_is_named():
    found = fairness_of(
        groups_of(women=(500, 1000), men=(510, 1000), others=(0, 29)),
        GatesPolicy(outcome=("approve",), smallest_group=0.01),
    )
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.details["too_few"] == ["sex = others"]


def test_a_group_of_less_than_two_in_a_hundred_is_not_judged():
    found = fairness_of(groups_of(women=(500, 1000), men=(510, 1000), others=(0, 29)))
    assert found.verdict is Verdict.PASS


def test_one_wronged_group_among_many_fails_it_by_name():
    found = fairness_of(groups_of(a=(300, 500), b=(310, 500), c=(90, 500)))
    assert found.verdict is Verdict.FAIL
    assert "c by b is 0.29" in found.reason


def test_a_case_whose_group_is_not_known_is_in_no_group_and_counted():
    cases = groups_of(women=(500, 1000), men=(510, 1000))
    cases.groups["sex"][:7] = None
    assert fairness_of(cases).details["without_group"] == {"sex": 7}


def test_a_column_in_which_only_one_group_is_known_compares_nothing():
    assert fairness_of(groups_of(women=(50, 100))).verdict is Verdict.INCONCLUSIVE


def test_without_an_outcome_error_rates_are_compared():
    cases = groups_of(women=(500, 1000), men=(500, 1000))
    wronged = (cases.groups["sex"] == "women") & (np.arange(2000) % 4 == 0)
    some = (cases.groups["sex"] == "men") & (np.arange(2000) % 20 == 0)
    said = np.where(wronged | some, "other", cases.challenger).astype(object)
    unequal = judged_cases(count=2000, truth=cases.truth, challenger=said, champion=said, groups=cases.groups)
    found = fairness_of(unequal, GatesPolicy())
    assert found.verdict is Verdict.FAIL
    assert found.figure == pytest.approx(0.2)
    assert "errors, sex: men by women" in found.reason


def test_no_declared_group_is_not_asked_for_and_passes_nobody():
    found = fairness_of(judged_cases())
    assert (found.verdict, found.says) == (Verdict.INCONCLUSIVE, "not asked")
    required = fairness_of(judged_cases(), GatesPolicy(required=("fairness",)))
    assert required.says == "inconclusive"


def test_nobody_selected_at_all_proves_nothing():
    found = fairness_of(groups_of(women=(0, 500), men=(0, 500)))
    assert (found.verdict, found.figure) == (Verdict.INCONCLUSIVE, None)


@pytest.mark.parametrize("complete", [True, False])
def test_the_interval_holds_the_true_ratio_in_enough_of_two_thousand_runs(complete):
    rng, covered, runs = np.random.default_rng(9), 0, 2000
    group = np.repeat(np.array(["a", "b"], dtype=object), [150, 250])
    chance = np.where(group == "a", 0.3, 0.45)
    for _ in range(runs):
        pi = np.where(rng.random(400) < 0.4, 1.0, 0.4)
        said = np.where(rng.random(400) < chance, "approve", "deny").astype(object)
        labelled = rng.random(400) < (1.0 if complete else pi)
        found = fairness_of_cases(said, group, labelled, pi, complete=complete)
        first, second = found["a"], found["b"]
        covered += first[0] <= 0.3 / 0.45 <= first[1] and second == first
    assert covered / runs >= 0.94


def fairness_of_cases(said, group, labelled, pi, *, complete):
    from hitl_mlops.gates.checks.fairness import fairness

    cases = judged_cases(
        count=400, truth=said, challenger=said, champion=said, groups={"g": group}, labelled=labelled, pi=pi,
        complete=complete,
    )  # fmt: skip
    found = fairness(challenger_evidence(cases=cases), OUTCOME)
    low, high = found.interval
    lower, higher = sorted(
        ("a", "b"), key=lambda name: found.details["rates"][f"approve, g = {name}"]["value"]
    )
    ends = (low, high) if lower == "a" else (1 / high, 1 / low if low else 1e9)
    return dict.fromkeys((lower, higher), ends)
