"""Exercises: questions whose answer is known, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.review.ticket import TicketKind


class Source(StrEnum):
    """Why a truth is known."""

    OUTCOME = "outcome"
    """The application reported what really happened."""
    ADJUDICATED = "adjudicated"
    UNANIMOUS = "unanimous"
    """Two people or more said the same, and nobody otherwise."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a decided case, and why that is known."""

    label: str
    source: Source


@dataclass(frozen=True, slots=True)
class Known:
    """A decided case whose truth is known.

    Attributes:
        decision: what the model said of it.
        case: the case.
        truth: what is true.
        seen_by: roster ids of those who answered any ticket about it.
    """

    decision: Decision
    case: Case
    truth: Truth
    seen_by: frozenset[str] = frozenset()

    @property
    def model_was_right(self) -> bool:
        """The model gave the true class."""
        return self.decision.label == self.truth.label


@dataclass(frozen=True, slots=True)
class Exercise:
    """What a ticket of ours asks though it is known. Kept apart from tickets: no desk ever holds it.

    Attributes:
        ticket_id: the ticket.
        kind: seed or calibration.
        decision_id: the decision it is made of.
        truth: the true class.
        suggestion: seed: the wrong class shown; calibration: what the model said, which is not shown.
        source: why the truth is known.
        meant_for: roster id of whom it was chosen for; None: whoever may answer.
        opened_at: when.
    """

    ticket_id: str
    kind: TicketKind
    decision_id: str
    truth: str
    suggestion: str
    source: Source
    meant_for: str | None
    opened_at: datetime


def truths(resolutions: Iterable[Resolution], outcomes: Mapping[str, str]) -> dict[str, Truth]:
    """Decision id → what is true of it, where that can be trusted. Pure.

    Trusted are a reported outcome, an adjudicator, and two people or more of whom none said otherwise. Where
    two of these contradict each other, nothing is known.

    Args:
        resolutions: those that stand; others than the trusted methods are passed over.
        outcomes: decision id → what really happened.
    """
    said: dict[str, dict[str, Source]] = {}
    for one in resolutions:
        if one.method is Method.ADJUDICATED:
            said.setdefault(one.decision_id, {})[one.label] = Source.ADJUDICATED
        elif one.method is Method.UNANIMOUS and len(set(one.reviewers)) > 1:
            said.setdefault(one.decision_id, {}).setdefault(one.label, Source.UNANIMOUS)
    for decision_id, label in outcomes.items():
        said.setdefault(decision_id, {})[label] = Source.OUTCOME
    return {name: Truth(*next(iter(one.items()))) for name, one in said.items() if len(one) == 1}


def known_cases(
    found: Mapping[str, Truth],
    decisions: Mapping[str, Decision],
    cases: Mapping[str, Case],
    seen: Mapping[str, Iterable[str]],
) -> Sequence[Known]:
    """Those of the truths whose decision has an answer, and whose case is there; by decision id."""
    return [
        Known(decisions[name], cases[decisions[name].case_id], truth, frozenset(seen.get(name, ())))
        for name, truth in sorted(found.items())
        if name in decisions and decisions[name].label and decisions[name].case_id in cases
    ]
