"""What the front door's calls give back where more than one room had a part in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

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

    def to_frame(self) -> pd.DataFrame:
        """One row for each row of the table, in its order: the columns of `hitl decide --out`.

        A refused row has the status `refused`, and its reasons.
        """
        import pandas as pd

        from hitl_mlops.decisions.result_file import COLUMNS, result_row

        refused = {one.place: one for one in self.refused}
        decided = iter(self.decisions)
        rows: list[dict[str, Any]] = []
        for place in range(1, len(self.decisions) + len(self.refused) + 1):
            if place in refused:
                one = refused[place]
                rows.append({"case_id": one.case_id, "status": "refused", "reasons": list(one.reasons)})
            else:
                rows.append(result_row(next(decided), {}))
        return pd.DataFrame(rows, columns=list(COLUMNS))


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
