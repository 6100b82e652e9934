"""What the guardrails of a rollout are read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hitl_mlops.review.tickets import TicketBook
from hitl_mlops.rollout.guardrails import Breach, Guardrails, breaches
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Evidence, Rollout
from hitl_mlops.routing.breaker import Breaker
from hitl_mlops.routing.breaker_board import BreakerBoard
from hitl_mlops.routing.switch_board import SwitchBoard, read_standing
from hitl_mlops.routing.switches import frozen_by


@dataclass(frozen=True, slots=True)
class RolloutWatch:
    """Where it stands what keeps a challenger from more.

    Attributes:
        switches: what people have frozen.
        breakers: what has stopped itself.
        tickets: whether people keep up.
    """

    switches: SwitchBoard
    breakers: BreakerBoard
    tickets: TicketBook

    def guardrails(self, rollout: Rollout, now: datetime) -> Guardrails:
        """What stands beside the evidence now; what cannot be read holds."""
        late, asked = self.tickets.late_since(rollout.started_at, now)
        return Guardrails(frozen_by(read_standing(self.switches)), self._not_closed(), late, asked)

    def breaches(
        self, rollout: Rollout, evidence: Evidence, policy: RolloutPolicy, now: datetime
    ) -> tuple[Breach, ...]:
        """The guardrails that do not hold now; asks no server."""
        return breaches(rollout, evidence, self.guardrails(rollout, now), policy)

    def _not_closed(self) -> Sequence[Breaker] | None:
        try:
            return tuple(self.breakers.standing())
        except Exception:  # noqa: BLE001 - whatever keeps the breakers from being read, no challenger advances
            return None
