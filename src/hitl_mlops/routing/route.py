"""Where each case goes. Pure and vectorised: one row and a million take the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.conditions import Mask, attributes_of, evaluate, judge
from hitl_mlops.routing.guards import Guards, closed_rows
from hitl_mlops.routing.policy import CLOSED, Policy
from hitl_mlops.routing.sampling import keyed_fractions
from hitl_mlops.routing.switches import Switch

Check: TypeAlias = Callable[[pd.DataFrame], Any]
"""A user's auxiliary check: frame of columns → one true (passed) or false for each row."""

_AT_ONCE = 32
"""Signals that are packed into one number at a time; the other half of it is for those before."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Where each row goes; arrays of one length, in the rows' order.

    Attributes:
        route: name of the route.
        reasons: tuple of all that fired, strictest first.
        pi: probability with which the row was to be reviewed, in (0, 1].
        spot_check: an automatic row drawn for secret review.
        signatures: how many distinct people must agree; 1 for a spot check, 0 where nobody is asked.
    """

    route: npt.NDArray[np.object_]
    reasons: npt.NDArray[np.object_]
    pi: npt.NDArray[np.float64]
    spot_check: Mask
    signatures: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Signal:
    """Something that demands at least a route, of some rows, for a reason."""

    level: int
    reason: str
    rows: Mask


def route(
    policy: Policy | None,
    columns: pd.DataFrame,
    decision_ids: Sequence[str],
    key: bytes,
    *,
    checks: Mapping[str, Check] | None = None,
    switches: Sequence[Switch] | None = (),
    guards: Guards | None = None,
    versions: Sequence[str] = (),
    inputs: pd.DataFrame | None = None,
) -> Routes:
    """The strictest of what the matrix, the confidence tier and the rules demand, with all reasons.

    Closes when in doubt: no policy, a confidence that is NaN or outside [0, 1], a confidence that no tier
    covers, or a check that fails, raises or is not there lead to people. A missing value that risk or a
    rule reads is taken as if the test held. What a guard covers goes to people, and no route becomes
    milder by it. Same policy, rows, ids, key and guards: same routes.

    Args:
        policy: the policy; None sends everything to senior review.
        columns: one row per case: `confidence`, and what the policy reads (attributes, margin, label).
        decision_ids: one per row; the spot checks are drawn from them.
        key: the policy key of the project.
        checks: the user's functions by name.
        switches: those that are on, where there are no other guards; None where they could not be read, which
            freezes every row.
        guards: all that stands against automatic decisions (`GuardBoard.read`); in the place of `switches`.
        versions: the model version that answered each row; left out, a switch on a version freezes all.
        inputs: what the model saw of each row; left out, a switch on what is like a case freezes all.

    Raises:
        ConfigurationError: the policy reads an attribute that is no column.
    """
    policy = policy or CLOSED
    columns = columns.reset_index(drop=True)
    signals = [*_risk(policy, columns), *_closed(policy, columns)]
    columns = columns.assign(consequence=consequences_of(policy, columns))
    signals += [*_rules(policy, columns), *_tiers(policy, columns)]
    levels = _strictest(signals, len(columns))
    for signal in _checks(policy, columns, levels, checks or {}):
        signals.append(signal)
        np.maximum(levels, signal.level, where=signal.rows, out=levels)
    stand = guards if guards is not None else Guards(switches=switches)
    signals += _held_back(policy, columns, levels, stand, versions, inputs)
    return _routes(policy, _strictest(signals, len(columns)), signals, decision_ids, key)


def consequences_of(policy: Policy, columns: pd.DataFrame) -> npt.NDArray[np.object_]:
    """The consequence of each row, by the first clause that fits it; None where the policy has no clauses."""
    names = np.full(len(columns), None, dtype=object)
    for name, rows, _, _ in _clauses(policy, columns):
        names[rows] = name
    return names


def _risk(policy: Policy, columns: pd.DataFrame) -> Iterator[_Signal]:
    final = np.zeros(len(columns), dtype=bool)
    if policy.irreversible is not None:
        sure, final = judge(policy.irreversible, columns)
        yield from _doubts(final & ~sure, "irreversible", attributes_of(policy.irreversible))
    for name, rows, doubt, reads in _clauses(policy, columns):
        yield from _doubts(doubt, f"consequence {name}", reads)
        for irreversible, way in enumerate(("reversible", "irreversible")):
            least = policy.matrix[name][irreversible]
            fits = rows & (final == bool(irreversible))
            yield _Signal(policy.level(least), f"matrix: {name}, {way} → {least}", fits)


def _clauses(policy: Policy, columns: pd.DataFrame) -> Iterator[tuple[str, Mask, Mask, frozenset[str]]]:
    """Each clause with the rows it is the first to fit, and those of them where a value was missing."""
    remaining = np.ones(len(columns), dtype=bool)
    for clause in policy.consequences:
        if clause.when is None:
            yield clause.name, remaining, np.zeros_like(remaining), frozenset()
            return
        sure, maybe = judge(clause.when, columns)
        fits = remaining & maybe
        yield clause.name, fits, fits & ~sure, attributes_of(clause.when)
        remaining = remaining & ~fits


def _doubts(rows: Mask, taken_as: str, reads: frozenset[str]) -> Iterator[_Signal]:
    if rows.any():
        yield _Signal(0, f"taken as {taken_as}: no value for {', '.join(sorted(reads))}", rows)


def _closed(policy: Policy, columns: pd.DataFrame) -> Iterator[_Signal]:
    level = policy.level(policy.closed_route)
    if policy is CLOSED:
        yield _Signal(level, "there is no policy → senior", np.ones(len(columns), dtype=bool))
    confidence = columns["confidence"].to_numpy(dtype=np.float64, na_value=np.nan)
    unusable = ~((confidence >= 0) & (confidence <= 1))
    yield _Signal(level, f"the model gave no usable answer → {policy.closed_route}", unusable)


def _tiers(policy: Policy, columns: pd.DataFrame) -> Iterator[_Signal]:
    usable = columns["confidence"].notna().to_numpy()
    covered = np.zeros(len(columns), dtype=bool)
    for level, plan in enumerate(policy.routes):
        if plan.tier is not None:  # a missing value never leads to less oversight, and always to more
            rows = usable & evaluate(plan.tier, columns, if_missing=not plan.automatic)
            covered |= rows
            yield _Signal(level, f"confidence → {plan.name}", rows)
    if policy is not CLOSED:
        closed = policy.closed_route
        yield _Signal(policy.level(closed), f"no confidence tier fits → {closed}", usable & ~covered)


def _rules(policy: Policy, columns: pd.DataFrame) -> Iterator[_Signal]:
    remaining = np.ones(len(columns), dtype=bool)
    for rule in policy.rules:
        sure, maybe = judge(rule.when, columns)
        doubt = maybe & ~sure & remaining
        level, reason = policy.level(rule.route), f"rule: {rule.name} → {rule.route}"
        yield _Signal(level, reason, sure & remaining)
        missing = ", ".join(sorted(attributes_of(rule.when)))
        yield _Signal(level, f"{reason} (in doubt: no value for {missing})", doubt)
        remaining &= ~sure  # a rule in doubt does not keep later rules from being asked


def _strictest(signals: Sequence[_Signal], count: int) -> npt.NDArray[np.int64]:
    levels = np.zeros(count, dtype=np.uint16)  # a policy file has no room for more routes
    for signal in signals:
        np.maximum(levels, signal.rows * np.uint16(signal.level), out=levels)
    return levels.astype(np.int64)


def _checks(
    policy: Policy, columns: pd.DataFrame, levels: npt.NDArray[np.int64], checks: Mapping[str, Check]
) -> Iterator[_Signal]:
    for level, plan in enumerate(policy.routes):
        if plan.otherwise is None:
            continue
        places = np.flatnonzero(levels == level)
        for name in plan.checks:
            failed, why = _failed(checks.get(name), columns.iloc[places])
            rows = np.zeros(len(columns), dtype=bool)
            rows[places] = failed
            yield _Signal(policy.level(plan.otherwise), f"check {name} {why} → {plan.otherwise}", rows)


def _failed(check: Check | None, rows: pd.DataFrame) -> tuple[Mask, str]:
    everything = np.ones(len(rows), dtype=bool)
    if check is None:
        return everything, "is not there"
    if rows.empty:
        return everything, "failed"
    try:
        passed = np.asarray(check(rows), dtype=object)
    except Exception as error:  # noqa: BLE001 - a user's function may raise anything, and doubt means people
        return everything, f"raised {type(error).__name__}"
    if passed.shape != everything.shape:
        return everything, "gave no answer for each row"
    return np.array(
        [answer is not True and answer is not np.True_ for answer in passed], dtype=bool
    ), "failed"


def _held_back(
    policy: Policy,
    columns: pd.DataFrame,
    levels: npt.NDArray[np.int64],
    guards: Guards,
    versions: Sequence[str],
    inputs: pd.DataFrame | None,
) -> Iterator[_Signal]:
    if guards.nothing:
        return
    closed, names = policy.closed_route, [plan.name for plan in policy.routes]
    routes = [names[level] for level in levels.tolist()]
    for why, rows in closed_rows(guards, columns, inputs, versions, routes):
        yield _Signal(policy.level(closed), f"{why} → {closed}", rows)


def _routes(
    policy: Policy,
    levels: npt.NDArray[np.int64],
    signals: Sequence[_Signal],
    decision_ids: Sequence[str],
    key: bytes,
) -> Routes:
    names = np.array([plan.name for plan in policy.routes], dtype=object)
    rates = np.array([policy.review_rate(plan.name) for plan in policy.routes])
    people = np.array([plan.signatures for plan in policy.routes], dtype=np.int64)
    pi, signatures = rates[levels], people[levels]
    automatic = np.flatnonzero(signatures == 0)
    drawn = keyed_fractions(key, [decision_ids[place] for place in automatic.tolist()]) < pi[automatic]
    spot_check = np.zeros(len(levels), dtype=bool)
    spot_check[automatic] = drawn
    return Routes(
        route=names[levels],
        reasons=_reasons(signals, len(levels)),
        pi=pi,
        spot_check=spot_check,
        signatures=np.where(spot_check, 1, signatures),
    )


def _reasons(signals: Sequence[_Signal], count: int) -> npt.NDArray[np.object_]:
    """Tuples of reasons, built once for each combination of signals that occurs."""
    ordered = sorted((each for each in signals if each.rows.any()), key=lambda each: -each.level)
    codes, kinds = np.zeros(count, dtype=np.int64), 1
    for start in range(0, len(ordered), _AT_ONCE):  # renumbered in between, so that any number fits
        packed = codes << _AT_ONCE
        for bit, signal in enumerate(ordered[start : start + _AT_ONCE]):
            packed |= signal.rows.astype(np.int64) << bit
        codes, found = pd.factorize(packed)
        kinds = len(found)
    first = np.zeros(kinds if count else 0, dtype=np.intp)
    first[codes[::-1]] = np.arange(count)[::-1]
    tuples = np.empty(len(first), dtype=object)
    for code, place in enumerate(first):
        tuples[code] = tuple(signal.reason for signal in ordered if signal.rows[place])
    return tuples[codes]
