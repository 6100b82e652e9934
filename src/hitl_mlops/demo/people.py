"""The demo's people: simulated, as the demo says; its reviewers know the digit and err on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hitl_mlops.servers.mlflow_accounts import PIPELINE
from hitl_mlops.servers.mlflow_people import People


@dataclass(frozen=True, slots=True)
class SimulatedReviewer:
    """A program that answers tickets as a person of known quality would.

    Attributes:
        person_id: id on the roster.
        account: log-in in Label Studio.
        name: how the demo calls them.
        error_rate: share of answers with a wrong digit, in [0, 1].
        seconds: median time per answer that they report, in seconds.
        turns: how many tickets of every round they take.
        stamps: accepts whatever the model says.
    """

    person_id: str
    account: str
    name: str
    error_rate: float
    seconds: float
    turns: int = 2
    stamps: bool = False


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """What a simulated reviewer types.

    Attributes:
        label: the digit chosen.
        rationale: the written reason.
        reason_code: the code picked.
        seconds: the time reported.
    """

    label: str
    rationale: str
    reason_code: str
    seconds: float


TEAM = (
    SimulatedReviewer("r1", "ada@demo.example", "Ada", 0.01, 4.0),
    SimulatedReviewer("r2", "ben@demo.example", "Ben", 0.03, 6.0),
    SimulatedReviewer("r3", "cleo@demo.example", "Cleo", 0.05, 9.0),
    SimulatedReviewer("r4", "dan@demo.example", "Dan", 0.08, 5.0),
    SimulatedReviewer("r5", "eve@demo.example", "Eve", 0.0, 1.5, turns=1, stamps=True),
)
ROUND = tuple(one for turn in range(2) for one in TEAM if one.turns > turn)
"""Who takes which ticket, in turn; nobody stands beside themselves, so that two signatures are two people."""
MANAGER, TRAINER = "fay", "gus"
"""Accounts in MLflow: the release manager, and an engineer who trains models."""
MLFLOW_PEOPLE = People({"release-managers": (MANAGER,), "trainers": (TRAINER,), "pipeline": (PIPELINE,)})


def answer(
    reviewer: SimulatedReviewer, truth: str, model_label: str | None, rng: np.random.Generator
) -> SimulatedAnswer:
    """What this reviewer says of a ticket.

    Args:
        reviewer: who is asked.
        truth: the digit that was written.
        model_label: what the page shows of the model; None on a blind ticket, where nobody can stamp.
        rng: chance.
    """
    seconds = float(np.round(reviewer.seconds * np.exp(rng.normal(0, 0.4)), 1))
    if reviewer.stamps and model_label is not None:
        return SimulatedAnswer(model_label, "looks fine", "agree", seconds)
    wrong = rng.random() < reviewer.error_rate
    others = [str(digit) for digit in range(10) if str(digit) != truth]
    label = str(rng.choice(others)) if wrong else truth
    if label == model_label:
        return SimulatedAnswer(label, f"I read a {label} too", "agree", seconds)
    shown = f", not a {model_label}" if model_label is not None else ""
    return SimulatedAnswer(label, f"I read a {label}{shown}", "wrong_class", seconds)
