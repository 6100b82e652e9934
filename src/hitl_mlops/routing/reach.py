"""What of a policy can happen, and for which cases: exact, or plainly undecided."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.routing.bounds import Outputs
from hitl_mlops.routing.conditions import Condition, Mask, Within, attributes_of, evaluate, judge
from hitl_mlops.routing.kinds import constants, kinds_of_cases, usable
from hitl_mlops.routing.policy import Consequence, Policy
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


def reach_of_rules(policy: Policy) -> tuple[tuple[Reach, tuple[int, ...]], ...]:
    """Whether each rule ever speaks, and the places of earlier rules that take cases from it.

    Where all rules together tell too many kinds of cases apart, each is held against earlier ones that read
    nothing else, which settles most, then against all earlier ones; what that does not settle is undecided.
    """
    everyone = list(range(len(policy.rules)))
    together = _reached(policy, everyone, everyone)
    if together is not None:
        return tuple(together)
    return tuple(_reach_alone(policy, place) for place in everyone)


def _reach_alone(policy: Policy, place: int) -> tuple[Reach, tuple[int, ...]]:
    own = attributes_of(policy.rules[place].when)
    alike = [other for other in range(place) if attributes_of(policy.rules[other].when) <= own]
    by_alike = _reached(policy, [*alike, place], [place])
    if by_alike is None:
        return Reach.UNDECIDED, ()
    if by_alike[0][0] is Reach.NEVER or len(alike) == place:
        return by_alike[0]
    by_all = _reached(policy, [*range(place), place], [place])
    return (Reach.UNDECIDED, ()) if by_all is None else by_all[0]


def _reached(
    policy: Policy, asked: Sequence[int], told: Sequence[int]
) -> list[tuple[Reach, tuple[int, ...]]] | None:
    """The reach of the rules told, where only those asked were in the policy; None where undecided."""
    rows = kinds_of_cases(policy, [policy.rules[place].when for place in asked])
    if rows is None:
        return None
    fine, left = usable(policy, rows).to_numpy(), np.ones(len(rows), dtype=bool)
    before: dict[int, Mask] = {}
    found = []
    for place in asked:
        sure, maybe = judge(policy.rules[place].when, rows)
        reach = _reach(sure & fine, maybe, left)
        if place in told:
            found.append(
                (reach, tuple(other for other, taken in before.items() if (taken & sure & fine).any()))
            )
        before[place] = sure
        left = left & ~sure
    return found


def reach_of(policy: Policy, condition: Condition) -> Reach:
    """Whether any case fits the condition, whatever else the policy says."""
    rows = kinds_of_cases(policy, [condition])
    if rows is None:
        return Reach.UNDECIDED
    sure, maybe = judge(condition, rows)
    return _reach(sure & usable(policy, rows).to_numpy(), maybe, np.ones(len(rows), dtype=bool))


def reach_of_clause(policy: Policy, place: int) -> Reach:
    """Whether the clause of `risk.consequence` is ever the first that fits.

    Where a missing value leaves an earlier one open, it is in doubt.
    """
    clauses = policy.consequences[: place + 1]
    conditions = [clause.when for clause in clauses if clause.when is not None]
    rows = kinds_of_cases(policy, conditions)
    if rows is None:
        return Reach.UNDECIDED
    left, own = np.ones(len(rows), dtype=bool), policy.consequences[place].when
    for clause in clauses[:-1]:
        left &= ~evaluate(clause.when, rows) if clause.when is not None else False
    sure, maybe = (left, left) if own is None else judge(own, rows)
    known = usable(policy, rows).to_numpy() & ~_in_doubt(clauses[:-1], rows)
    return _reach(sure & known, maybe, left)


def _in_doubt(clauses: Sequence[Consequence], rows: pd.DataFrame) -> Mask:
    """Rows that some clause may fit, by a missing value."""
    found = np.zeros(len(rows), dtype=bool)
    for clause in clauses:
        if clause.when is not None:
            sure, maybe = judge(clause.when, rows)
            found |= maybe & ~sure
    return found


def _reach(sure: Mask, maybe: Mask, left: Mask) -> Reach:
    if (sure & left).any():
        return Reach.ACTS
    return Reach.IN_DOUBT if (maybe & left).any() else Reach.NEVER


def possible_routes(policy: Policy) -> frozenset[str] | None:
    """Names of the routes that some case may take, checks failing or passing; None where undecided.

    What law, outputs, actions, costs and broken functions demand is taken to be possible beside everything
    else, so a route may stand here that they leave no case for. The same goes for rules, where with them
    there are too many kinds of cases.
    """
    ruled = frozenset(rule.route for rule in policy.rules)
    taken = _taken(policy)
    if taken is None and (without := _taken(replace(policy, rules=()))) is not None:
        taken = without | ruled
    if taken is None:
        return None
    found = set(taken | bound_to(policy))
    for plan in policy.routes:  # in rising order, so that a failure after a failure is followed
        if plan.name in found and plan.otherwise is not None:
            found.add(plan.otherwise)
    return frozenset(found)


def _taken(policy: Policy) -> frozenset[str] | None:
    """The routes that matrix, tiers and rules lead to; None where the kinds of cases are too many."""
    conditions: list[Condition] = [rule.when for rule in policy.rules]
    conditions += [plan.tier for plan in policy.routes if plan.tier is not None]
    conditions += [clause.when for clause in policy.consequences if clause.when is not None]
    conditions += [policy.irreversible] if policy.irreversible is not None else []
    rows = kinds_of_cases(policy, [*conditions, Within("confidence", low=0.0, high=1.0)])
    if rows is None:
        return None
    passing: dict[str, Check] = {name: _passes for plan in policy.routes for name in plan.checks}
    plain = replace(policy, regulation=(), outputs=Outputs(), actions=None, costs=None)
    plain = replace(plain, derive={}, risk_model=None, impact=None)  # they vary freely in these rows
    plain = replace(plain, functions={})  # and no function reads what does not stand there
    return frozenset(route(plain, rows, checks=passing).route.tolist())


def bound_to(policy: Policy) -> set[str]:
    """The routes that law, outputs, actions, costs or a broken function may lead to."""
    found = {one.at_least for one in policy.regulation}
    found |= {rule.route or policy.closed_route for rule in policy.outputs.rules}
    found |= {policy.closed_route} if policy.outputs.prohibited or policy.computed else set()
    found |= {policy.mildest_with_people} if policy.actions is not None else set()
    found |= {policy.costs.route} if policy.costs is not None else set()
    if policy.risk_model is not None:
        found |= {cell for cells in policy.matrix.values() for cell in cells}
    return found


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
