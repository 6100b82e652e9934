"""Verdicts, each with the figure it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hitl_mlops.ids import canonical_json, instant, sha256_hex

NOT_ASKED = "not asked"
"""What a gate says whose subject the project does not declare."""


class Verdict(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate's word on one challenger.

    Attributes:
        name: the gate, `override_rate`, `drift`, …
        verdict: its word; no data is `inconclusive`, never `pass`.
        required: it must pass; otherwise it only warns.
        figure: the measured number, None where there is none.
        bound: what the figure was held against.
        interval: confidence interval of the figure, lower and upper.
        count: how many decisions, labels or columns it rests on.
        reason: one sentence for a release manager.
        details: further figures, JSON values.
        asked: the project declares what the gate looks at; else it has nothing to say, and passes nobody.
    """

    name: str
    verdict: Verdict
    required: bool
    figure: float | None
    bound: float | None
    interval: tuple[float, float] | None
    count: int
    reason: str
    details: Mapping[str, Any]
    asked: bool = True

    @property
    def says(self) -> str:
        """The verdict in a word; a gate that only warns never fails: it says `warn`."""
        if not self.asked and not self.required:
            return NOT_ASKED
        return "warn" if self.verdict is Verdict.FAIL and not self.required else self.verdict.value


@dataclass(frozen=True, slots=True)
class GateReport:
    """All gates on one challenger.

    Attributes:
        model_version: the challenger.
        model_digest: its bytes.
        champion: what it was compared with; None for the first.
        dataset_digest: what it learned from.
        policy_hash: the policy that set the bounds.
        results: every gate, required ones first.
        made_at: when.
    """

    model_version: str
    model_digest: str
    champion: str | None
    dataset_digest: str
    policy_hash: str
    results: tuple[GateResult, ...]
    made_at: datetime

    @property
    def verdict(self) -> Verdict:
        """Fail if a required gate failed, error if one erred, inconclusive if one is, else pass."""
        required = [result.verdict for result in self.results if result.required]
        for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE):
            if verdict in required:
                return verdict
        return Verdict.PASS if required else Verdict.INCONCLUSIVE

    @property
    def digest(self) -> str:
        """Content hash that an approval is bound to."""
        return "sha256:" + sha256_hex(canonical_json(self.to_dict()))

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "model_version": self.model_version,
            "model_digest": self.model_digest,
            "champion": self.champion,
            "dataset_digest": self.dataset_digest,
            "policy_hash": self.policy_hash,
            "made_at": instant(self.made_at),
            "verdict": self.verdict.value,
            "results": [
                {
                    "name": result.name,
                    "verdict": result.verdict.value,
                    "required": result.required,
                    "figure": result.figure,
                    "bound": result.bound,
                    "interval": list(result.interval) if result.interval else None,
                    "count": result.count,
                    "reason": result.reason,
                    "details": dict(result.details),
                    "asked": result.asked,
                }
                for result in self.results
            ],
        }
