"""Between the wire and the project: rows become a table, decisions and refusals become answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hitl_mlops.decisions.intake import needed_columns
from hitl_mlops.decisions.record import Decision
from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import InputError, NotFoundError, ServiceDownError
from hitl_mlops.gateway.batcher import Row
from hitl_mlops.gateway.wire import Declined, Told
from hitl_mlops.ids import instant
from hitl_mlops.outcomes import Decided
from hitl_mlops.project import Project
from hitl_mlops.recourse.standing import Standing, State, standing

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Clerk:
    """What the service does with one project."""

    project: Project

    @property
    def task(self) -> Task:
        """The shape of a case."""
        return self.project.parts.task

    def check_columns(self, rows: Sequence[Row]) -> None:
        """Every row brings every column, so that a request is judged alike whoever shares its batch.

        Raises:
            InputError: a column is missing from a row; `data["missing"]` names all.
        """
        needed = needed_columns(self.task)
        for place, row in enumerate(rows):
            missing = [name for name in needed if name not in row]
            if missing:
                raise InputError(
                    f"Case {place} has no {', '.join(missing)}.",
                    remedy="Send every column that hitl.yaml names; null where a value is missing.",
                    missing=missing,
                )

    def ids_of(self, rows: Sequence[Row]) -> list[str]:
        """The case ids that the rows bring; none where they are made of the contents."""
        name = self.task.id
        return [] if name is None else [str(row[name]).strip() for row in rows]

    def decide(self, rows: Sequence[Row], strict: bool) -> list[Told | Declined]:
        """An answer for each row, in their order; what is answered is kept.

        Raises:
            InputError: a column is missing, or `strict` and a row was refused: then nothing is kept.
            ServiceDownError: there is no champion yet, or a service that is needed is down.
        """
        frame = self._table(rows)
        try:
            made = self.project.decide(frame, strict=strict)
        except NotFoundError as error:  # nothing that whoever asked could mend
            raise ServiceDownError(error.fact, remedy=error.remedy) from error
        refused = {one.place - 1: one for one in made.refused}
        stands = self._each(made)
        return [
            Declined(case_id=refused[place].case_id, reasons=list(refused[place].reasons))
            if place in refused
            else told(*next(stands))
            for place in range(len(rows))
        ]

    def _table(self, rows: Sequence[Row]) -> pd.DataFrame:
        """The rows as they were sent; what else they bring than is needed may be a million columns."""
        import numpy as np
        import pandas as pd

        needed = needed_columns(self.task)
        cells = np.empty((len(rows), len(needed)), dtype=object)
        for place, row in enumerate(rows):
            cells[place] = [row[name] for name in needed]
        return pd.DataFrame(cells, columns=list(needed), dtype=object)

    def standings(self, decisions: Sequence[Decision]) -> dict[str, Standing]:
        """Decision id → how it stands now."""
        return self.project.recourse.standings(decisions)

    def deliver(self) -> Sequence[object]:
        """Callbacks that are due are tried; those that were."""
        return self.project.verbs.courier.deliver()

    def _each(self, made: Decided) -> Iterator[tuple[Decision, Standing]]:
        """Each decision as it stands; only one that was made before may have changed since."""
        known = self.standings(made.decisions) if made.known else {}
        for one in made.decisions:
            yield one, known.get(one.decision_id) or standing(one, None, None)

    def ready(self) -> str:
        """Version of the champion that would answer now.

        Raises:
            ServiceDownError: no case would be decided now; the fact says why.
        """
        try:
            serving, _ = self.project.serving(), self.project.parts.policy
        except NotFoundError as error:
            raise ServiceDownError(error.fact, remedy=error.remedy) from error
        return serving.champion.version

    def look_up(self, decision_id: str) -> Told:
        """The decision as it stands now.

        Raises:
            NotFoundError: there is none of that id.
        """
        return told(*self.find(decision_id))

    def find(self, decision_id: str) -> tuple[Decision, Standing]:
        """The decision and how it stands now; raises NotFoundError."""
        decision = self.project.recourse.decision(decision_id)
        return decision, self.project.recourse.standing_of(decision)


def told(decision: Decision, stands: Standing) -> Told:
    """The decision as the application hears of it."""
    by_people = None if stands.since is None else instant(stands.since)
    until = decision.reversible_until
    return Told(
        decision_id=decision.decision_id,
        case_id=decision.case_id,
        state=stands.state,
        act=stands.act,
        label=stands.label,
        suggestion=decision.label or None,
        confidence=decision.confidence,
        probabilities=dict(decision.probabilities),
        route=decision.route,
        reasons=list(decision.reasons),
        model_version=decision.model_version,
        model_digest=decision.model_digest,
        policy_hash=decision.policy_hash,
        decided_at=instant(decision.at),
        intervention=decision.intervention,
        reversible_until=None if until is None else instant(until),
        resolved_at=by_people if stands.state is State.RESOLVED else None,
        rejected_at=by_people if stands.state is State.REJECTED else None,
        taken_back_at=by_people if stands.state in (State.HALTED, State.REVERSED) else None,
    )
