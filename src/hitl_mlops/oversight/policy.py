"""What the section `review` of the policy file says of oversight."""

from __future__ import annotations

from dataclasses import dataclass

from hitl_mlops.routing.policy import Policy
from hitl_mlops.statistics.catch_rate import ALARM_ALPHA, PROMISED

WHEN_FAST = 3.0
AT_LEAST = 0.6
CASES = 20


@dataclass(frozen=True, slots=True)
class OversightPolicy:
    """How people's judgement is looked at.

    Attributes:
        seed_share: secret cases with a wrong suggestion, as a share of the tickets; 0: none.
        catch_rate: share of them that a reviewer is to catch.
        alpha: the chance at the most that one who does is ever suspected.
        when_fast: so many times as many seeds for who answers faster than difficulty explains, ≥ 1.
        calibration_per_week: blind cases with a known answer for each active person; 0: none.
        agreement: least agreement on a class; None: no guideline issue is opened.
        agreement_cases: cases of a class that two answered, below which nothing is said.
        directed: tickets are handed to one person at a time (`review.claims`), so that an exercise can be
            meant for one; without it whoever finds it answers it.
    """

    seed_share: float = 0.0
    catch_rate: float = PROMISED
    alpha: float = ALARM_ALPHA
    when_fast: float = WHEN_FAST
    calibration_per_week: int = 0
    agreement: float | None = None
    agreement_cases: int = CASES
    directed: bool = False

    @property
    def asks(self) -> bool:
        """Exercises are opened."""
        return self.seed_share > 0 or self.calibration_per_week > 0


def oversight_policy(policy: Policy) -> OversightPolicy:
    """What the policy says, the rest as `docs/reference/policy-yaml.md` tells."""
    review = policy.section("review")
    seeds, agreement = review.get("seeds", {}), review.get("agreement")
    return OversightPolicy(
        seed_share=float(seeds.get("share", 0.0)),
        catch_rate=float(seeds.get("catch_rate", PROMISED)),
        alpha=float(seeds.get("alpha", ALARM_ALPHA)),
        when_fast=float(seeds.get("when_fast", WHEN_FAST)),
        calibration_per_week=int(review.get("calibration", {}).get("per_week", 0)),
        agreement=None if agreement is None else float(agreement.get("at_least", AT_LEAST)),
        agreement_cases=CASES if agreement is None else int(agreement.get("cases", CASES)),
        directed="claims" in review,
    )
