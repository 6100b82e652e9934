from __future__ import annotations

import numpy as np

from hitl_mlops.statistics.agreement import krippendorff_alpha


def test_people_who_answer_by_chance_agree_by_about_nothing():
    rng = np.random.default_rng(1)
    found = krippendorff_alpha(rng.choice(["a", "b", "c"], (2000, 2)).tolist())
    assert abs(found.value) < 0.05
    assert found.low < 0 < found.high


def test_people_who_always_agree_read_one_and_who_never_do_read_below_nothing():
    assert krippendorff_alpha([["a", "a"], ["b", "b"]] * 20).value == 1.0
    assert krippendorff_alpha([["a", "b"]] * 40).value < 0


def test_where_nobody_could_differ_nothing_is_known():
    for answers in ([], [["a"], ["b"]], [["a", "a"]] * 5):
        assert krippendorff_alpha(answers).value is None


def test_two_coders_give_what_scotts_pi_gives_with_the_small_sample_term():
    rng = np.random.default_rng(4)
    first = rng.choice(["a", "b"], 300)
    second = np.where(rng.random(300) < 0.2, rng.choice(["a", "b"], 300), first)
    share = np.mean(np.concatenate([first, second]) == "a")
    observed, expected = np.mean(first != second), 2 * share * (1 - share) * 600 / 599
    found = krippendorff_alpha(np.stack([first, second], axis=1).tolist())
    assert abs(found.value - (1 - observed / expected)) < 1e-6
