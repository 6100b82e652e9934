"""Whether somebody is there to answer what the policy asks."""

from __future__ import annotations

from collections.abc import Iterator

from hitl_mlops.review.roster import RUNGS, Roster
from hitl_mlops.routing.finding import Finding, Severity
from hitl_mlops.routing.policy import Policy


def unstaffed(policy: Policy, roster: Roster) -> Iterator[Finding]:
    """What is asked of people whom the roster does not have, one finding a skill; or that there is no roster.

    A ticket that nobody may answer waits until its last timer.
    """
    if policy.section("review").get("calibration", {}).get("per_week") and not roster.people:
        yield Finding(
            Severity.INFO,
            None,
            "review.calibration asks each person of the roster, and reviewers.yaml lists nobody.",
            "List the people in reviewers.yaml.",
        )
    wanted: dict[str, int | None] = {}
    for skill, line in _skills(policy):
        wanted.setdefault(skill, line)
    if wanted and not roster.people:
        yield Finding(
            Severity.INFO,
            next(iter(wanted.values())),
            "reviewers.yaml lists nobody, so that everybody on the desk may answer and no skill is compared.",
            "List the people, with their skills and tiers, in reviewers.yaml.",
        )
        return
    for skill, line in wanted.items():
        if not roster.able(skill):
            yield Finding(
                Severity.WARNING,
                line,
                f"Nobody in reviewers.yaml has the skill {skill!r}: answers to such tickets are refused.",
                f"Give somebody skills: [{skill}]" + (f", or tier: {skill}." if skill in RUNGS else "."),
            )


def _skills(policy: Policy) -> Iterator[tuple[str, int | None]]:
    for plan in policy.routes:
        for key, skills in (("skill", (plan.skill,)), ("stages", plan.stages)):
            for skill in skills:
                if skill is not None:
                    yield skill, policy.lines.get(f"routes.{plan.name}.{key}")
    routes = {plan.name for plan in policy.routes}
    for place, step in enumerate(policy.escalation):
        if step.to is not None and step.to not in routes:
            yield step.to, policy.lines.get(f"escalation[{place}]")
