from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.sequential import (
    agreed_between,
    first_crossing,
    harm_e,
    non_inferiority_e,
    shrunk_margin,
    two_arm_differences,
)

MARGIN, ALPHA = 0.01, 0.05


def paired_runs(rng, runs, labels, *, challenger_only, champion_only):
    """Differences and agreed gaps of `runs` shadows, in which so many cases go wrong for one model only."""
    share = challenger_only + champion_only
    gaps = rng.geometric(share, size=(runs, labels + 1)) - 1
    differences = np.where(rng.random((runs, labels)) < challenger_only / share, 1.0, -1.0)
    return differences, gaps


def share_reaching(path, alpha):
    return float((path >= 1 / alpha).any(axis=1).mean())


def test_a_challenger_worse_by_the_margin_is_promoted_no_oftener_than_alpha():
    rng = np.random.default_rng(1)
    differences, gaps = paired_runs(rng, 2000, 800, challenger_only=0.025, champion_only=0.015)

    path = non_inferiority_e(differences, MARGIN, agreed=gaps)

    assert share_reaching(path, ALPHA) <= ALPHA


def test_a_good_challenger_is_promoted_with_fewer_than_200_labels_on_average():
    rng = np.random.default_rng(2)
    differences, gaps = paired_runs(rng, 2000, 800, challenger_only=0.02, champion_only=0.02)

    reached = non_inferiority_e(differences, MARGIN, agreed=gaps) >= 1 / ALPHA
    labels = np.where(reached.any(axis=1), reached.argmax(axis=1), 800)

    assert reached.any(axis=1).mean() >= 0.98
    assert labels.mean() <= 150


def test_an_equal_challenger_is_rolled_back_in_at_most_one_run_of_a_hundred():
    rng = np.random.default_rng(3)
    differences, _ = paired_runs(rng, 2000, 800, challenger_only=0.02, champion_only=0.02)

    assert share_reaching(harm_e(differences), 0.01) <= 0.01


def test_a_harmful_challenger_is_found_out():
    rng = np.random.default_rng(4)
    differences, gaps = paired_runs(rng, 500, 800, challenger_only=0.045, champion_only=0.015)

    assert share_reaching(harm_e(differences), 0.01) == 1.0
    assert share_reaching(non_inferiority_e(differences, MARGIN, agreed=gaps), ALPHA) == 0.0


def test_labels_that_come_late_and_shuffled_keep_the_promise():
    rng = np.random.default_rng(5)
    promoted = 0
    for _ in range(400):
        draw = rng.random(6000)
        differences = np.where(draw < 0.025, 1.0, np.where(draw < 0.04, -1.0, 0.0))
        disagreed = differences != 0
        arrived = rng.permutation(differences[disagreed])[: int(disagreed.sum() * 0.6)]
        path = non_inferiority_e(arrived, MARGIN, agreed=agreed_between(disagreed, arrived.size))
        promoted += first_crossing(path, ALPHA) is not None

    assert promoted / 400 <= ALPHA


def test_disagreements_without_a_label_never_promote():
    disagreed = np.zeros(10_000, dtype=bool)
    disagreed[::25] = True

    path = non_inferiority_e([], MARGIN, agreed=agreed_between(disagreed, 0))

    assert path == pytest.approx([1.0])


def test_agreed_cases_in_closed_form_equal_zeros_written_out():
    written_out = non_inferiority_e([0, 0, 1, 0, -1, 0, 0, 0], MARGIN)
    closed = non_inferiority_e([1, -1], MARGIN, agreed=[2, 1, 3])

    np.testing.assert_allclose(closed, written_out[[2, 4, 8]])


def test_harm_beyond_a_margin_counts_agreed_cases_as_zeros_written_out():
    agreed, came = [40, 3, 0, 17], [1.0, 0.0, 1.0]
    written = [*[0.0] * 40, 1.0, *[0.0] * 3, 0.0, 1.0, *[0.0] * 17]
    ends = np.cumsum([count + 1 for count in agreed]) - 1
    closed = harm_e(came, margin=0.02, agreed=agreed)
    assert np.allclose(closed, harm_e(written, margin=0.02)[ends])


def test_what_lets_slip_as_much_as_is_tolerated_is_taken_back_in_at_most_one_run_of_a_hundred():
    runs, cases, margin = 2_000, 1_500, 0.02
    slipped = np.random.default_rng(5).random((runs, cases)) < margin
    crossed = (harm_e(slipped.astype(float), margin=margin) >= 100).any(axis=1)
    assert crossed.mean() <= 0.01


def test_many_runs_at_once_equal_each_alone():
    rng = np.random.default_rng(6)
    differences, gaps = paired_runs(rng, 3, 20, challenger_only=0.02, champion_only=0.02)

    together = non_inferiority_e(differences, MARGIN, agreed=gaps)

    alone = [non_inferiority_e(d, MARGIN, agreed=g) for d, g in zip(differences, gaps, strict=True)]
    np.testing.assert_allclose(together, alone)


def test_a_two_arm_canary_keeps_the_promise_at_the_margin():
    rng = np.random.default_rng(7)
    runs, cases, share, pi = 400, 4000, 0.5, 0.5
    challenger = rng.random((runs, cases)) < share
    reviewed = rng.random((runs, cases)) < pi
    wrong = (rng.random((runs, cases)) < np.where(challenger, 0.10, 0.05)) & reviewed

    differences = two_arm_differences(wrong, challenger, share, pi)
    path = non_inferiority_e(differences, 0.05, bound=4.0)

    assert differences.mean() == pytest.approx(0.05, abs=0.002)
    assert share_reaching(path, ALPHA) <= ALPHA


def test_subsampled_disagreements_are_weighted_by_their_probability():
    by_weight = harm_e([1, 0, -1], weights=[2, 2, 2], bound=2.0)

    np.testing.assert_allclose(by_weight, harm_e([2, 0, -2], bound=2.0))


def test_extreme_evidence_stays_finite():
    assert np.isfinite(non_inferiority_e([], MARGIN, agreed=[10_000_000])).all()
    assert harm_e([1.0] * 5000)[-1] > 1e300
    assert harm_e([-1.0] * 5000)[-1] >= 0.0


@pytest.mark.parametrize("differences", [[np.nan], [1.5], [-1.01], [np.inf]])
def test_a_missing_or_impossible_difference_is_refused(differences):
    with pytest.raises(InputError, match="missing or beyond"):
        non_inferiority_e(differences, MARGIN)


@pytest.mark.parametrize("margin", [-0.01, 1.0, float("nan")])
def test_a_margin_outside_its_range_is_refused(margin):
    with pytest.raises(InputError, match="margin"):
        non_inferiority_e([0], margin)


@pytest.mark.parametrize("agreed", [[1], [1, -1], [1, 1, 1]])
def test_counts_of_agreed_cases_must_fit(agreed):
    with pytest.raises(InputError, match="agreed"):
        non_inferiority_e([1.0], MARGIN, agreed=agreed)


def test_more_labels_than_disagreements_are_refused():
    with pytest.raises(InputError, match="3 labels"):
        agreed_between([True, False, True], 3)


def test_trailing_agreements_count_only_when_nothing_waits():
    disagreed = [False, True, False, True, False, False]

    assert agreed_between(disagreed, 0).tolist() == [1]
    assert agreed_between(disagreed, 1).tolist() == [1, 1]
    assert agreed_between(disagreed, 2).tolist() == [1, 1, 2]


@pytest.mark.parametrize(("share", "pi"), [(0.0, 1.0), (1.0, 1.0), (0.5, 0.0), (0.5, 1.1), (np.nan, 1.0)])
def test_a_canary_share_or_probability_outside_its_range_is_refused(share, pi):
    with pytest.raises(InputError, match="outside its range"):
        two_arm_differences([True], [True], share, pi)


@pytest.mark.parametrize("error", [0.5, 0.9, -0.1, float("nan")])
def test_reviewers_no_better_than_a_coin_prove_nothing(error):
    with pytest.raises(InputError, match="prove nothing"):
        shrunk_margin(MARGIN, error)


def test_a_process_that_never_arrives_has_no_crossing():
    assert first_crossing([1.0, 19.9, np.nan], ALPHA) is None
    assert first_crossing([1.0, 20.0, 0.1], ALPHA) == 1


def test_reviewers_who_err_favour_a_bad_challenger_until_the_margin_is_shrunk():
    rng = np.random.default_rng(8)
    differences, gaps = paired_runs(rng, 2000, 800, challenger_only=0.025, champion_only=0.015)
    observed = np.where(rng.random(differences.shape) < 0.05, -differences, differences)

    naive = non_inferiority_e(observed, MARGIN, agreed=gaps)
    shrunk = non_inferiority_e(observed, shrunk_margin(MARGIN, 0.05), agreed=gaps)

    assert share_reaching(naive, ALPHA) > ALPHA
    assert share_reaching(shrunk, ALPHA) <= ALPHA
