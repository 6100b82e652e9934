"""What several people's labels of the same items add up to, and how right each person is.

Source: Dawid & Skene (1979), *Maximum likelihood estimation of observer error-rates using the EM algorithm*,
J. R. Stat. Soc. C 28(1). What few labels cannot tell of a person is drawn towards what is known, in two
steps, as a hierarchical prior does (Kim & Ghahramani 2012, *Bayesian classifier combination*): how often
somebody is right towards how often people are, and which classes they mix up towards what anybody would who
is right so often. So a person with few labels counts as people do on average, and the result falls back to
the majority's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from hitl_mlops.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AVERAGE_LABELS = 8.0
"""Labels of an average person that each person's own are mixed with, to tell how often they are right."""
ALIKE_LABELS = 4.0
"""Labels of somebody right so often that they are mixed with, a class, to tell which classes they mix up."""
MOST_ROUNDS = 200
SETTLED = 1e-5
"""Chance that may still move from class to class in a round, an item."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Labels:
    """Who said what of which item; arrays of one length, one element a label.

    Attributes:
        items: place of the item, 0 … item_count - 1.
        people: place of the person, 0 … person_count - 1.
        said: place of the class, 0 … class_count - 1.
        item_count: how many items there are.
        person_count: how many people.
        class_count: how many classes, ≥ 2.
    """

    items: IntArray
    people: IntArray
    said: IntArray
    item_count: int
    person_count: int
    class_count: int

    def __post_init__(self) -> None:
        counts = (self.item_count, self.person_count, self.class_count)
        places = (self.items, self.people, self.said)
        if len({len(one) for one in places}) > 1 or self.class_count < 2:  # noqa: PLR2004
            raise InputError(
                "Items, people and classes are not told for the same labels, or there is one class only.",
                remedy="Give three arrays of one length, and at least two classes.",
            )
        if any(
            len(one) and not 0 <= one.min() <= one.max() < count
            for one, count in zip(places, counts, strict=True)
        ):
            raise InputError(
                "A label is of an item, a person or a class that there is not.",
                remedy="Count places from 0, each below its number.",
            )


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the labels add up to.

    Attributes:
        chances: chance of each class for each item; rows sum to 1. Shape (items, classes).
        confusion: chance that a person says a class (last) of an item of a class (middle); rows sum to 1.
            Shape (people, classes, classes).
        shares: share of items in each class, sums to 1. Shape (classes,).
        rounds: how often it was worked out anew.
    """

    chances: FloatArray
    confusion: FloatArray
    shares: FloatArray
    rounds: int

    @property
    def labels(self) -> IntArray:
        """The likeliest class of each item, the first of equals; shape (items,)."""
        return np.asarray(self.chances.argmax(axis=1))

    @property
    def certainty(self) -> FloatArray:
        """The chance that it is right, if people err as they were found to; shape (items,)."""
        return np.asarray(self.chances.max(axis=1))

    @property
    def accuracy(self) -> FloatArray:
        """How often each person is right, over the items' classes; in [0, 1], shape (people,)."""
        right = np.einsum("pkk->pk", self.confusion)
        return np.asarray(right @ self.shares)


def votes(labels: Labels) -> FloatArray:
    """Labels of each item by class; shape (items, classes)."""
    places = labels.items * labels.class_count + labels.said
    counted = np.bincount(places, minlength=labels.item_count * labels.class_count)
    return counted.reshape(labels.item_count, labels.class_count).astype(np.float64)


def majority(labels: Labels) -> IntArray:
    """The class that most said of each item, the first of equals; 0 where nobody said anything."""
    return np.asarray(votes(labels).argmax(axis=1))


def dawid_skene(
    labels: Labels, *, average_labels: float = AVERAGE_LABELS, alike_labels: float = ALIKE_LABELS
) -> Consensus:
    """The classes and the people's error rates that explain the labels best.

    Begins with the shares of votes; ends when a round moves a chance of 1e-5 an item or less, or after 200.
    The same labels, in whatever order, give the same result up to rounding.

    Args:
        labels: who said what; an item that nobody labelled has the classes' shares as its chances.
        average_labels: how many labels of an average person each person's own are mixed with, ≥ 0.
        alike_labels: how many labels a class, of somebody right as often, ≥ 0. 0 is Dawid and Skene's own
            estimate.

    Raises:
        InputError: one of the two is negative or NaN.

    >>> said = np.array([0, 0, 1, 1, 1, 0, 1, 1, 1])  # three people on three items
    >>> who, what = np.tile([0, 1, 2], 3), np.repeat([0, 1, 2], 3)
    >>> dawid_skene(Labels(what, who, said, 3, 3, 2)).labels
    array([0, 1, 1])
    """
    if not (average_labels >= 0 and alike_labels >= 0):  # NaN fails this too
        raise InputError("Fewer than no labels cannot be mixed in.", remedy="Give 0 or more.")
    classes, counted = labels.class_count, votes(labels)
    total = counted.sum(axis=1, keepdims=True)
    chances = np.divide(counted, total, out=np.full_like(counted, 1 / classes), where=total > 0)
    labelled = (total[:, 0] > 0) / max(np.count_nonzero(total), 1)
    by_item = _said(labels)
    by_person, rounds, moved = by_item.T.tocsr(), 0, np.inf
    while moved >= SETTLED and rounds < MOST_ROUNDS:
        shares = labelled @ chances if labelled.any() else chances[:1].sum(axis=0)
        found = (by_person @ chances).reshape(labels.person_count, classes, classes).swapaxes(1, 2)
        confusion = _mixed(found, average_labels, alike_labels)
        before, chances = chances, _chances(by_item, confusion, shares)
        rounds, moved = rounds + 1, float(np.abs(chances - before).sum()) / max(labels.item_count, 1)
    return Consensus(chances, confusion, shares, rounds)


def _said(labels: Labels) -> sparse.csr_matrix:
    """How often each person said each class of each item; shape (items, people * classes)."""
    places = labels.people * labels.class_count + labels.said
    shape = (labels.item_count, labels.person_count * labels.class_count)
    return sparse.csr_matrix((np.ones(len(places)), (labels.items, places)), shape=shape)


def _mixed(found: FloatArray, average_labels: float, alike_labels: float) -> FloatArray:
    """What each person says of each class, rows sum to 1; `found` counts it, of the same shape."""
    mixed = found + max(alike_labels, _TINY) * _alike(found, average_labels)
    return np.asarray(mixed / mixed.sum(axis=2, keepdims=True))


def _alike(found: FloatArray, average_labels: float) -> FloatArray:
    """What somebody who is right as often as each person says of each class; rows sum to 1.

    Everybody's labels, in which the odds of the right class are as much better as the person's are.
    """
    everybody = found.sum(axis=0) + _TINY
    everybody /= everybody.sum(axis=1, keepdims=True)
    right, said = np.einsum("pkk->p", found), found.sum(axis=(1, 2))
    usual = right.sum() / max(said.sum(), _TINY)
    own = (right + average_labels * usual + _TINY) / (said + average_labels + 2 * _TINY)
    better = _odds(own) / _odds(usual)
    alike = np.tile(everybody, (len(found), 1, 1))
    diagonal = np.arange(found.shape[1])
    alike[:, diagonal, diagonal] *= better[:, np.newaxis]
    return np.asarray(alike / alike.sum(axis=2, keepdims=True))


def _odds(share: FloatArray | float) -> FloatArray:
    return np.asarray((share + _TINY) / (1 - share + _TINY))


def _chances(by_item: sparse.csr_matrix, confusion: FloatArray, shares: FloatArray) -> FloatArray:
    logs = np.log(np.maximum(confusion, _TINY)).swapaxes(1, 2).reshape(-1, confusion.shape[1])
    told = np.ascontiguousarray((by_item @ logs + np.log(np.maximum(shares, _TINY))).T)  # few rows: faster
    told -= told.max(axis=0)
    chances = np.exp(told)
    chances /= chances.sum(axis=0)
    return np.ascontiguousarray(chances.T)
