"""Cases and what models said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hitl_mlops.routing.policy import Intervention


class Arm(StrEnum):
    """Which of the two live models answered."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class Case:
    """One input to decide.

    Attributes:
        case_id: the user's id; unique in the project.
        subject: whose data it is; equals `case_id` where the project names no subject.
        at: event time.
        inputs: what the model sees, column → value (JSON values).
        attributes: the kept columns beside the input, column → value (JSON values).
    """

    case_id: str
    subject: str
    at: datetime
    inputs: Mapping[str, Any]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a model version said of a case, and where the policy sent it.

    Attributes:
        decision_id: ours; stable for project and case, so that deciding again finds it.
        case_id: the case.
        subject: the case's subject.
        at: when it was decided.
        model_version: the registry's version.
        model_digest: content hash of the bytes that answered, `sha256:…`.
        arm: champion or challenger.
        label: the class answered; empty where the model gave no usable answer.
        confidence: probability of that class, in [0, 1]; 0 where there is no answer.
        probabilities: class → probability; sums to 1; empty where there is no answer.
        route: `auto`, `check`, or a review tier of the policy.
        reasons: every rule that fired, strictest first.
        policy_hash: content hash of the policy.
        pi: probability, fixed at routing, with which this decision was to be reviewed, in (0, 1].
        spot_check: an automatic decision drawn for secret review.
        signatures: how many distinct people must agree, 0 where nobody is asked.
        attributes: the kept columns of the case, for slices and the reviewer's page.
        intervention: when a person can still step in, by the route.
        reversible_until: until when it can be halted or taken back; None: not promised.
        impact: how much the case weighs by the policy, in [0, 1]; None where it does not say.
    """

    decision_id: str
    case_id: str
    subject: str
    at: datetime
    model_version: str
    model_digest: str
    arm: Arm
    label: str
    confidence: float
    probabilities: Mapping[str, float]
    route: str
    reasons: tuple[str, ...]
    policy_hash: str
    pi: float
    spot_check: bool
    signatures: int
    attributes: Mapping[str, Any]
    intervention: Intervention = Intervention.BEFORE
    reversible_until: datetime | None = None
    impact: float | None = None

    @property
    def to_review(self) -> bool:
        """A person is to see it, by route or by spot check."""
        return self.signatures > 0

    def alternatives(self, count: int = 3) -> tuple[tuple[str, float], ...]:
        """The likeliest classes beside the answer, with probabilities, likeliest first; ties by name."""
        others = [(name, p) for name, p in self.probabilities.items() if name != self.label]
        return tuple(sorted(others, key=lambda pair: (-pair[1], pair[0]))[:count])


@dataclass(frozen=True, slots=True)
class ShadowPrediction:
    """What the model that did not answer would have said of the same case.

    Attributes:
        decision_id: the decision it stands beside.
        model_version: the version that was asked in the shadow.
        model_digest: content hash of its bytes.
        label: the class it would have answered.
        confidence: probability of that class, in [0, 1].
    """

    decision_id: str
    model_version: str
    model_digest: str
    label: str
    confidence: float
