"""The port of the decision log. Twin `log_in_memory`, real adapter `log_sql`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from hitl_mlops.decisions.record import Case, Decision, ShadowPrediction


class DecisionLog(Protocol):
    """Every decision ever made, with its case, kept before it is released."""

    def record(
        self,
        cases: Sequence[Case],
        decisions: Sequence[Decision],
        shadows: Sequence[ShadowPrediction] = (),
        *,
        salts: Sequence[bytes] = (),
    ) -> list[str]:
        """Keep cases, decisions and shadow predictions; answer the decision ids that were new.

        A decision id that is already there is left as it is, and so are its case and shadow. All or none.
        Joins an open transaction.

        Args:
            cases: the cases of the decisions.
            decisions: one for each case.
            shadows: what the model that did not answer said of them.
            salts: 32 secret bytes for each case, which keep its commitment from being guessed; drawn
                at random where not given.
        """
        ...

    def get(self, decision_id: str) -> Decision:
        """The decision; raises NotFoundError."""
        ...

    def many(self, decision_ids: Iterable[str]) -> dict[str, Decision]:
        """Decision id → decision, for those that are known."""
        ...

    def commitments(self, case_ids: Iterable[str]) -> dict[str, str]:
        """Case id → commitment, computed anew from the salt and body as they are stored now."""
        ...

    def case(self, case_id: str) -> Case:
        """The case; raises NotFoundError."""
        ...

    def cases(self, case_ids: Iterable[str]) -> dict[str, Case]:
        """Those of the cases that are known."""
        ...

    def decided(self, case_ids: Iterable[str]) -> dict[str, Decision]:
        """Case id → decision, for those already decided."""
        ...

    def decisions(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
    ) -> list[Decision]:
        """Decisions at or after `since` and before `until`, by time, then id."""
        ...

    def shadows(self, model_version: str) -> list[ShadowPrediction]:
        """What that version said in the shadow, by decision id."""
        ...

    def shadows_of(self, decision_ids: Iterable[str]) -> list[ShadowPrediction]:
        """What was said in the shadow of these decisions, by decision id, then version."""
        ...

    def quarantine(self, refused: Sequence[tuple[str, dict[str, Any], tuple[str, ...]]], at: datetime) -> int:
        """Keep cases that were refused before the model saw them: (case id, row, reasons).

        Answers how many were new: the same row refused again for the same reasons is kept once.
        """
        ...

    def quarantined(self) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
        """The refused cases, oldest first."""
        ...
