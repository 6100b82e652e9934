"""The figures of the loop, for all decisions though only some were reviewed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from hitl_mlops.audit.entry import Entry
from hitl_mlops.decisions.record import Decision
from hitl_mlops.kpis.learning import LearningFigures, learning_figures
from hitl_mlops.kpis.reviewing import ReviewingFigures, reviewing_figures
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.review.budget import TimedAnswer
from hitl_mlops.review.ticket import SAMPLED
from hitl_mlops.statistics.rates import Rate, rate


@dataclass(frozen=True, slots=True)
class WindowRate:
    """The override rate of one stretch of decisions.

    Attributes:
        start: time of its first decision.
        end: time of its last decision.
        rate: over all its decisions, weighted by 1/π.
    """

    start: datetime
    end: datetime
    rate: Rate


@dataclass(frozen=True, slots=True)
class LoopFigures:
    """What a team lead reads first.

    Attributes:
        decisions: how many were made.
        automatic: share that no person had to see before release, in [0, 1].
        reviewed: decisions of the π-sample that people resolved.
        overridden: of those, the ones in which people differed from the model.
        awaited: decisions that people were asked about and have not resolved; no figure counts them yet, so
            that the figures are those of the answered until this is 0.
        override_rate: over all decisions, weighted by 1/π.
        by_route: the same per route.
        by_version: the same per model version.
        learning: how often a model learns, how soon from an answer, and what labels gave back.
        reviewing: what reviewing takes, and what a corrected output costs.
    """

    decisions: int
    automatic: float
    reviewed: int
    overridden: int
    awaited: int
    override_rate: Rate
    by_route: Mapping[str, Rate]
    by_version: Mapping[str, Rate]
    learning: LearningFigures = field(default_factory=LearningFigures)
    reviewing: ReviewingFigures = field(default_factory=ReviewingFigures)


def people_said(resolutions: Sequence[Resolution]) -> dict[str, Resolution]:
    """Decision id → its resolution, of the tickets that were drawn with the stored π."""
    return {one.decision_id: one for one in resolutions if one.ticket_kind in SAMPLED}


def loop_figures(
    decisions: Sequence[Decision],
    resolutions: Sequence[Resolution],
    told: Sequence[Entry] = (),
    answers: Sequence[TimedAnswer] = (),
    cost_per_hour: float | None = None,
) -> LoopFigures:
    """The figures over these decisions, of the trainings told and of the answers; nothing gives zeros."""
    said = people_said(resolutions)
    seen = [said[one.decision_id] for one in decisions if one.decision_id in said]
    unattended = sum(not one.to_review or one.spot_check for one in decisions)
    return LoopFigures(
        decisions=len(decisions),
        automatic=unattended / len(decisions) if decisions else 0.0,
        reviewed=len(seen),
        overridden=sum(one.override for one in seen),
        awaited=sum((one.to_review or one.spot_check) and one.decision_id not in said for one in decisions),
        override_rate=override_rate(decisions, said),
        by_route=rates_by(decisions, said, lambda one: one.route),
        by_version=rates_by(decisions, said, lambda one: one.model_version),
        learning=learning_figures(told),
        reviewing=reviewing_figures(answers, resolutions, cost_per_hour),
    )


def override_rate(decisions: Sequence[Decision], said: Mapping[str, Resolution]) -> Rate:
    """Share of these decisions that people would overrule, with interval (statistics.rates)."""
    reviewed = np.array([one.decision_id in said for one in decisions], dtype=bool)
    overridden = np.array([one.decision_id in said and said[one.decision_id].override for one in decisions])
    pi = np.array([one.pi for one in decisions], dtype=float)
    return rate(overridden.astype(bool), pi, reviewed)


def rates_by(
    decisions: Sequence[Decision], said: Mapping[str, Resolution], group: Callable[[Decision], str]
) -> dict[str, Rate]:
    """The override rate within each group, by name."""
    groups: dict[str, list[Decision]] = {}
    for one in decisions:
        groups.setdefault(group(one), []).append(one)
    return {name: override_rate(members, said) for name, members in sorted(groups.items())}


def rates_over_time(
    decisions: Sequence[Decision], resolutions: Sequence[Resolution], *, per_window: int
) -> list[WindowRate]:
    """The override rate of each stretch of `per_window` decisions, in order; the last may be shorter."""
    said, ordered = people_said(resolutions), sorted(decisions, key=lambda one: (one.at, one.decision_id))
    stretches = [ordered[i : i + per_window] for i in range(0, len(ordered), per_window)]
    return [WindowRate(stretch[0].at, stretch[-1].at, override_rate(stretch, said)) for stretch in stretches]
