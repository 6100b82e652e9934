"""What of a policy can happen, and for which cases: exact, or plainly undecided."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.routing.conditions import Condition, Mask, Within, attributes_of, evaluate, judge
from hitl_mlops.routing.kinds import constants, kinds_of_cases, usable
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.route import Check, route


class Reach(StrEnum):
    """Whether a clause or rule ever speaks."""

    ACTS = "acts"
    """Some case whose values are known fits it, and nothing before."""
    IN_DOUBT = "in doubt"
    """It speaks only of cases with a missing or unusable value."""
    NEVER = "never"
    """No case whatever reaches it."""
    UNDECIDED = "undecided"
    """Too many kinds of cases to look at each."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Confidences from `low` to `high`; each end is part of it where `…_included`."""

    low: float
    high: float
    low_included: bool
    high_included: bool

    def __contains__(self, confidence: float) -> bool:
        above = confidence >= self.low if self.low_included else confidence > self.low
        return above and (confidence <= self.high if self.high_included else confidence < self.high)

    def __str__(self) -> str:
        if self.low == self.high:
            return f"exactly {self.low:g}"
        return (
            f"{'from' if self.low_included else 'above'} {self.low:g} "
            f"{'up to' if self.high_included else 'to below'} {self.high:g}"
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """Confidences that no tier covers.

    Attributes:
        stretch: the confidences.
        always: whatever else the case says; else only for some cases.
        example: attribute → value of one such case, confidence aside; empty where `always`.
    """

    stretch: Stretch
    always: bool
    example: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Confidences that two tiers claim; `always`: whatever else the case says."""

    stretch: Stretch
    milder: str
    stricter: str
    always: bool


def reach_of_rule(policy: Policy, place: int) -> tuple[Reach, tuple[int, ...]]:
    """Whether the rule ever speaks, and the places of earlier rules that take cases from it.

    First only the rules that read nothing else are held against it, which settles most; where that does not
    and all of them together tell too many kinds of cases apart, it is undecided.
    """
    rule = policy.rules[place]
    own = attributes_of(rule.when)
    alike = [other for other in range(place) if attributes_of(policy.rules[other].when) <= own]
    found: tuple[Reach, tuple[int, ...]] = (Reach.UNDECIDED, ())
    for others in (alike, list(range(place))):
        rows = kinds_of_cases(policy, [rule.when, *(policy.rules[other].when for other in others)])
        if rows is None:
            return Reach.UNDECIDED, ()
        sure, maybe = judge(rule.when, rows)
        sure = sure & usable(rows).to_numpy()
        taken = {other: evaluate(policy.rules[other].when, rows) for other in others}
        left = ~np.logical_or.reduce([np.zeros(len(rows), dtype=bool), *taken.values()])
        found = (
            _reach(sure, maybe, left),
            tuple(other for other in others if (taken[other] & sure).any()),
        )
        if found[0] is Reach.NEVER:
            return found
    return found


def reach_of_clause(policy: Policy, place: int) -> Reach:
    """Whether the clause of `risk.consequence` is ever the first that fits."""
    clauses = policy.consequences[: place + 1]
    conditions = [clause.when for clause in clauses if clause.when is not None]
    rows = kinds_of_cases(policy, conditions)
    if rows is None:
        return Reach.UNDECIDED
    left, own = np.ones(len(rows), dtype=bool), policy.consequences[place].when
    for clause in clauses[:-1]:
        left &= ~evaluate(clause.when, rows, if_missing=True) if clause.when is not None else False
    if own is None:
        return _reach(left, left, left)
    sure, maybe = judge(own, rows)
    return _reach(sure & usable(rows).to_numpy(), maybe, left)


def _reach(sure: Mask, maybe: Mask, left: Mask) -> Reach:
    if (sure & left).any():
        return Reach.ACTS
    return Reach.IN_DOUBT if (maybe & left).any() else Reach.NEVER


def possible_routes(policy: Policy) -> frozenset[str] | None:
    """Names of the routes that some case takes, checks failing or passing; None where undecided."""
    conditions: list[Condition] = [rule.when for rule in policy.rules]
    conditions += [plan.tier for plan in policy.routes if plan.tier is not None]
    conditions += [clause.when for clause in policy.consequences if clause.when is not None]
    conditions += [policy.irreversible] if policy.irreversible is not None else []
    rows = kinds_of_cases(policy, [*conditions, Within("confidence", low=0.0, high=1.0)])
    if rows is None:
        return None
    passing: dict[str, Check] = {name: _passes for plan in policy.routes for name in plan.checks}
    taken = set(route(policy, rows, [""] * len(rows), b"", checks=passing).route.tolist())
    for plan in policy.routes:  # in rising order, so that a failure after a failure is followed
        if plan.name in taken and plan.otherwise is not None:
            taken.add(plan.otherwise)
    return frozenset(taken)


def _passes(rows: pd.DataFrame) -> Mask:
    return np.ones(len(rows), dtype=bool)


def confidence_gaps(policy: Policy) -> tuple[Gap, ...] | None:
    """The confidences in [0, 1] that no tier covers, so that they close to people; None where undecided.

    Exactly those for which some case is routed with the reason that no confidence tier fits.
    """
    found = _by_confidence(policy)
    if found is None:
        return None
    rows, named = found
    covered = np.zeros(len(rows), dtype=bool)
    for plan in policy.routes:
        if plan.tier is not None:
            covered |= evaluate(plan.tier, rows, if_missing=not plan.automatic)
    return tuple(
        Gap(stretch, always, {} if always else _example(rows.loc[~covered], stretch))
        for stretch, always in _stretches(rows, ~covered, named)
    )


def tier_overlaps(policy: Policy) -> tuple[Overlap, ...] | None:
    """The confidences that two tiers claim, pair by pair; None where undecided."""
    found = _by_confidence(policy)
    if found is None:
        return None
    rows, named = found
    claimed = {plan.name: evaluate(plan.tier, rows) for plan in policy.routes if plan.tier is not None}
    return tuple(
        Overlap(stretch, milder, stricter, always)
        for milder, stricter in itertools.combinations(claimed, 2)
        for stretch, always in _stretches(rows, claimed[milder] & claimed[stricter], named)
    )


def _by_confidence(policy: Policy) -> tuple[pd.DataFrame, list[float]] | None:
    """Every kind of case that the tiers tell apart, confidence in [0, 1]; and the confidences they name."""
    conditions = [plan.tier for plan in policy.routes if plan.tier is not None]
    conditions.append(Within("confidence", low=0.0, high=1.0))
    rows = kinds_of_cases(policy, conditions)
    if rows is None:
        return None
    inside = rows.loc[rows["confidence"].between(0, 1)].reset_index(drop=True)
    return inside, constants(policy, conditions, "confidence")


def _stretches(rows: pd.DataFrame, chosen: Mask, named: Sequence[float]) -> Iterator[tuple[Stretch, bool]]:
    """The confidences of the chosen rows as stretches, each with whether no row of it is left out.

    A confidence that no tier names stands for all between its neighbours.
    """
    by_kind = pd.Series(chosen).groupby(rows["confidence"].to_numpy(dtype=np.float64))
    some, every = by_kind.any(), by_kind.all()
    kinds = some.index.tolist()
    for (any_row, all_rows), run in itertools.groupby(
        range(len(kinds)), lambda place: (bool(some.iloc[place]), bool(every.iloc[place]))
    ):
        places = list(run)
        first, last = kinds[places[0]], kinds[places[-1]]
        low = first if first in named else kinds[places[0] - 1]
        high = last if last in named else kinds[places[-1] + 1]
        if any_row:
            yield Stretch(low, high, first in named, last in named), all_rows


def _example(rows: pd.DataFrame, stretch: Stretch) -> dict[str, Any]:
    """What a row with a confidence in the stretch says beside it."""
    fits = rows.loc[[value in stretch for value in rows["confidence"]]]
    first = fits.drop(columns="confidence").iloc[0]
    return {str(name): None if pd.isna(value) else value for name, value in first.items()}
