"""A project that watches itself, and people whose answers stand in its database at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from hitl_mlops.decisions.record import Decision
from hitl_mlops.ids import content_id
from hitl_mlops.overrides.decide import Settled, Step
from hitl_mlops.overrides.record import AnswerState, KeptAnswer, Method, Resolution
from hitl_mlops.project import Project
from hitl_mlops.review.answer import Answer
from hitl_mlops.review.ticket import TicketKind, ticket_id_of

WATCHED = """\
version: 1
routes:
  auto: {confidence: ">= 0.5"}
  senior: {confidence: "< 0.5", skill: senior}
spot_checks: {auto: 0.5}
guards:
  breaker: {override_rate: "> 0.25", window: 60, at_least: 10, opens_for: 30m, trial: 5}
"""
PER_BRANCH = WATCHED.replace("trial: 5", "trial: 5, per: branch")


def resolutions_of(decisions: Iterable[Decision], *, right: bool, at: datetime) -> list[Resolution]:
    """What people say of those that they were asked about: what the model said, or the other class."""
    found = []
    for one in decisions:
        if not one.to_review:
            continue
        kind = TicketKind.SPOT_CHECK if one.spot_check else TicketKind.REVIEW
        ticket = ticket_id_of(one.decision_id, kind)
        label = one.label if right else {"yes": "no"}.get(one.label, "yes")
        name = content_id("res", [ticket, label])
        found.append(
            Resolution(
                name, one.decision_id, ticket, kind.value, label, one.label, Method.SINGLE,
                (f"desk/{ticket}/1",), ("r1",), (None,), at,
            )
        )  # fmt: skip
    return found


def answer_all(project: Project, decisions: Iterable[Decision], *, right: bool) -> int:
    """People's answers to all that they were asked stand in the database; how many they were."""
    now = project.parts.clock()
    made = resolutions_of(decisions, right=right, at=now)
    project.parts.answers.write(Step(len(made), settled=Settled(tuple(made))), now)
    return len(made)


def flag(project: Project, decision: Decision, person: str = "r1") -> None:
    """An accepted answer says that the case breaks the rules."""
    now = project.parts.clock()
    kind = TicketKind.SPOT_CHECK if decision.spot_check else TicketKind.REVIEW
    ticket = ticket_id_of(decision.decision_id, kind)
    answer = Answer(
        desk="desk", annotation_id=f"{ticket}-{person}", revision="1", task_id=ticket, ticket_id=ticket,
        reviewer=f"{person}@x.org", edited_by=f"{person}@x.org", label=decision.label, verdict=None,
        rationale="it must not be decided so", reason_code="policy_violation", seconds=5.0,
        answered_at=now, skipped=False, payload_hash="0" * 64,
    )  # fmt: skip
    kept = KeptAnswer(answer.key, answer, AnswerState.ACCEPTED, (), person, now)
    project.parts.answers.write(Step(1, new=(replace(kept),)), now)
