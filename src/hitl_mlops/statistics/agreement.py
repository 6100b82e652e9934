"""How far people agree beyond what chance gives."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError

_SEED, _DRAWS = 20240501, 400


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha with its interval.

    Attributes:
        value: 1 where all agree, 0 where they agree as chance would; None where nobody could have differed.
        low: lower end of its bootstrap interval.
        high: upper end of its bootstrap interval.
        units: cases that it rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int


def krippendorff_alpha(answers: Iterable[Sequence[Hashable]], *, alpha: float = 0.05) -> Agreement:
    """Agreement on nominal labels, with any number of answers a case.

    Krippendorff 2011, *Computing Krippendorff's alpha-reliability*, section C; cases with one answer do not
    count. The interval draws whole cases anew, 400 times, always the same.

    Args:
        answers: the labels given to each case.
        alpha: one minus the coverage.

    >>> rows = "11.1 2232 3333 3333 2222 1234 4444 1121 2222 .555 ..11 .3..".split()
    >>> krippendorff_alpha([[one for one in row if one != "."] for row in rows]).value  # the paper says .743
    0.743421
    """
    _, counts = _counted(answers)
    return _with_interval(counts, _drawn(len(counts)), alpha)


def alpha_by_class(
    answers: Iterable[Sequence[Hashable]], *, alpha: float = 0.05
) -> dict[Hashable, Agreement]:
    """Agreement on each class: Krippendorff's alpha of "this class, or another", with its interval.

    `units` is the number of cases, with two answers or more, on which somebody gave the class. Classes that
    nobody gave are missing; the value is None where all gave the same class to everything.

    Args:
        answers: the labels given to each case.
        alpha: one minus the coverage, of each interval by itself.

    >>> found = alpha_by_class([["a", "a"], ["a", "a"], ["b", "c"], ["c", "b"]])
    >>> found["a"].value, found["b"].value < 0, found["b"].units
    (1.0, True, 2)
    """
    names, counts = _counted(answers)
    times, people = _drawn(len(counts)), counts.sum(axis=1)
    found = {}
    for place, name in enumerate(names):
        given = counts[:, place]
        one = _with_interval(np.stack([given, people - given], axis=1), times, alpha)
        found[name] = replace(one, units=int(np.count_nonzero(given)))
    return found


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Agreement of two people on the same cases, beyond what their own habits give by chance.

    Cohen 1960, *A coefficient of agreement for nominal scales*. 1 where they always agree, 0 where by chance;
    None without cases, or where both gave one and the same class to all.

    Raises:
        InputError: they did not label the same number of cases.

    >>> cohen_kappa([1, 1, 2, 2], [1, 1, 2, 1])
    0.5
    """
    if len(first) != len(second):
        raise InputError("Two people's labels are of different cases.", remedy="Give both of each case.")
    if not first:
        return None
    places = {name: place for place, name in enumerate(dict.fromkeys([*first, *second]))}
    table = np.zeros((len(places), len(places)))
    np.add.at(table, ([places[one] for one in first], [places[one] for one in second]), 1 / len(first))
    return _beyond_chance(float(np.trace(table)), float(table.sum(axis=0) @ table.sum(axis=1)))


def fleiss_kappa(counts: npt.ArrayLike) -> float | None:
    """Agreement of the same number of people on every case, whoever they were.

    Fleiss 1971, *Measuring nominal scale agreement among many raters*. None without cases, or where all gave
    one and the same class to all.

    Args:
        counts: how many gave each case each class; every row sums to the same number, ≥ 2. Shape
            (cases, classes).

    Raises:
        InputError: rows sum to different numbers, or to fewer than 2.

    >>> fleiss_kappa([[2, 0], [0, 2], [1, 1]]).__round__(3)
    0.333
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.size == 0:
        return None
    people = table.sum(axis=1)
    if people.min() != people.max() or people[0] < 2:  # noqa: PLR2004 - nobody agrees alone
        raise InputError(
            "Fleiss' kappa wants the same number of labels on every case, two or more.",
            remedy="Use krippendorff_alpha, which takes any number.",
        )
    agreed = (np.square(table).sum(axis=1) - people) / (people * (people - 1))
    shares = table.sum(axis=0) / table.sum()
    return _beyond_chance(float(agreed.mean()), float(shares @ shares))


def _beyond_chance(observed: float, expected: float) -> float | None:
    return None if expected >= 1 else (observed - expected) / (1 - expected)


def _counted(answers: Iterable[Sequence[Hashable]]) -> tuple[list[Hashable], npt.NDArray[np.float64]]:
    """The classes by name, and how many gave each to each case with two answers; shape (cases, classes)."""
    units = [list(one) for one in answers if len(one) > 1]
    names = sorted({one for unit in units for one in unit}, key=str)
    places = {name: place for place, name in enumerate(names)}
    counts = np.zeros((len(units), len(names)))
    rows = np.repeat(np.arange(len(units)), [len(unit) for unit in units])
    said = np.array([places[one] for unit in units for one in unit], dtype=np.intp)
    np.add.at(counts, (rows, said), 1.0)
    return names, counts


def _drawn(units: int) -> npt.NDArray[np.float64]:
    """How often each case comes in each of 400 draws of whole cases, always the same."""
    if units == 0:
        return np.zeros((_DRAWS, 0))
    drawn = np.random.default_rng(_SEED).multinomial(units, np.full(units, 1 / units), _DRAWS)
    return drawn.astype(np.float64)  # whole numbers would be converted for every class


def _with_interval(
    counts: npt.NDArray[np.float64], times: npt.NDArray[np.float64], alpha: float
) -> Agreement:
    units = len(counts)
    if np.count_nonzero(counts.any(axis=0)) < 2:  # noqa: PLR2004 - one label alone leaves nothing to differ on
        return Agreement(None, None, None, units)
    value = _alpha(counts, np.ones((1, units)))[0]
    low, high = np.nanquantile(_alpha(counts, times), [alpha / 2, 1 - alpha / 2])
    ends = float(min(low, value)), float(max(high, value))
    return Agreement(round(float(value), 6), round(ends[0], 6), round(ends[1], 6), units)


def _alpha(counts: npt.NDArray[np.float64], times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 - observed / expected disagreement, of units taken so many times each; NaN where none is possible."""
    people = counts.sum(axis=1)
    observed = times @ ((people**2 - np.square(counts).sum(axis=1)) / (people - 1))
    totals = times @ counts
    every = totals.sum(axis=1)
    expected = (every**2 - np.square(totals).sum(axis=1)) / (every - 1)
    share = np.divide(observed, expected, out=np.full(len(observed), np.nan), where=expected > 0)
    return np.asarray(1 - share)
