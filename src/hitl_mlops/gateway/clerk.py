"""Between the wire and the project: rows become a table, decisions and refusals become answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hitl_mlops.decisions.intake import needed_columns
from hitl_mlops.decisions.record import Decision
from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import InputError, NotFoundError, ServiceDownError
from hitl_mlops.gateway.batcher import Row
from hitl_mlops.gateway.wire import Declined, State, Told
from hitl_mlops.ids import instant
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.project import Project


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
        import pandas as pd

        frame = pd.DataFrame(list(rows), dtype=object)
        try:
            made = self.project.decide(frame, strict=strict)
        except NotFoundError as error:  # nothing that whoever asked could mend
            raise ServiceDownError(error.fact, remedy=error.remedy) from error
        refused = {one.place - 1: one for one in made.refused}
        decisions = iter(made.decisions)
        return [
            Declined(case_id=refused[place].case_id, reasons=list(refused[place].reasons))
            if place in refused
            else told(next(decisions), None)
            for place in range(len(rows))
        ]

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
        parts = self.project.parts
        return told(parts.log.get(decision_id), parts.answers.resolution_of(decision_id))


def told(decision: Decision, resolution: Resolution | None) -> Told:
    """The decision as the application hears of it.

    What people decided holds; until then the model's word, where the policy releases it. A spot check looks
    like any released decision, so that nobody treats those who are checked otherwise.
    """
    waits = decision.to_review and not decision.spot_check
    state = State.RESOLVED if resolution else State.WITH_PEOPLE if waits else State.RELEASED
    label = resolution.label if resolution else None if waits else decision.label
    return Told(
        decision_id=decision.decision_id,
        case_id=decision.case_id,
        state=state,
        act=state is not State.WITH_PEOPLE,
        label=label,
        suggestion=decision.label or None,
        confidence=decision.confidence,
        probabilities=dict(decision.probabilities),
        route=decision.route,
        reasons=list(decision.reasons),
        model_version=decision.model_version,
        model_digest=decision.model_digest,
        policy_hash=decision.policy_hash,
        decided_at=instant(decision.at),
        resolved_at=instant(resolution.resolved_at) if resolution else None,
    )
