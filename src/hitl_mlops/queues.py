"""Who has which ticket and until when, and what becomes of late ones, in one project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hitl_mlops.errors import HitlError
from hitl_mlops.reviewing import Reviewing
from hitl_mlops.verbs import Verbs

if TYPE_CHECKING:
    from hitl_mlops.queueing.escalate import Climbed, Escalator


@dataclass(frozen=True, slots=True)
class Queues:
    """The queue of one project."""

    verbs: Verbs

    def escalate(self, *, dry_run: bool = False) -> Climbed:
        """Late tickets stand where the ladder of the policy has them by now, and the desk shows it.

        Answers are collected first, so that no ticket climbs that somebody has answered. Where Label Studio
        is down, tickets climb all the same, and the desk is told next time.

        Raises:
            ConfigurationError: the policy is wrong: then nothing climbs.
            BusyError: the database is locked.
        """
        from hitl_mlops.queueing.escalate import Climbed

        now = self.verbs.parts.clock()
        escalator = self._escalator
        if dry_run:
            return Climbed(tuple(move for _, moves in escalator.due(now) for move in moves), dry_run=True)
        notes = self._collect()
        moves = escalator.climb(now)
        if escalator.moves.not_shown():
            notes += escalator.show(withdraw=not notes)
        return Climbed(tuple(moves), not_shown=len(escalator.moves.not_shown()), notes=tuple(notes))

    def _collect(self) -> list[str]:
        """All answers are in; else why not."""
        try:
            Reviewing(self.verbs).collect()
        except HitlError as error:
            return [f"Answers were not collected first. {error.fact}"]
        return []

    @property
    def _escalator(self) -> Escalator:
        from hitl_mlops.queueing.escalate import Escalator
        from hitl_mlops.queueing.ladder import ladder_of

        parts = self.verbs.parts
        return Escalator(
            ladder=ladder_of(parts.policy),
            tickets=parts.tickets,
            moves=parts.moves,
            answers=parts.answers,
            desk=parts.desk,
            trail=parts.trail,
            callbacks=parts.callbacks,
            database=parts.database,
            actor=self.verbs.actor,
        )
