"""Whether the champion is still as good as was promised, before people have said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hitl_mlops.decisions.record import Decision
from hitl_mlops.kpis.definitions import people_said
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.statistics.label_free import label_free_accuracy
from hitl_mlops.statistics.rates import Rate


@dataclass(frozen=True, slots=True)
class EstimatePolicy:
    """When a drop is an alarm.

    Attributes:
        drop: how far below the promise the accuracy may fall, difference, in [0, 1).
        alpha: one minus the coverage of the interval; a look without a drop alarms in half of it at the most.
        recent: of how many of the latest decisions the estimate speaks, at the most.
        memory: among how many of the latest decisions labels are looked for; older ones tell of old times.
        at_least_labels: fewer tell nothing.
        at_least_decisions: fewer of the recent ones tell nothing.
    """

    drop: float = 0.02
    alpha: float = 0.05
    recent: int = 2_000
    memory: int = 20_000
    at_least_labels: int = 30
    at_least_decisions: int = 100


@dataclass(frozen=True, slots=True)
class EstimateCheck:
    """What one check found.

    Attributes:
        project: name of the project.
        alarm: the accuracy has fallen below the bound; somebody, or a flow, should act.
        figure: the estimated share of the recent decisions that are right, in [0, 1]; None where too few
            labels or decisions were there to tell.
        interval: in which that share will turn out to lie; None where there is no figure.
        bound: the promise less the drop that is allowed.
        labels: decisions of the π-sample that people resolved.
        decisions: recent decisions that the figure speaks of.
        reason: one sentence.
    """

    project: str
    alarm: bool
    figure: float | None
    interval: tuple[float, float] | None
    bound: float
    labels: int
    decisions: int
    reason: str


def check_estimate(
    project: str,
    decisions: Sequence[Decision],
    resolutions: Sequence[Resolution],
    *,
    promised: float,
    policy: EstimatePolicy | None = None,
) -> EstimateCheck:
    """The recent decisions' accuracy by confidence and spot checks, and whether it fell below the promise.

    An alarm asks that the whole interval lies below the bound. Looked at again and again, each look has its
    own chance of a false alarm; set `alpha` for the number of looks that one alarm is worth.

    Args:
        project: name of the project.
        decisions: of one model version, in the order in which they were made.
        resolutions: what people said of them; others and those of tickets drawn by outcome are passed over.
        promised: accuracy at its promotion, in [0, 1].
        policy: when a drop is an alarm.
    """
    rules = policy or EstimatePolicy()
    said = people_said(resolutions)
    recent = decisions[-rules.recent :]
    known = [one for one in decisions[-rules.memory :] if one.decision_id in said]
    found = label_free_accuracy(
        [one.confidence for one in recent],
        [one.confidence for one in known],
        [not said[one.decision_id].override for one in known],
        [one.pi for one in known],
        alpha=rules.alpha,
    )
    bound = promised - rules.drop
    if len(known) < rules.at_least_labels or len(recent) < rules.at_least_decisions or found.interval is None:
        reason = (
            f"Too few to tell: {len(known)} labels and {len(recent)} recent decisions; "
            f"{rules.at_least_labels} and {rules.at_least_decisions} are needed."
        )
        return EstimateCheck(project, False, None, None, bound, len(known), len(recent), reason)  # noqa: FBT003
    alarm = found.interval[1] < bound
    reason = _reason(found, found.interval, promised=promised, bound=bound, rules=rules)
    return EstimateCheck(
        project, alarm, found.value, found.interval, bound, found.reviewed, found.decisions, reason
    )


def _reason(
    found: Rate, interval: tuple[float, float], *, promised: float, bound: float, rules: EstimatePolicy
) -> str:
    low, high = interval
    word = "A drop" if high < bound else "No drop" if low >= bound else "No proven drop"
    return (
        f"{word}: about {found.value:.1%} of the latest {found.decisions} decisions are right "
        f"({1 - rules.alpha:.0%} interval {low:.1%} to {high:.1%}, {found.reviewed} labels); "
        f"{promised:.1%} was promised, alarm below {bound:.1%}."
    )
