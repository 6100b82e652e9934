"""What the front door's calls give back where more than one room had a part in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hitl_mlops.audit.verify import Verification
    from hitl_mlops.decisions.intake import Refused
    from hitl_mlops.decisions.record import Decision
    from hitl_mlops.rollout.state import Evidence
    from hitl_mlops.rollout.step import Step


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a table of cases.

    Attributes:
        decisions: one per case that was accepted, in the table's order.
        refused: rows that went to the quarantine, with their reasons.
        known: how many of the decisions had been made before.
        tickets: how many questions to people were opened.
    """

    decisions: tuple[Decision, ...]
    refused: tuple[Refused, ...]
    known: int
    tickets: int


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a rollout: what was decided, and on what evidence; both None where none is live."""

    step: Step | None
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class TrailCheck:
    """What a verification found.

    Attributes:
        trail: the trail against its checkpoints.
        changed: stored decisions that are not what the trail says, a sentence for each entry.
    """

    trail: Verification
    changed: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return self.trail.sound and not self.changed
