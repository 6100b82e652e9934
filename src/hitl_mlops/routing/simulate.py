"""A new policy on recorded history: what it would have asked of people, what let slip. Pure.

What is assumed:

- The model's answers stay as they were recorded; only the routes change.
- A person who was not asked would have judged as those do who were: each reviewed decision counts 1/π, with
  the π that was stored when it was made. Decisions that wait for their answer count as not reviewed.
- Slips are decisions that went out without a person and that people would overrule. One that a spot check
  finds afterwards is a slip all the same.
- The new policy's spot checks are drawn with the project's key, as they would have been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.errors import InputError
from hitl_mlops.routing.bounds import Costs
from hitl_mlops.routing.conditions import Mask
from hitl_mlops.routing.demands import expected_cost
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.route import Check, route
from hitl_mlops.routing.sampling import draws
from hitl_mlops.routing.workload import HourLoad, Queue, load_by_hour, work_off
from hitl_mlops.statistics.rates import Rate, difference, rate


@dataclass(frozen=True, slots=True)
class History:
    """Recorded decisions; every column of one length, in one order.

    Attributes:
        columns: what a policy may read of each: attributes, label, confidence (NaN: no answer), margin.
        case_ids: of their cases; the spot checks are drawn by them.
        at: when each was decided, aware.
        route: the route it took.
        signatures: how many people it asked, 1 for a spot check, 0 for none.
        spot_check: an automatic decision drawn for secret review.
        within_h: hours that people had; read only where some were asked.
        pi: probability, fixed at routing, with which it was to be reviewed, in (0, 1].
        reviewed: people have resolved it, and it was drawn with π.
        wrong: they overruled the model; read only where `reviewed`.
        versions: the model version that answered each; empty: not known.
    """

    columns: pd.DataFrame
    case_ids: Sequence[str]
    at: pd.DatetimeIndex
    route: npt.NDArray[np.object_]
    signatures: npt.NDArray[np.int64]
    spot_check: Mask
    within_h: npt.NDArray[np.float64]
    pi: npt.NDArray[np.float64]
    reviewed: Mask
    wrong: Mask
    versions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What the staff can do and what things cost; None: not asked about.

    Attributes:
        per_hour: reviews that the staff closes in an hour, > 0.
        minutes: time of one review, > 0.
        slip_cost: what one slip costs, in any unit, ≥ 0.
    """

    per_hour: float | None = None
    minutes: float | None = None
    slip_cost: float | None = None


@dataclass(frozen=True, slots=True)
class CostOutcome:
    """What the decisions cost by the policy's own amounts.

    Attributes:
        mistakes: sum over what went out without a person of (1 - confidence) times the cost of a mistake.
        unknown: how many of those went out with a cost or confidence that is not known; not in `mistakes`.
        reviews: answers that people were asked for, times what a review costs; None without that.
        above_budget: how many went out that were expected to cost more than the budget; None without one.
    """

    mistakes: float
    unknown: int
    reviews: float | None
    above_budget: int | None

    @property
    def total(self) -> float:
        """Mistakes and reviews together."""
        return self.mistakes + (self.reviews or 0.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came, or would have come, of the decisions under one policy.

    Attributes:
        decisions: route → how many took it.
        reviews: route → how many answers people were asked for, spot checks with them.
        spot_checks: automatic decisions that people saw all the same.
        by_hour: reviews by hour of the day.
        slips: share of all decisions that went out without a person and were wrong, with 95 % interval.
        expected_slips: the same in decisions: estimate, low, high; None where nothing was reviewed.
        queue: how the staff came through; None without `per_hour`.
        review_hours: working time of all reviews; None without `minutes`.
        slip_cost: of the expected slips; None without a cost, or where nothing was reviewed.
        costs: by the section `costs` of the new policy; None where it has none.
    """

    decisions: Mapping[str, int]
    reviews: Mapping[str, int]
    spot_checks: int
    by_hour: tuple[HourLoad, ...]
    slips: Rate
    expected_slips: tuple[float, float, float] | None
    queue: Queue | None
    review_hours: float | None
    slip_cost: float | None
    costs: CostOutcome | None = None


@dataclass(frozen=True, slots=True)
class Simulation:
    """The old policy beside the new one, on the same decisions.

    Attributes:
        policy_hash: of the new policy.
        decisions: how many there are.
        awaited: of those, the ones that people were asked about and have not resolved.
        since: time of the first one.
        until: time of the last one.
        old: as it was recorded.
        new: as it would have been.
        slips_change: new minus old share of slips, paired, with 95 % interval.
        moves: (old route, new route) → how many decisions, all pairs that occur.
        moved: how many change their route.
    """

    policy_hash: str
    decisions: int
    awaited: int
    since: datetime
    until: datetime
    old: Outcome
    new: Outcome
    slips_change: Rate
    moves: Mapping[tuple[str, str], int]
    moved: int


@dataclass(frozen=True, slots=True)
class _Course:
    """Routes of every decision, and what they ask; arrays of one length."""

    route: npt.NDArray[np.object_]
    signatures: npt.NDArray[np.int64]
    spot_check: Mask
    within_h: npt.NDArray[np.float64]

    @property
    def automatic(self) -> Mask:
        """Nobody had to see it before it went out."""
        return np.asarray((self.signatures == 0) | self.spot_check, dtype=np.bool_)


def simulate(
    history: History,
    policy: Policy,
    key: bytes,
    *,
    terms: Terms | None = None,
    checks: Mapping[str, Check] | None = None,
) -> Simulation:
    """What the new policy would have made of the recorded decisions; see the assumptions above.

    Args:
        history: the recorded decisions, at least one.
        policy: the new policy.
        key: the policy key of the project.
        terms: what the staff can do and what things cost.
        checks: the user's functions by name.

    Raises:
        InputError: nothing was recorded, or a term is not above 0.
        ConfigurationError: the new policy reads what was not recorded.
    """
    terms = terms or Terms()
    _demand(history, terms)
    routes = route(
        policy, history.columns, draws(key, history.case_ids), checks=checks, versions=history.versions
    )
    hours = {plan.name: plan.within / timedelta(hours=1) for plan in policy.routes}
    within_h = np.array([hours[name] for name in routes.route.tolist()])
    old = _Course(history.route, history.signatures, history.spot_check, history.within_h)
    new = _Course(routes.route, routes.signatures, routes.spot_check, within_h)
    moves = Counter(zip(old.route.tolist(), new.route.tolist(), strict=True))
    wrong, pi, reviewed = history.wrong, history.pi, history.reviewed
    return Simulation(
        policy_hash=policy.hash,
        decisions=len(history.at),
        awaited=int(((history.signatures > 0) & ~reviewed).sum()),
        since=history.at.min().to_pydatetime(),
        until=history.at.max().to_pydatetime(),
        old=replace(_outcome(history, old, terms), costs=_costs(history, old, policy.costs)),
        new=replace(_outcome(history, new, terms), costs=_costs(history, new, policy.costs)),
        slips_change=difference(new.automatic & wrong, old.automatic & wrong, pi, reviewed),
        moves=dict(moves.most_common()),
        moved=sum(count for (before, after), count in moves.items() if before != after),
    )


def margins(probabilities: Sequence[Mapping[str, float]]) -> npt.NDArray[np.float64]:
    """How far the likeliest class lies above the second; NaN where there is no answer.

    >>> margins([{"a": 0.75, "b": 0.25}, {}]).tolist()
    [0.5, nan]
    """
    ranked = [sorted(each.values(), reverse=True) for each in probabilities]
    return np.array([np.nan if not each else each[0] - sum(each[1:2]) for each in ranked], dtype=np.float64)


def _demand(history: History, terms: Terms) -> None:
    if not len(history.at):
        raise InputError(
            "There are no recorded decisions to try a policy on.",
            remedy="Decide some first: hitl decide FILE",
        )
    for name, value in (("per hour", terms.per_hour), ("minutes", terms.minutes)):
        if value is not None and not value > 0:
            raise InputError(f"{value:g} reviews {name} cannot be.", remedy="Give a number above 0.")
    if terms.slip_cost is not None and not terms.slip_cost >= 0:
        raise InputError(f"A slip cannot cost {terms.slip_cost:g}.", remedy="Give 0 or more.")


def _outcome(history: History, course: _Course, terms: Terms) -> Outcome:
    slips = rate(course.automatic & history.wrong, history.pi, history.reviewed)
    expected = _times(slips, len(history.at))
    names = course.route.tolist()
    reviews: Counter[str] = Counter()
    for name, count in zip(names, course.signatures.tolist(), strict=True):
        reviews[name] += count
    queue = None
    if terms.per_hour is not None:
        queue = work_off(history.at, course.signatures, course.within_h, per_hour=terms.per_hour)
    total = int(course.signatures.sum())
    return Outcome(
        decisions=dict(Counter(names).most_common()),
        reviews={name: count for name, count in reviews.most_common() if count},
        spot_checks=int(course.spot_check.sum()),
        by_hour=load_by_hour(history.at, course.signatures),
        slips=slips,
        expected_slips=expected,
        queue=queue,
        review_hours=None if terms.minutes is None else total * terms.minutes / 60,
        slip_cost=None if terms.slip_cost is None or expected is None else expected[0] * terms.slip_cost,
    )


def _costs(history: History, course: _Course, costs: Costs | None) -> CostOutcome | None:
    if costs is None:
        return None
    expected = expected_cost(costs, history.columns)[course.automatic]
    return CostOutcome(
        mistakes=float(np.nansum(expected)),
        unknown=int(np.isnan(expected).sum()),
        reviews=None if costs.review is None else costs.review * int(course.signatures.sum()),
        above_budget=None if costs.budget is None else int((expected > costs.budget).sum()),
    )


def _times(share: Rate, count: int) -> tuple[float, float, float] | None:
    if share.value is None or share.low is None or share.high is None:
        return None
    return count * share.value, count * share.low, count * share.high
