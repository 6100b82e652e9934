"""Figures of each person who reviews. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from hitl_mlops.decisions.record import Decision
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.oversight.answered import Answered, by_person
from hitl_mlops.oversight.exercise import Exercise
from hitl_mlops.oversight.pace import Pace, pace
from hitl_mlops.oversight.policy import OversightPolicy
from hitl_mlops.review.ticket import SAMPLED, TicketKind
from hitl_mlops.statistics.catch_rate import stamping_e
from hitl_mlops.statistics.rates import Rate, rate


@dataclass(frozen=True, slots=True)
class SeedFigures:
    """What seeds say of somebody, since they were last talked to.

    Attributes:
        caught: share of the seeds whose suggestion they did not confirm.
        right: share of the seeds to which they gave the true class.
        e_value: evidence against "catches the promised share", the highest it ever was; 1 without seeds.
        suspected: it has reached one over the policy's alpha.
        caught_count: how many they caught.
    """

    caught: Rate
    right: Rate
    e_value: float
    suspected: bool
    caught_count: int

    @property
    def seen(self) -> int:
        """Seeds they answered."""
        return self.caught.reviewed


@dataclass(frozen=True, slots=True)
class CalibrationFigures:
    """How often somebody is right who is not shown what the model said.

    Attributes:
        where_model_right: of cases that the model got right.
        where_model_wrong: of cases that it got wrong.
        pull: how much less often they are right on cases that the model gets wrong when they are shown what
            it said (their seeds), in points of share; None without both.
    """

    where_model_right: Rate
    where_model_wrong: Rate
    pull: float | None


@dataclass(frozen=True, slots=True)
class ReviewerFigures:
    """How one person judges. Every share has its 95 % interval.

    Attributes:
        person: roster id.
        answers: answers in earnest that count.
        refused: answers that the screen refused and nobody released.
        escalated: share of the answers that they passed on.
        seeds: what secret seeds say.
        calibration: what blind exercises say.
        settled: share right of what others settled: an adjudicator, or two people beside them.
        spot_check_errors: share of automatic decisions that they would overrule, by their spot checks,
            weighted by 1/π.
        overrides: route → share of its suggestions that they did not confirm.
        pace: their time against that of others for cases as hard.
    """

    person: str
    answers: int
    refused: int
    escalated: Rate
    seeds: SeedFigures
    calibration: CalibrationFigures
    settled: Rate
    spot_check_errors: Rate
    overrides: Mapping[str, Rate]
    pace: Pace


@dataclass(frozen=True, slots=True)
class Seen:
    """What the figures rest on.

    Attributes:
        answers: what people answered, in the order it was seen.
        exercises: ticket id → what is known of it, for every exercise among them.
        decisions: decision id → decision, for those answered; a missing one is left out of what needs it.
        settled: decision id → what people say of it, for those with a resolution.
        refused: person → answers that the screen refused.
        counted_from: person → when they were last talked to; earlier seeds count no more.
    """

    answers: Sequence[Answered]
    exercises: Mapping[str, Exercise] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    settled: Mapping[str, Resolution] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    counted_from: Mapping[str, datetime] = field(default_factory=dict)


def reviewer_figures(
    seen: Seen, policy: OversightPolicy, people: Collection[str] = ()
) -> dict[str, ReviewerFigures]:
    """Person → figures, for everybody who answered or is named in `people`; by id."""
    theirs = by_person(seen.answers)
    paces = paces_of(seen)
    return {
        person: _figures(person, theirs.get(person, []), seen, policy, paces.get(person, Pace()))
        for person in sorted({*theirs, *people, *seen.refused})
    }


def paces_of(seen: Seen) -> dict[str, Pace]:
    """Person → their time against that of others, over timed answers that were shown a suggestion."""
    timed = [
        one
        for one in seen.answers
        if one.in_earnest and one.shown and one.seconds and one.decision_id in seen.decisions
    ]
    seconds = np.array([one.seconds for one in timed], dtype=float)
    difficulty = np.array([1 - seen.decisions[one.decision_id].confidence for one in timed], dtype=float)
    people = np.array([one.person for one in timed], dtype=object)
    return {person: pace(seconds, difficulty, people == person) for person in sorted(set(people.tolist()))}


def seeds_of(seen: Seen, policy: OversightPolicy) -> dict[str, SeedFigures]:
    """Person → what seeds say of them, for everybody who answered one."""
    theirs = by_person([one for one in seen.answers if one.ticket_id in seen.exercises])
    return {
        person: seed_figures(_exercised(given, seen), policy, seen.counted_from.get(person))
        for person, given in theirs.items()
    }


def seed_figures(
    given: Iterable[tuple[Answered, Exercise]], policy: OversightPolicy, since: datetime | None = None
) -> SeedFigures:
    """What the answers to seeds say, those given after `since`, in the order they were seen.

    A seed is caught by whoever does not confirm its suggestion, also by who gives another wrong class or
    passes it on. Whoever catches the policy's share or more is ever suspected with probability alpha at the
    most, in each count that begins anew.
    """
    counted = [
        (answer, exercise)
        for answer, exercise in given
        if exercise.kind is TicketKind.SEED and (since is None or answer.answered_at > since)
    ]
    caught = [answer.escalated or answer.label != exercise.suggestion for answer, exercise in counted]
    path = stamping_e(caught, promised=policy.catch_rate)
    highest = float(path.max())
    return SeedFigures(
        caught=_share(caught),
        right=_share([answer.label == exercise.truth for answer, exercise in counted]),
        e_value=round(highest, 4),
        suspected=highest >= 1 / policy.alpha,
        caught_count=sum(caught),
    )


def _figures(
    person: str, answers: Sequence[Answered], seen: Seen, policy: OversightPolicy, own: Pace
) -> ReviewerFigures:
    earnest = [one for one in answers if one.in_earnest]
    given = _exercised(answers, seen)
    seeds = seed_figures(given, policy, seen.counted_from.get(person))
    return ReviewerFigures(
        person=person,
        answers=len(earnest),
        refused=seen.refused.get(person, 0),
        escalated=_share([one.escalated for one in earnest]),
        seeds=seeds,
        calibration=_calibration(given, seeds),
        settled=_against_others(person, earnest, seen.settled),
        spot_check_errors=_spot_checks(earnest, seen.decisions),
        overrides=_by_route(earnest, seen.decisions),
        pace=own,
    )


def _exercised(answers: Iterable[Answered], seen: Seen) -> list[tuple[Answered, Exercise]]:
    return [(one, seen.exercises[one.ticket_id]) for one in answers if one.ticket_id in seen.exercises]


def _calibration(given: Iterable[tuple[Answered, Exercise]], seeds: SeedFigures) -> CalibrationFigures:
    blind = [(answer, one) for answer, one in given if one.kind is TicketKind.CALIBRATION]
    right, wrong = (
        _share([answer.label == one.truth for answer, one in blind if (one.suggestion == one.truth) is good])
        for good in (True, False)
    )
    known = wrong.value is not None and seeds.right.value is not None
    pull = round(float(wrong.value or 0.0) - float(seeds.right.value or 0.0), 6) if known else None
    return CalibrationFigures(right, wrong, pull)


def _against_others(person: str, answers: Iterable[Answered], settled: Mapping[str, Resolution]) -> Rate:
    right = []
    for one in answers:
        said = settled.get(one.decision_id)
        if said is None or one.label is None:
            continue
        others = set(said.reviewers) - {person}
        if len(others) > 1 or (said.method is Method.ADJUDICATED and others):
            right.append(one.label == said.label)
    return _share(right)


def _spot_checks(answers: Iterable[Answered], decisions: Mapping[str, Decision]) -> Rate:
    checked = [
        (one.label != decisions[one.decision_id].label, decisions[one.decision_id].pi)
        for one in answers
        if one.kind is TicketKind.SPOT_CHECK and one.label is not None and one.decision_id in decisions
    ]
    wrong, pi = [one for one, _ in checked], [one for _, one in checked]
    return rate(np.array(wrong, dtype=bool), np.array(pi, dtype=float), np.ones(len(checked), dtype=bool))


def _by_route(answers: Iterable[Answered], decisions: Mapping[str, Decision]) -> dict[str, Rate]:
    routes: dict[str, list[bool]] = {}
    for one in answers:
        if one.kind in SAMPLED and one.shown and one.label is not None and one.decision_id in decisions:
            routes.setdefault(decisions[one.decision_id].route, []).append(one.label != one.shown)
    return {route: _share(found) for route, found in sorted(routes.items())}


def _share(held: Sequence[bool]) -> Rate:
    """How often it held, with a 95 % interval; None without any."""
    ones = np.ones(len(held))
    return rate(np.array(held, dtype=bool), ones, ones.astype(bool))
