from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.agreement import alpha_by_class, cohen_kappa, fleiss_kappa, krippendorff_alpha

DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""
"""Thirty patients by six psychiatrists into five diagnoses: table 1 of Fleiss 1971."""


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


def test_fleiss_kappa_of_the_psychiatrists_is_what_fleiss_published():
    table = [[int(one) for one in row] for row in DIAGNOSES.split()]
    assert fleiss_kappa(table) == pytest.approx(0.430, abs=5e-4)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=60))
def test_cohen_kappa_is_what_scikit_learn_finds(pairs):
    first, second = (list(one) for one in zip(*pairs, strict=True))
    found = cohen_kappa(first, second)
    if found is None:
        assert len({*first, *second}) == 1
    else:
        assert found == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_kappas_know_nothing_without_cases_and_refuse_what_does_not_fit():
    assert cohen_kappa([], []) is None
    assert fleiss_kappa([]) is None
    assert cohen_kappa(["a"], ["a"]) is None
    with pytest.raises(InputError):
        cohen_kappa(["a"], [])
    with pytest.raises(InputError):
        fleiss_kappa([[2, 0], [1, 0]])


def test_a_class_that_people_mix_up_is_told_from_one_that_is_clear():
    rng = np.random.default_rng(2)
    truth = rng.choice(["a", "b", "c"], 400)
    mixed = np.where(truth == "a", "a", rng.choice(["b", "c"], 400))
    found = alpha_by_class(np.stack([truth, mixed], axis=1).tolist())
    assert found["a"].value == 1.0
    assert found["b"].high < 0.6
    assert found["b"].units == np.count_nonzero((truth == "b") | (mixed == "b"))


def test_of_two_classes_each_has_the_agreement_of_both():
    answers = [["a", "a"]] * 9 + [["a", "b"]] * 4 + [["b", "b"]] * 5 + [["a"]]
    whole = krippendorff_alpha(answers)
    for one in alpha_by_class(answers).values():
        assert (one.value, one.low, one.high) == (whole.value, whole.low, whole.high)
    assert alpha_by_class([["a"]]) == {}
