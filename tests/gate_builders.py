"""Evidence and reports for the tests of gates; each takes what it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from hitl_mlops.gates.evidence import (
    ChallengerEvidence,
    DataFacts,
    FixedSet,
    Footprint,
    JudgedCases,
    LabelQuality,
    ReviewerHealth,
)
from hitl_mlops.gates.report import GateReport, GateResult, Verdict
from hitl_mlops.statistics.agreement import Agreement

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
CLASSES = ("0", "1", "2")


def judged_cases(*, count=600, challenger_error=0.05, champion_error=0.25, seed=1, **changes):
    """Live decisions of three classes on two branches, all labelled, answered with the given error rates."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES, count).astype(object)
    return replace(
        JudgedCases(
            truth=truth,
            challenger=_answers(rng, truth, challenger_error),
            challenger_confidence=np.full(count, 1 - challenger_error),
            champion=_answers(rng, truth, champion_error),
            pi=np.ones(count),
            labelled=np.ones(count, dtype=bool),
            held_back=np.ones(count, dtype=bool),
            live=np.ones(count, dtype=bool),
            slices={"branch": rng.choice(["north", "south"], count).astype(object)},
        ),
        **changes,
    )


def _answers(rng, truth, error):
    wrong = rng.random(len(truth)) < error
    return np.where(wrong, np.roll(CLASSES, 1)[[CLASSES.index(one) for one in truth]], truth).astype(object)


def challenger_evidence(**changes):
    """A good challenger with all that a judge may ask for."""
    given = ChallengerEvidence(
        model_version="7",
        model_digest="sha256:" + "ab" * 32,
        champion="6",
        dataset_digest="sha256:" + "cd" * 32,
        classes=CLASSES,
        cases=judged_cases(),
        label_quality=LabelQuality(
            answers=200,
            quarantined=10,
            labels=180,
            reviewers=5,
            agreement=Agreement(0.8, 0.7, 0.9, 60),
            health=(ReviewerHealth(40, 2, 24, 2),) * 5,
        ),
        golden=FixedSet(np.zeros(50, dtype=bool), np.zeros(50, dtype=bool)),
        stress=FixedSet(np.zeros(20, dtype=bool), np.ones(20, dtype=bool)),
        data=DataFacts(
            {"amount": 0.4}, 0, 600, {"0": 900, "1": 900, "2": 900}, {"0": 800, "1": 800, "2": 850}
        ),
        footprint=Footprint(50, 2.0, 0.01, 400_000),
    )
    return replace(given, **changes)


def gate_result(**changes):
    given = GateResult(
        name="override_rate",
        verdict=Verdict.PASS,
        required=True,
        figure=-0.2,
        bound=0.01,
        interval=(-0.3, -0.1),
        count=600,
        reason="Error -20.0 points against the champion's.",
        details={},
    )
    return replace(given, **changes)


def gate_report(*results, **changes):
    given = GateReport(
        model_version="7",
        model_digest="sha256:" + "ab" * 32,
        champion="6",
        dataset_digest="sha256:" + "cd" * 32,
        policy_hash="sha256:" + "ef" * 32,
        results=results or (gate_result(),),
        made_at=NOON,
    )
    return replace(given, **changes)
