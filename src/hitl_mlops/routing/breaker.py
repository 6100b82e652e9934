"""The circuit breaker: when people overrule a model too often, its decisions go to people. Pure.

closed → open → half-open → closed, or open again for twice as long. While one is open or half-open nothing in
its scope is decided automatically (docs/adr/0010).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hitl_mlops.errors import RefusedError
from hitl_mlops.routing.conditions import Within
from hitl_mlops.routing.switches import EVERYTHING, Scope
from hitl_mlops.statistics.calibration import CalibrationGap, calibration_gap
from hitl_mlops.statistics.rates import Rate, rate

LONGEST_OPEN = timedelta(days=7)
"""Doubling stops here."""
DOUBT = 0.2
"""A breaker opens where the lower end of the 1 - DOUBT interval of a figure is beyond its bound."""
OVERRIDE_RATE, ERROR_RATE, CALIBRATION_GAP = "override_rate", "error_rate", "calibration_gap"


class BreakerState(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    """The policy decides."""
    OPEN = "open"
    """What would be automatic goes to people, for a time."""
    HALF_OPEN = "half_open"
    """It still does; what people say of it decides whether the breaker closes."""


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When breakers open, and how they close.

    Attributes:
        bounds: figure → the values at which it opens.
        window: how many of the latest answered decisions the figures are made of.
        at_least: with fewer nothing opens.
        per: `everything`, or what each value of which has a breaker: `model`, `label`, an attribute.
        opens_for: how long it is open at first.
        trial: how many answers on would-be automatic decisions a half-open one waits for.
    """

    bounds: Mapping[str, Within]
    window: int = 200
    at_least: int = 50
    per: str = EVERYTHING
    opens_for: timedelta = timedelta(minutes=30)
    trial: int = 20


@dataclass(frozen=True, slots=True)
class Breaker:
    """One breaker that was open at least once; others are closed.

    Attributes:
        breaker_id: `b1`, `b2` …, in the order they first opened.
        scope: which decisions it holds back.
        state: where it stands.
        since: since when.
        until: when it turns half-open; None where it is not open.
        counts_from: decisions made before this moment are no evidence any more.
        openings: how often it has opened in a row; 0 while closed.
        figures: what it was last judged by, figure → value.
        answers: how many answers those rest on.
    """

    breaker_id: str
    scope: Scope
    state: BreakerState
    since: datetime
    until: datetime | None
    counts_from: datetime
    openings: int
    figures: Mapping[str, float] = field(default_factory=dict)
    answers: int = 0

    @property
    def holds(self) -> bool:
        """Nothing in its scope is decided automatically."""
        return self.state is not BreakerState.CLOSED


@dataclass(frozen=True, slots=True)
class Seen:
    """One decision that people have answered.

    Attributes:
        at: when it was decided.
        scopes: the scopes it lies in.
        overridden: people differ from the model.
        failed: the model gave no usable answer, or its answer is known to have been wrong.
        confidence: of the model's answer, in [0, 1]; None where it gave none.
        pi: probability with which it was to be reviewed, in (0, 1].
        held_by: ids of the breakers without which it would have been automatic.
    """

    at: datetime
    scopes: frozenset[Scope]
    overridden: bool
    failed: bool
    confidence: float | None
    pi: float
    held_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of some answered decisions; a figure that nothing can be said about is left out.

    Attributes:
        values: figure → estimate over all decisions, each answered one counting 1/π.
        low: figure → lower end of its 80 % interval.
    """

    values: Mapping[str, float]
    low: Mapping[str, float]


def figures_of(seen: Sequence[Seen], names: Collection[str] = (OVERRIDE_RATE, ERROR_RATE)) -> Figures:
    """Those figures of all decisions, from the ones that were answered (Hájek, `statistics.rates`)."""
    found = {name: _MEASURES[name](seen) for name in names}
    return Figures(
        {name: one.value for name, one in found.items() if one.value is not None},
        {name: one.low for name, one in found.items() if one.low is not None},
    )


def _overridden(seen: Sequence[Seen]) -> Rate:
    return rate([one.overridden for one in seen], [one.pi for one in seen], [True] * len(seen), alpha=DOUBT)


def _failed(seen: Sequence[Seen]) -> Rate:
    return rate([one.failed for one in seen], [one.pi for one in seen], [True] * len(seen), alpha=DOUBT)


def _gap(seen: Sequence[Seen]) -> CalibrationGap:
    told = [(one.confidence, not one.overridden, 1 / one.pi) for one in seen if one.confidence is not None]
    sure, right, weights = zip(*told, strict=True) if told else ((), (), ())
    return calibration_gap(sure, right, weights, alpha=DOUBT)


_MEASURES: Mapping[str, Callable[[Sequence[Seen]], Rate | CalibrationGap]] = {
    OVERRIDE_RATE: _overridden,
    ERROR_RATE: _failed,
    CALIBRATION_GAP: _gap,
}


def first_opening(
    scope: Scope, breaker_id: str, seen: Sequence[Seen], rule: BreakerRule, now: datetime
) -> Breaker | None:
    """A breaker that opens for the first time; None while nothing speaks against the scope."""
    closed = Breaker(breaker_id, scope, BreakerState.CLOSED, now, None, _BEFORE_ALL, 0)
    after = stepped(closed, seen, rule, now)
    return after if after.holds else None


def stepped(breaker: Breaker, seen: Sequence[Seen], rule: BreakerRule, now: datetime) -> Breaker:
    """The breaker as it stands now; the same where nothing changes, as with too little evidence.

    It opens where a figure lies beyond its bound by more than chance, and closes where the plain figures of
    the trial do not.

    One call takes at most one step: an open one turns half-open first, whatever has been answered.

    Args:
        breaker: as it was kept.
        seen: answered decisions, in the order they were answered; those of other scopes do not count.
        rule: when it opens and closes.
        now: the time of the look.
    """
    own = [one for one in seen if breaker.scope in one.scopes and one.at >= breaker.counts_from]
    return _STEPS[breaker.state](breaker, own, rule, now)


def _look(breaker: Breaker, own: Sequence[Seen], rule: BreakerRule, now: datetime) -> Breaker:
    window = own[-rule.window :]
    if len(window) < rule.at_least:
        return breaker
    figures = figures_of(window, rule.bounds)
    return _opened(breaker, rule, now, figures.values, len(window)) if crossed(figures.low, rule) else breaker


def _wait(breaker: Breaker, own: Sequence[Seen], rule: BreakerRule, now: datetime) -> Breaker:
    del own, rule
    if breaker.until is None or now < breaker.until:
        return breaker
    begins = breaker.until
    return replace(breaker, state=BreakerState.HALF_OPEN, since=now, until=None, counts_from=begins)


def _try(breaker: Breaker, own: Sequence[Seen], rule: BreakerRule, now: datetime) -> Breaker:
    tried = [one for one in own if breaker.breaker_id in one.held_by]
    if len(tried) < rule.trial:
        return breaker
    figures = dict(figures_of(tried, rule.bounds).values)
    if ERROR_RATE in figures:  # what a model leaves unanswered is never automatic: the trial alone is blind
        figures |= figures_of(own, [ERROR_RATE]).values
    if crossed(figures, rule):
        return _opened(breaker, rule, now, figures, len(tried))
    return replace(_closed(breaker, now), figures=figures, answers=len(tried))


_STEPS: Mapping[BreakerState, Callable[[Breaker, Sequence[Seen], BreakerRule, datetime], Breaker]] = {
    BreakerState.CLOSED: _look,
    BreakerState.OPEN: _wait,
    BreakerState.HALF_OPEN: _try,
}
_BEFORE_ALL = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def crossed(figures: Mapping[str, float], rule: BreakerRule) -> tuple[str, ...]:
    """Names of the figures that lie where the rule opens."""
    return tuple(name for name, bound in rule.bounds.items() if name in figures and _in(figures[name], bound))


def _in(value: float, bound: Within) -> bool:
    return value > bound.low or (bound.low_included and value == bound.low)


def _opened(
    breaker: Breaker, rule: BreakerRule, now: datetime, figures: Mapping[str, float], answers: int
) -> Breaker:
    return replace(
        breaker,
        state=BreakerState.OPEN,
        since=now,
        until=now + open_for(rule, breaker.openings),
        counts_from=now,
        openings=breaker.openings + 1,
        figures=figures,
        answers=answers,
    )


def open_for(rule: BreakerRule, openings: int) -> timedelta:
    """How long it is open after so many openings in a row: twice as long each time, a week at the most.

    >>> str(open_for(BreakerRule({}), 2))
    '2:00:00'
    """
    longest = max(LONGEST_OPEN, rule.opens_for)
    doublings = min(openings, 60)
    return longest if rule.opens_for > longest / 2**doublings else rule.opens_for * 2**doublings


def _closed(breaker: Breaker, now: datetime) -> Breaker:
    return replace(breaker, state=BreakerState.CLOSED, since=now, until=None, counts_from=now, openings=0)


def reset(breaker: Breaker, now: datetime) -> Breaker:
    """The breaker is closed by a person's word; what was answered before counts no more.

    Raises:
        RefusedError: it is closed already.
    """
    if not breaker.holds:
        raise RefusedError(
            f"The breaker {breaker.breaker_id} has been closed since {breaker.since:%Y-%m-%d %H:%M} UTC.",
            remedy="Run `hitl breakers`: it shows what is open.",
            breaker_id=breaker.breaker_id,
        )
    return replace(_closed(breaker, now), figures={}, answers=0)
