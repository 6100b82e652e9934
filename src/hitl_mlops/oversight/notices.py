"""What oversight brings before a person: somebody may stamp, or people do not agree on a class. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hitl_mlops.ids import content_id, instant
from hitl_mlops.oversight.agreement import Both
from hitl_mlops.oversight.policy import OversightPolicy
from hitl_mlops.oversight.reviewers import SeedFigures
from hitl_mlops.statistics.agreement import alpha_by_class

CASES_KEPT = 200
"""So many of the latest cases that differ stand with an issue."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A person's word that something is done: who, why, when."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Seeds speak against somebody. It accuses nobody: a person talks to them.

    Attributes:
        suspicion_id: its id.
        person: roster id.
        at: when it was noticed.
        seeds: seeds they had answered.
        caught: how many of them they caught.
        e_value: the evidence then.
        closed: who talked to them, and what came of it; None before that.
    """

    suspicion_id: str
    person: str
    at: datetime
    seeds: int
    caught: int
    e_value: float
    closed: Closing | None = None


@dataclass(frozen=True, slots=True)
class GuidelineIssue:
    """People do not agree on a class: its guideline needs a look.

    Attributes:
        issue_id: its id.
        label: the class.
        alpha: Krippendorff's alpha of "this class, or another".
        low: lower end of its 95 % interval.
        high: upper end, which lay below what the policy demands.
        cases: cases to which one of two gave the class.
        decision_ids: of those, the latest on which they differ.
        opened_at: when.
        closed: who closed it, and why; None while it is open.
    """

    issue_id: str
    label: str
    alpha: float
    low: float
    high: float
    cases: int
    decision_ids: tuple[str, ...]
    opened_at: datetime
    closed: Closing | None = None


def new_suspicions(
    figures: Mapping[str, SeedFigures], kept: Iterable[Suspicion], now: datetime
) -> list[Suspicion]:
    """Those whom seeds speak against and of whom nobody knows yet; one at a time for each person."""
    known = {one.person for one in kept if one.closed is None}
    return [
        Suspicion(
            suspicion_id=content_id("sus", [person, instant(now)]),
            person=person,
            at=now,
            seeds=one.seen,
            caught=one.caught_count,
            e_value=one.e_value,
        )
        for person, one in sorted(figures.items())
        if one.suspected and person not in known
    ]


def counted_from(kept: Iterable[Suspicion]) -> dict[str, datetime]:
    """Person → when they were last talked to: their seeds count from then on."""
    found: dict[str, datetime] = {}
    for one in kept:
        if one.closed is not None:
            found[one.person] = max(one.closed.at, found.get(one.person, one.closed.at))
    return found


def new_issues(
    both: Sequence[Both], kept: Iterable[GuidelineIssue], policy: OversightPolicy, now: datetime
) -> list[GuidelineIssue]:
    """Classes on which people are proven to agree less than the policy demands, and no issue is open.

    What was answered before an issue of the class was closed counts no more: the guideline was another.
    """
    if policy.agreement is None:
        return []
    kept = list(kept)
    still_open = {one.label for one in kept if one.closed is None}
    closed: dict[str, datetime] = {}
    for one in kept:
        if one.closed is not None:
            closed[one.label] = max(one.closed.at, closed.get(one.label, one.closed.at))
    found = _low(both, policy, set(closed) | still_open, now)
    for label, at in sorted(closed.items()):
        if label not in still_open:
            later = [one for one in both if one.at > at]
            found += [one for one in _low(later, policy, set(), now) if one.label == label]
    return sorted(found, key=lambda one: one.label)


def _low(
    both: Sequence[Both], policy: OversightPolicy, apart: set[str], now: datetime
) -> list[GuidelineIssue]:
    found = []
    for name, one in alpha_by_class([each.labels for each in both]).items():
        label = str(name)
        if label in apart or one.value is None or one.low is None or one.high is None:
            continue
        if one.units < policy.agreement_cases or one.high >= (policy.agreement or 0.0):
            continue
        differ = [each.decision_id for each in both if each.differ and label in each.labels]
        found.append(
            GuidelineIssue(
                issue_id=content_id("issue", [label, instant(now)]),
                label=label,
                alpha=one.value,
                low=one.low,
                high=one.high,
                cases=one.units,
                decision_ids=tuple(dict.fromkeys(reversed(differ)))[:CASES_KEPT],
                opened_at=now,
            )
        )
    return found
