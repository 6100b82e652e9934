"""Where each case goes. Pure and vectorised: one row and a million take the same way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.attributes import unscored, with_computed
from hitl_mlops.routing.conditions import Mask, attributes_of, evaluate, judge
from hitl_mlops.routing.demands import demands
from hitl_mlops.routing.guards import Guards, closed_rows, counted
from hitl_mlops.routing.policy import CLOSED, IMPACT, RISK, Policy
from hitl_mlops.routing.rate_limits import RateLimit
from hitl_mlops.routing.signals import Signal, doubtful, reasons_of, strictest
from hitl_mlops.routing.switches import Switch
from hitl_mlops.routing.user_functions import Check, ask_function

_Clause: TypeAlias = tuple[str, Mask, Mask, frozenset[str]]
"""Its name, the rows it surely is the first to fit, those it may fit, and what it reads."""

__all__ = ["Check", "Routes", "consequences_of", "route"]


@dataclass(frozen=True, slots=True)
class Routes:
    """Where each row goes; arrays of one length, in the rows' order.

    Attributes:
        route: name of the route.
        reasons: tuple of all that fired, strictest first.
        pi: probability with which the row was to be reviewed, in (0, 1].
        spot_check: an automatic row drawn for secret review.
        signatures: how many distinct people must agree; 1 for a spot check, 0 where nobody is asked.
        impact: how much the case weighs, in [0, 1]; NaN where the policy does not say or it is unknown.
        used: rate limit → how many of the rows use it up; none are left out.
    """

    route: npt.NDArray[np.object_]
    reasons: npt.NDArray[np.object_]
    pi: npt.NDArray[np.float64]
    spot_check: Mask
    signatures: npt.NDArray[np.int64]
    impact: npt.NDArray[np.float64]
    used: Mapping[RateLimit, int] = field(default_factory=dict)


def route(
    policy: Policy | None,
    columns: pd.DataFrame,
    draws: npt.NDArray[np.float64] | None = None,
    *,
    checks: Mapping[str, Check] | None = None,
    switches: Sequence[Switch] | None = (),
    guards: Guards | None = None,
    versions: Sequence[str] = (),
    inputs: pd.DataFrame | None = None,
    given: Collection[str] = (),
) -> Routes:
    """The strictest of what anything in the policy demands, with all reasons.

    Demands come from the matrix, the confidence tiers, the rules, regulation, outputs, actions and costs.
    Closes when in doubt: no policy, a confidence that is NaN or outside [0, 1], a confidence that no tier
    covers, a check that fails, or a function that raises or is not there lead to people. A missing value
    that risk, a rule, regulation or an output rule reads is taken as if the test held; one that a permission
    reads as if it did not; a cost that is unknown leads to people. What a guard covers goes to people, and
    no route becomes milder by it. Same policy, rows, draws, functions, versions and guards: same routes.

    Args:
        policy: the policy; None sends everything to senior review.
        columns: one row per case: `confidence`, and what the policy reads (attributes, margin, label;
            `disagreement` counts as missing where it is no column).
        draws: one per row, in [0, 1) (`sampling.draws`): an automatic row whose draw is below its π is
            spot-checked; None: none is.
        checks: the user's functions by name.
        switches: those that are on, where there are no other guards; None where they could not be read, which
            freezes every row.
        guards: all that stands against automatic decisions (`GuardBoard.read`); in the place of `switches`.
        versions: the model version that answered each row; left out, a switch on a version freezes all, and
            what is permitted to some versions only is not permitted.
        inputs: what the model saw of each row; left out, a switch on what is like a case freezes all.
        given: attributes that the policy would compute and the columns hold already.

    Raises:
        ConfigurationError: the policy reads an attribute that is no column.
    """
    policy = policy or CLOSED
    columns, signals = with_computed(policy, columns.reset_index(drop=True), checks or {}, given)
    clauses = list(_clauses(policy, columns))
    signals += [*_risk(policy, columns, clauses), *_closed(policy, columns)]
    if clauses or "consequence" in policy.reads:
        columns = columns.assign(consequence=_names(policy, columns, clauses))
    signals += [*_rules(policy, columns), *_tiers(policy, columns), *demands(policy, columns, versions)]
    levels = strictest(signals, len(columns))
    for signal in _checks(policy, columns, levels, checks or {}):
        signals.append(signal)
        np.maximum(levels, signal.level, where=signal.rows, out=levels)
    stand = guards if guards is not None else Guards(switches=switches)
    signals += _held_back(policy, columns, levels, stand, versions, inputs)
    nothing = np.broadcast_to(np.float64(np.nan), len(columns))
    impact = columns[IMPACT].to_numpy() if policy.impact is not None else nothing
    routes = _routes(policy, strictest(signals, len(columns)), signals, draws, impact)
    return replace(routes, used=counted(stand, columns, versions, routes.route)) if stand.budgets else routes


def consequences_of(policy: Policy, columns: pd.DataFrame) -> npt.NDArray[np.object_]:
    """The consequence of each row, by the first clause that fits it; None where the policy has no clauses.

    Where a missing value leaves several open, or the risk model gave no score, it is the strictest of them by
    the matrix.
    """
    return _names(policy, columns, list(_clauses(policy, columns)))


def _names(policy: Policy, columns: pd.DataFrame, clauses: Sequence[_Clause]) -> npt.NDArray[np.object_]:
    ranks = _ranks(policy)
    words = np.array([*(name for name, *_ in clauses), None], dtype=object)
    chosen = np.full(len(columns), len(clauses), dtype=np.int16)
    taken = np.full(len(columns), -1, dtype=np.int16)
    for place, (name, sure, doubt, _) in enumerate(clauses):
        rows = (sure | doubt) & (taken < ranks[name])
        np.copyto(chosen, place, where=rows)
        np.copyto(taken, ranks[name], where=rows)
    return words[chosen]


def _ranks(policy: Policy) -> dict[str, int]:
    """Consequence → how strict it is, by its cells of the matrix; from 0, alike ones share a rank."""
    demanded = {
        name: tuple(sorted(map(policy.level, cells), reverse=True)) for name, cells in policy.matrix.items()
    }
    order = sorted(set(demanded.values()))
    return {name: order.index(levels) for name, levels in demanded.items()}


def _risk(policy: Policy, columns: pd.DataFrame, clauses: Sequence[_Clause]) -> Iterator[Signal]:
    sure = maybe = np.zeros(len(columns), dtype=bool)
    if policy.irreversible is not None:
        sure, maybe = judge(policy.irreversible, columns)
        yield from _doubts(maybe & ~sure, "irreversible", attributes_of(policy.irreversible))
    if policy.risk_model is not None and not policy.consequences:
        closed = policy.closed_route
        yield Signal(policy.level(closed), f"risk has no score → {closed}", unscored(policy, columns))
    for name, fits, doubt, reads in clauses:
        yield from _doubts(doubt, f"consequence {name}", reads)
        rows = fits | doubt
        for least, way, goes in zip(
            policy.matrix[name], ("reversible", "irreversible"), (rows & ~sure, rows & maybe), strict=True
        ):
            yield Signal(policy.level(least), f"matrix: {name}, {way} → {least}", goes)


def _clauses(policy: Policy, columns: pd.DataFrame) -> Iterator[_Clause]:
    """Each clause with the rows it is surely the first to fit, and those that it may fit, by missing values.

    The strictest clause may fit wherever the risk model gave no score.
    """
    unsure, ranks = unscored(policy, columns), _ranks(policy)
    worst = max(ranks, key=lambda name: ranks[name], default=None)
    remaining = np.ones(len(columns), dtype=bool)
    for clause in policy.consequences:
        sure = maybe = np.ones_like(remaining)
        reads: frozenset[str] = frozenset()
        if clause.when is not None:
            sure, maybe = judge(clause.when, columns)
            reads = attributes_of(clause.when)
        fits, doubt = remaining & sure, remaining & maybe & ~sure
        if clause.name == worst and unsure.any():
            doubt, reads = doubt | (unsure & ~fits), reads | {RISK}
        yield clause.name, fits, doubt, reads
        remaining = remaining & ~sure  # a clause in doubt does not keep later ones from being asked


def _doubts(rows: Mask, taken_as: str, reads: frozenset[str]) -> Iterator[Signal]:
    if rows.any():
        yield Signal(0, f"taken as {taken_as}: no value for {', '.join(sorted(reads))}", rows)


def _closed(policy: Policy, columns: pd.DataFrame) -> Iterator[Signal]:
    level = policy.level(policy.closed_route)
    if policy is CLOSED:
        yield Signal(level, "there is no policy → senior", np.ones(len(columns), dtype=bool))
    confidence = columns["confidence"].to_numpy(dtype=np.float64, na_value=np.nan)
    unusable = ~((confidence >= 0) & (confidence <= 1))
    yield Signal(level, f"the model gave no usable answer → {policy.closed_route}", unusable)


def _tiers(policy: Policy, columns: pd.DataFrame) -> Iterator[Signal]:
    usable = columns["confidence"].notna().to_numpy()
    covered = np.zeros(len(columns), dtype=bool)
    for level, plan in enumerate(policy.routes):
        if plan.tier is not None:  # a missing value never leads to less oversight, and always to more
            rows = usable & evaluate(plan.tier, columns, if_missing=not plan.automatic)
            covered |= rows
            yield Signal(level, f"confidence → {plan.name}", rows)
    if policy is not CLOSED:
        closed = policy.closed_route
        yield Signal(policy.level(closed), f"no confidence tier fits → {closed}", usable & ~covered)


def _rules(policy: Policy, columns: pd.DataFrame) -> Iterator[Signal]:
    remaining = np.ones(len(columns), dtype=bool)
    for rule in policy.rules:
        sure, maybe = judge(rule.when, columns)
        level, reason = policy.level(rule.route), f"rule: {rule.name} → {rule.route}"
        yield Signal(level, reason, sure & remaining)
        yield from doubtful(level, reason, maybe & ~sure & remaining, rule.when)
        remaining &= ~sure  # a rule in doubt does not keep later rules from being asked


def _checks(
    policy: Policy, columns: pd.DataFrame, levels: npt.NDArray[np.int64], checks: Mapping[str, Check]
) -> Iterator[Signal]:
    for level, plan in enumerate(policy.routes):
        if plan.otherwise is None:
            continue
        places = np.flatnonzero(levels == level)
        for name in plan.checks:
            said = ask_function(policy, name, columns.iloc[places], checks)
            passed = [answer is True or answer is np.True_ for answer in said.answers]
            failed = {"failed": ~np.array(passed, dtype=bool) & ~said.failed, **said.failures}
            for why, chosen in failed.items():
                rows = np.zeros(len(columns), dtype=bool)
                rows[places] = chosen
                yield Signal(policy.level(plan.otherwise), f"check {name} {why} → {plan.otherwise}", rows)


def _held_back(
    policy: Policy,
    columns: pd.DataFrame,
    levels: npt.NDArray[np.int64],
    guards: Guards,
    versions: Sequence[str],
    inputs: pd.DataFrame | None,
) -> Iterator[Signal]:
    if guards.nothing:
        return
    closed, names = policy.closed_route, [plan.name for plan in policy.routes]
    routes = [names[level] for level in levels.tolist()]
    for why, rows in closed_rows(guards, columns, inputs, versions, routes):
        yield Signal(policy.level(closed), f"{why} → {closed}", rows)


def _routes(
    policy: Policy,
    levels: npt.NDArray[np.int64],
    signals: Sequence[Signal],
    draws: npt.NDArray[np.float64] | None,
    impact: npt.NDArray[np.float64],
) -> Routes:
    names = np.array([plan.name for plan in policy.routes], dtype=object)
    rates = np.array([policy.review_rate(plan.name) for plan in policy.routes])
    people = np.array([plan.signatures for plan in policy.routes], dtype=np.int64)
    pi, signatures = rates[levels], people[levels]
    nobody = np.zeros(len(levels), dtype=bool)
    spot_check = nobody if draws is None else (signatures == 0) & (draws < pi)
    return Routes(
        route=names[levels],
        reasons=reasons_of(signals, len(levels)),
        pi=pi,
        spot_check=spot_check,
        signatures=np.where(spot_check, 1, signatures),
        impact=impact,
    )
