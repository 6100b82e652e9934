"""What whoever leads the team looks at: everybody's figures, agreement, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hitl_mlops.oversight.agreement import AgreementFigures, agreement_figures, answered_by_two
from hitl_mlops.oversight.exercise import Exercise, Source
from hitl_mlops.oversight.notices import GuidelineIssue, Suspicion
from hitl_mlops.oversight.policy import OversightPolicy
from hitl_mlops.oversight.reviewers import ReviewerFigures, Seen, reviewer_figures
from hitl_mlops.review.roster import Roster
from hitl_mlops.review.ticket import TicketKind


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A seed whose wrong suggestion somebody confirmed: a case to talk about."""

    person: str
    decision_id: str
    suggestion: str
    truth: str
    source: Source
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Team:
    """How a team judges.

    Attributes:
        at: when it was looked at.
        days: answers of so many days.
        people: roster id → figures; everybody who answered or is active on the roster.
        names: roster id → name as colleagues call them; those without one are missing.
        agreement: how far they agree.
        suspicions: those that are open.
        issues: guideline issues that are open.
        seeds_open: seeds of these days that nobody has answered yet.
        known_left: known cases that were no seed yet.
        seeds: seeds opened in these days.
        policy: what it was judged by.
        seen: what the figures rest on.
    """

    at: datetime
    days: int
    people: Mapping[str, ReviewerFigures]
    names: Mapping[str, str]
    agreement: AgreementFigures
    suspicions: tuple[Suspicion, ...]
    issues: tuple[GuidelineIssue, ...]
    seeds_open: int
    known_left: int
    seeds: int
    policy: OversightPolicy
    seen: Seen

    def name(self, person: str) -> str:
        """How the page calls them."""
        return self.names.get(person, person)


def team_figures(
    seen: Seen,
    policy: OversightPolicy,
    *,
    roster: Roster,
    suspicions: Sequence[Suspicion],
    issues: Sequence[GuidelineIssue],
    exercises: Iterable[Exercise],
    known_left: int,
    now: datetime,
    days: int,
) -> Team:
    """Everybody's figures.

    Args:
        seen: what people answered.
        policy: what the policy says of oversight.
        roster: whoever is active on it is listed, also without answers.
        suspicions: all there were.
        issues: all there were.
        exercises: those opened in these days.
        known_left: known cases that were no seed yet.
        now: when it is looked at.
        days: over how many days.
    """
    opened = [one.ticket_id for one in exercises if one.kind is TicketKind.SEED]
    answered = {one.ticket_id for one in seen.answers}
    return Team(
        at=now,
        days=days,
        people=reviewer_figures(seen, policy, [one.person_id for one in roster.people if one.active]),
        names={one.person_id: one.name for one in roster.people if one.name},
        agreement=agreement_figures(answered_by_two(seen.answers)),
        suspicions=tuple(one for one in suspicions if one.closed is None),
        issues=tuple(one for one in issues if one.closed is None),
        seeds_open=sum(one not in answered for one in opened),
        known_left=known_left,
        seeds=len(opened),
        policy=policy,
        seen=seen,
    )


def confirmed(team: Team, at_most: int = 10) -> list[Confirmed]:
    """The latest seeds that suspected people confirmed since they were last talked to; so many of each."""
    found: list[Confirmed] = []
    for person in sorted({one.person for one in team.suspicions}):
        since = team.seen.counted_from.get(person)
        theirs = [
            Confirmed(person, known.decision_id, known.suggestion, known.truth, known.source, one.answered_at)
            for one in team.seen.answers
            if one.person == person and (known := team.seen.exercises.get(one.ticket_id)) is not None
            if known.kind is TicketKind.SEED and one.label == known.suggestion
            if since is None or one.answered_at > since
        ]
        found += theirs[::-1][:at_most]
    return found


def next_step(team: Team, person: str) -> str:
    """What to do about somebody, in a sentence; the first of the reasons that hold."""
    one = team.people[person]
    suspected = one.seeds.suspected or person in {each.person for each in team.suspicions}
    unseen, has_none = one.seeds.seen == 0, team.seeds_open == 0 and team.known_left == 0
    steps = (
        (suspected, f"Talk to them, look at their answers; then hitl oversight clear {person} --reason …"),
        (0 < one.answers < one.refused, "Most of their answers are refused: see why (hitl quarantine list)."),
        (
            one.pace.fast,
            "Fast for how hard the cases are: they get more seeds. Nothing else follows from it.",
        ),
        (
            team.policy.seed_share == 0,
            "No seeds are asked for (review.seeds of policy.yaml): all is unknown.",
        ),
        (unseen and has_none, "No case is known for sure: report outcomes, or ask two people about some."),
        (unseen, "No seed answered yet: nothing is known."),
    )
    return next((said for holds, said in steps if holds), "Nothing.")
