"""Where errors cluster, and which decisions people are asked about there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.training.clusters import error_clusters, samples
from tests.builders import NOW, a_decision
from tests.guard_room import resolutions_of


def decided(name: str, **changes):
    return a_decision(case_id=name, decision_id=name, **changes)


def north(name: str, **changes):
    return decided(name, attributes={"branch": "north"}, **changes)


def south(name: str, **changes):
    return decided(name, attributes={"branch": "south"}, **changes)


def clusters_of(decisions, slices=("branch",)):
    said = resolutions_of(decisions, right=False, at=NOW)
    return error_clusters({one.decision_id: one for one in decisions}, said, slices)


def test_overrides_cluster_by_correction_and_slice_the_weightiest_first():
    few_but_heavy = [north(f"n{at}", impact=0.9, pi=0.1, spot_check=True) for at in range(2)]
    many = [south(f"s{at}", impact=0.5) for at in range(4)]
    first, second = clusters_of([*many, *few_but_heavy])
    assert (first.name, first.overrides, first.impact) == ("yes → no, branch=north", 2, 18.0)
    assert (second.name, second.overrides, second.impact) == ("yes → no, branch=south", 4, 2.0)


def test_one_override_and_an_agreement_are_no_cluster():
    assert clusters_of([north("n1")]) == ()
    right = [north("n1"), north("n2")]
    assert (
        error_clusters({one.decision_id: one for one in right}, resolutions_of(right, right=True, at=NOW), ())
        == ()
    )


def test_without_slices_the_correction_alone_counts_and_a_lost_decision_is_passed_over():
    both = [north("n1"), south("s1")]
    (one,) = clusters_of(both, slices=())
    assert (one.name, one.overrides) == ("yes → no", 2)
    assert error_clusters({}, resolutions_of(both, right=False, at=NOW), ()) == ()


def test_people_are_asked_where_the_model_itself_doubted_towards_the_correction():
    clusters = clusters_of([north("n1"), north("n2")])
    doubtful = north("b", probabilities={"yes": 0.6, "no": 0.4})
    sure = north("a", probabilities={"yes": 0.9, "no": 0.1})
    elsewhere = south("c", probabilities={"yes": 0.5, "no": 0.5})
    other = north("d", label="no", probabilities={"yes": 0.4, "no": 0.6})
    chosen = samples(clusters, [sure, doubtful, elsewhere, other], asked=(), at_most=5)
    assert [one.decision_id for one in chosen] == ["b", "a"]
    assert samples(clusters, [sure, doubtful], asked={"b"}, at_most=5) == [sure]
    assert samples(clusters, [sure, doubtful], asked=(), at_most=1) == [doubtful]
    assert samples(clusters, [sure], asked=(), at_most=1, within=["branch=south"]) == []
    assert samples(clusters, [sure], asked=(), at_most=1, within=["branch=north"]) == [sure]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["north", "south", None]), max_size=30), st.integers(0, 10))
def test_nobody_is_asked_twice_and_never_more_than_wanted(branches, at_most):
    decisions = [decided(f"d{at}", attributes={"branch": one}) for at, one in enumerate(branches)]
    clusters = clusters_of(decisions[::2])
    asked = {one.decision_id for one in decisions[::2]}
    chosen = samples(clusters, decisions, asked=asked, at_most=at_most)
    assert len(chosen) <= at_most
    assert not asked & {one.decision_id for one in chosen}
