"""What law, outputs, permissions and costs demand of each case, whatever the confidence tiers say. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.routing.bounds import Amount, Costs
from hitl_mlops.routing.conditions import Every, Not, OneOf, column_of, evaluate, judge, numbers_of
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.signals import Signal, doubtful


def demands(policy: Policy, columns: pd.DataFrame, versions: Sequence[str]) -> Iterator[Signal]:
    """Every demand of the sections regulation, outputs, actions and costs; none where they are absent."""
    yield from _regulation(policy, columns)
    yield from _outputs(policy, columns)
    if policy.actions is not None:
        yield from _not_permitted(policy, columns, versions)
    if policy.costs is not None:
        yield from _too_dear(policy, policy.costs, columns)


def _regulation(policy: Policy, columns: pd.DataFrame) -> Iterator[Signal]:
    for one in policy.regulation:
        sure, maybe = judge(one.when, columns)
        level, reason = policy.level(one.at_least), f"regulation: {one.title} → {one.at_least}"
        yield Signal(level, reason, sure)
        yield from doubtful(level, reason, maybe & ~sure, one.when)


def _outputs(policy: Policy, columns: pd.DataFrame) -> Iterator[Signal]:
    closed = policy.closed_route
    for label in policy.outputs.prohibited:
        rows = evaluate(OneOf("label", (label,)), columns)
        yield Signal(policy.level(closed), f"output: {label} is prohibited → {closed}", rows)
    for rule in policy.outputs.rules:
        to, broken = rule.route or closed, Every((*rule.when, Not(rule.must)))
        sure, maybe = judge(broken, columns)
        level, reason = policy.level(to), f"output: {rule.name} → {to}"
        yield Signal(level, reason, sure)
        yield from doubtful(level, reason, maybe & ~sure, broken)


def _not_permitted(policy: Policy, columns: pd.DataFrame, versions: Sequence[str]) -> Iterator[Signal]:
    """Rows whose class no permission names; in doubt there is no permission."""
    permitted = np.zeros(len(columns), dtype=bool)
    for one in policy.actions or ():
        rows = evaluate(OneOf("label", one.may), columns)
        if one.model:
            told = len(versions) == len(columns)
            rows &= np.isin(np.array(versions, dtype=str), one.model) if told else False
        if one.when is not None:
            rows &= evaluate(one.when, columns)
        permitted |= rows
    to = policy.mildest_with_people
    yield Signal(policy.level(to), f"action: nothing permits the model to carry this out → {to}", ~permitted)


def _too_dear(policy: Policy, costs: Costs, columns: pd.DataFrame) -> Iterator[Signal]:
    """Rows whose expected cost without people is above that of a review, or above the budget.

    Reviewing where the expected loss of acting is above the cost of asking is the least costly rule: Chow,
    On optimum recognition error and reject tradeoff, IEEE Trans. Inf. Theory 16 (1970); costs that differ
    by class and case: Elkan, The foundations of cost-sensitive learning, IJCAI 2001.
    """
    expected = expected_cost(costs, columns)
    answered = numbers_of(columns["confidence"])
    unknown = np.isnan(expected) & (answered >= 0) & (answered <= 1)
    level = policy.level(costs.route)
    for bound, name in ((costs.review, "that of a review"), (costs.budget, "the budget of a case")):
        if bound is not None:
            reason = f"cost: expected without people above {name}, {bound:g} → {costs.route}"
            yield Signal(level, reason, expected > bound)
    yield Signal(level, f"cost: what a mistake would cost is unknown → {costs.route}", unknown)


def expected_cost(costs: Costs, columns: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What carrying out each label is expected to cost: (1 - confidence) times the cost of a mistake.

    Takes the confidence for the probability that the label is right; the gate `calibration` watches over
    that. NaN where the confidence is unusable or the cost unknown.

    Args:
        costs: the section `costs`.
        columns: `confidence`, `label`, and the columns that hold amounts.
    """
    confidence = numbers_of(column_of(columns, "confidence"))
    usable = (confidence >= 0) & (confidence <= 1)
    return np.where(usable, 1.0 - confidence, np.nan) * cost_of_mistake(costs, columns)


def cost_of_mistake(costs: Costs, columns: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What it costs to carry out each row's label where it is wrong, ≥ 0; NaN where unknown."""
    found = _amounts(costs.wrong_default, columns)
    for label, amount in costs.wrong.items():
        rows = evaluate(OneOf("label", (label,)), columns)
        found = np.where(rows, _amounts(amount, columns), found)
    return np.where((found >= 0) & np.isfinite(found), found, np.nan)


def _amounts(amount: Amount | None, columns: pd.DataFrame) -> npt.NDArray[np.float64]:
    if amount is None:
        return np.full(len(columns), np.nan)
    if isinstance(amount, str):
        return numbers_of(column_of(columns, amount))
    return np.full(len(columns), float(amount))
