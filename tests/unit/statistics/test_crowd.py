"""Several people's labels of the same items: what they add up to, and how right each person is."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.errors import InputError
from hitl_mlops.statistics.crowd import Labels, dawid_skene, majority, votes

DATA = Path(os.environ.get("HITL_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))


def crowd(seed, items=600, people=20, each=5, classes=3, accuracies=None):
    """Labels of people who are right as often as told, and the truth."""
    rng = np.random.default_rng(seed)
    right_often = rng.beta(6, 3, people) if accuracies is None else np.asarray(accuracies)
    truth = rng.integers(0, classes, items)
    places = np.repeat(np.arange(items), each)
    who = rng.permutation(np.resize(np.arange(len(right_often)), items * each))
    wrong = (truth[places] + rng.integers(1, classes, items * each)) % classes
    said = np.where(rng.random(items * each) < right_often[who], truth[places], wrong)
    return Labels(places, who, said, items, len(right_often), classes), truth


def share_right(labels, truth):
    return float((labels == truth).mean())


def test_recognised_temporal_order_is_found_as_well_as_published():
    file = DATA / "temp_crowd" / "temp.standardized.tsv"
    if not file.exists():
        pytest.skip(f"{file} is absent; set HITL_TEST_DATA to its folder.")
    rows = pd.read_csv(file, sep="\t", names=["who", "item", "said", "gold"], header=0)
    items, names = pd.factorize(rows["item"])
    people, _ = pd.factorize(rows["who"])
    said, classes = pd.factorize(rows["said"], sort=True)
    gold = rows.drop_duplicates("item")["gold"].map({name: place for place, name in enumerate(classes)})
    labels = Labels(items, people, said, len(names), int(people.max()) + 1, len(classes))
    assert round(share_right(majority(labels), gold.to_numpy()), 4) == 0.9394
    assert round(share_right(dawid_skene(labels).labels, gold.to_numpy()), 4) >= 0.9416


def test_people_who_are_often_right_count_more():
    labels, truth = crowd(1, accuracies=[0.95] * 3 + [0.4] * 7)
    found = dawid_skene(labels)
    assert share_right(found.labels, truth) > share_right(majority(labels), truth) + 0.03
    assert found.accuracy[:3].min() > found.accuracy[3:].max()
    assert found.accuracy == pytest.approx([0.95] * 3 + [0.4] * 7, abs=0.08)


def test_a_person_who_says_one_class_for_another_is_understood():
    labels, truth = crowd(2, classes=3, accuracies=[0.7] * 5)
    swaps = np.array([1, 0, 2])
    said = np.where(labels.people == 0, swaps[truth[labels.items]], labels.said)
    swapped = Labels(labels.items, labels.people, said, labels.item_count, 5, 3)
    found = dawid_skene(swapped)
    assert found.confusion[0].argmax(axis=1).tolist() == [1, 0, 2]
    assert share_right(found.labels, truth) > share_right(majority(swapped), truth)


@pytest.mark.parametrize("each_person_labels", [1, 2, 5, 10, 30])
def test_people_with_few_labels_do_no_worse_than_the_majority(each_person_labels):
    gains = []
    for seed in range(12):
        labels, truth = crowd(seed, items=1_500, people=7_500 // each_person_labels, classes=4)
        gains.append(share_right(dawid_skene(labels).labels, truth) - share_right(majority(labels), truth))
    noise = np.std(gains) / np.sqrt(len(gains))
    assert np.mean(gains) > -2.6 * noise


def test_without_anything_mixed_in_people_with_few_labels_do_worse():
    labels, truth = crowd(3, items=1_500, people=3_750, classes=4)
    own = dawid_skene(labels, average_labels=0, alike_labels=0)
    assert share_right(own.labels, truth) < share_right(majority(labels), truth) - 0.1


def test_certainty_is_about_as_large_as_it_is_right():
    labels, truth = crowd(4, items=4_000, people=40)
    found = dawid_skene(labels)
    assert found.certainty.mean() == pytest.approx(share_right(found.labels, truth), abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(1, 9))
def test_chances_are_chances_and_the_order_of_labels_does_not_matter(seed, classes, people):
    labels, _ = crowd(seed, items=30, people=people, each=3, classes=classes)
    found = dawid_skene(labels)
    assert np.allclose(found.chances.sum(axis=1), 1)
    assert np.allclose(found.confusion.sum(axis=2), 1)
    assert np.isclose(found.shares.sum(), 1)
    assert ((found.accuracy >= 0) & (found.accuracy <= 1 + 1e-9)).all()
    mixed = np.random.default_rng(seed).permutation(len(labels.items))
    again = Labels(
        labels.items[mixed], labels.people[mixed], labels.said[mixed], labels.item_count, people, classes
    )
    assert np.allclose(dawid_skene(again).chances, found.chances, atol=1e-4)


def test_what_nobody_labelled_is_as_likely_as_the_classes_are():
    nothing = np.array([], dtype=np.int64)
    assert dawid_skene(Labels(nothing, nothing, nothing, 2, 0, 2)).chances.tolist() == [[0.5, 0.5]] * 2
    one = Labels(np.array([0]), np.array([0]), np.array([1]), 2, 1, 2)
    assert votes(one).tolist() == [[0, 1], [0, 0]]
    assert dawid_skene(one).labels.tolist()[0] == 1


@pytest.mark.parametrize(
    ("items", "people", "said", "counts"),
    [
        ([0, 1], [0], [0, 0], (2, 1, 2)),
        ([0], [0], [0], (1, 1, 1)),
        ([0], [0], [2], (1, 1, 2)),
        ([-1], [0], [0], (1, 1, 2)),
    ],
)
def test_labels_that_fit_nothing_are_refused(items, people, said, counts):
    with pytest.raises(InputError):
        Labels(np.array(items), np.array(people), np.array(said), *counts)


@pytest.mark.parametrize("mixed_in", [(-1.0, 4.0), (8.0, -0.5), (float("nan"), 1.0), (1.0, float("nan"))])
def test_fewer_than_no_labels_cannot_be_mixed_in(mixed_in):
    labels, _ = crowd(5, items=10)
    with pytest.raises(InputError):
        dawid_skene(labels, average_labels=mixed_in[0], alike_labels=mixed_in[1])
