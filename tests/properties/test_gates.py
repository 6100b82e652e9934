"""What must hold of the judge whatever the evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.gates.evidence import FixedSet, Footprint, LabelQuality
from hitl_mlops.gates.judge import judge
from hitl_mlops.gates.policy import GATES, GatesPolicy
from hitl_mlops.gates.report import Verdict
from hitl_mlops.ids import canonical_json
from tests.gate_builders import NOON, challenger_evidence, judged_cases

NEEDS_LABELS = (
    *("override_rate", "error_rate", "severity", "calibration", "disagreement"),
    *("slices", "classes", "slice_classes", "fairness"),
)
POLICY = GatesPolicy(
    costs={"1": 3.0}, outcome=("1",), at_least_labels=30, at_least_per_group=30, at_least_group=30
)


def grouped(count, seed, **changes):
    rng = np.random.default_rng(seed)
    groups = {"sex": rng.choice(["a", "b"], count).astype(object)}
    return judged_cases(count=count, seed=seed, challenger_error=0.0, groups=groups, **changes)


def verdicts(evidence):
    report = judge(evidence, POLICY, policy_hash="sha256:p", now=NOON)
    assert [one.name for one in report.results if one.required] + [
        one.name for one in report.results if not one.required
    ] == [one.name for one in report.results]
    assert {one.name for one in report.results} == set(GATES)
    canonical_json(report.to_dict())
    return {one.name: one.verdict for one in report.results}


@given(st.integers(0, 29), st.integers(0, 5), st.booleans())
@settings(max_examples=40, deadline=None)
def test_nothing_passes_on_fewer_cases_than_the_policy_wants(count, seed, complete):
    few = challenger_evidence(
        cases=grouped(count, seed, complete=complete),
        label_quality=LabelQuality(count, 0, count, 2),
        golden=FixedSet(np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)),
        stress=FixedSet(np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)),
        footprint=Footprint(count % 5, 0.1, 0.1, 10),
    )
    said = verdicts(few)
    for name in (*NEEDS_LABELS, "label_quality", "golden", "stress", "running_cost", "drift"):
        assert said[name] is not Verdict.PASS, name


@given(st.sampled_from(["pi", "challenger_confidence"]), st.integers(1, 100), st.booleans())
@settings(max_examples=30, deadline=None)
def test_nothing_that_reads_a_number_passes_where_it_is_none(column, spoiled, complete):
    cases = grouped(400, 1)
    values = np.array(getattr(cases, column), dtype=float)
    values[:: max(400 // spoiled, 1)] = np.nan
    evidence = challenger_evidence(cases=replace(cases, **{column: values}, complete=complete))
    said = verdicts(evidence)
    read = (
        ["calibration"] if column == "challenger_confidence" else ["override_rate", "classes", "calibration"]
    )
    assert not [name for name in read if said[name] is Verdict.PASS]


@given(st.integers(0, 200), st.integers(0, 20), st.floats(0, 1), st.floats(0.01, 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_gate_speaks_and_every_figure_can_be_kept(count, seed, error, chance, complete):
    rng = np.random.default_rng(seed)
    cases = replace(
        judged_cases(count=count, seed=seed, challenger_error=error, complete=complete),
        pi=np.full(count, chance),
        labelled=rng.random(count) < chance,
        groups={"sex": rng.choice(["a", "b", "c", None], count).astype(object)},
    )
    verdicts(challenger_evidence(cases=cases))
