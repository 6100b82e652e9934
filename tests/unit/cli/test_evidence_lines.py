"""The evidence of a rollout, drawn with letters."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.cli.evidence_lines import HEIGHT, WIDTH, curves, ladder, margin_line, still_needed
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Evidence, ReviewerError, Rollout, Source, Stage

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = RolloutPolicy(stages=(5, 100), at_least=20)
CANARY = Rollout("ro", "1", "", "2", "", Stage.CANARY, 5.0, NOW, NOW)


def an_evidence(history=((0, 1.0, 1.0), (1, 2.0, 0.9), (2, 4.0, 0.8)), **changes):
    found = Evidence(
        cases=100, agreed=90, labels=2, pending=0, challenger_wrong=0, champion_wrong=2, promote_e=4.0,
        rollback_e=1.0, promote_at=20.0, rollback_at=100.0, served=0, history=tuple(history),
        margin=0.01, bet_against=0.009, reviewers=ReviewerError(0.05),
    )  # fmt: skip
    return replace(found, **changes)


@pytest.mark.parametrize(
    ("stage", "share", "shown"),
    [
        (Stage.SHADOW, 0, "[shadow] → 5 % → 100 % → champion"),
        (Stage.CANARY, 5, "shadow → [5 %] → 100 % → champion"),
        (Stage.PROMOTED, 100, "shadow → 5 % → 100 % → [champion]"),
        (Stage.ROLLED_BACK, 0, "shadow → 5 % → 100 % → champion → [rolled back]"),
    ],
)
def test_the_ladder_says_where_the_challenger_stands(stage, share, shown):
    assert ladder(replace(CANARY, stage=stage, share_percent=share), POLICY.stages) == shown


def test_before_the_first_label_nothing_is_drawn():
    assert curves(an_evidence(history=[(0, 1.0, 1.0)])) == []


def test_both_curves_and_both_bounds_are_drawn():
    drawn = "\n".join(curves(an_evidence()))
    assert all(letter in drawn for letter in "●○┄")
    assert "      100 │" in drawn
    assert "       20 │" in drawn
    assert drawn.splitlines()[-2].endswith("2 labels")


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e308), st.floats(0, 1e308)), min_size=1, max_size=400))
def test_whatever_the_evidence_the_drawing_keeps_its_size(values):
    lines = curves(an_evidence(history=[(i, *one) for i, one in enumerate([(1.0, 1.0), *values])]))
    assert len(lines) == HEIGHT + 3
    assert all(len(line) <= WIDTH + 20 for line in lines)


def test_the_margin_is_told_with_what_shrinks_it():
    assert margin_line(an_evidence()).startswith(
        "The margin is 1 point, shrunk to 0.9: up to 5.0% of the labels"
    )
    measured = ReviewerError(0.1, Source.MEASURED, 200, 30)
    assert "two people differed on 30 of 200 cases" in margin_line(an_evidence(reviewers=measured))
    assert "taken to be right" in margin_line(an_evidence(reviewers=ReviewerError(0.0, Source.POLICY)))


def test_what_is_missing_is_told_and_nothing_else():
    missing = list(still_needed(CANARY, an_evidence(served=7, pending=3), POLICY))
    assert missing == [
        "evidence 4 of 20",
        "13 decisions more that it answers itself at 5 % (7 of 20)",
        "labels of 3 disagreements, else what came after them does not count",
    ]
    assert list(still_needed(CANARY, an_evidence(promote_e=25.0, served=20), POLICY)) == []


def test_how_many_labels_more_is_told_from_the_pace_so_far():
    history = [(i, 4.0 ** (i / 10), 1.0) for i in range(11)]
    told = next(still_needed(CANARY, an_evidence(history=history, labels=10), POLICY))
    assert told == "evidence 4 of 20, about 12 labels more at the pace so far"
