"""Who has which ticket and until when, and what becomes of late ones, in one project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from hitl_mlops.errors import HitlError, RefusedError
from hitl_mlops.reviewing import Reviewing
from hitl_mlops.verbs import Verbs

if TYPE_CHECKING:
    from hitl_mlops.queueing.escalate import Climbed, Escalator
    from hitl_mlops.queueing.handing import Handed, HandOut
    from hitl_mlops.review.claims import Claim
    from hitl_mlops.review.tickets import HeldStatus, QueueStatus


@dataclass(frozen=True, slots=True)
class Queues:
    """The queue of one project."""

    verbs: Verbs

    def escalate(self, *, dry_run: bool = False) -> Climbed:
        """Late tickets stand where the ladder of the policy has them by now, and the desk shows it.

        Where something is due, answers are collected first, so that no ticket climbs that somebody has
        answered. Where Label Studio is down, tickets climb all the same, and the desk is told next time.

        Raises:
            ConfigurationError: the policy is wrong: then nothing climbs.
            BusyError: the database is locked.
        """
        from hitl_mlops.queueing.escalate import Climbed

        now = self.verbs.parts.clock()
        escalator = self._escalator
        has_ladder = bool(escalator.ladder.rungs)
        due = tuple(move for _, moves in escalator.due(now) for move in moves)
        if dry_run:
            return Climbed(due, dry_run=True, has_ladder=has_ladder)
        notes = self._collect() if due or escalator.moves.not_shown() else []
        moves = escalator.climb(now)
        if escalator.moves.not_shown():
            notes += escalator.show()
        not_shown = len(escalator.moves.not_shown())
        return Climbed(tuple(moves), not_shown=not_shown, notes=tuple(notes), has_ladder=has_ladder)

    def hand_out(self, *, to: str | None = None, count: int | None = None) -> Handed:
        """Free tickets are handed out: to everybody, or to the one person who asks for work.

        Raises:
            RefusedError: the policy hands out nothing, or nobody is listed in reviewers.yaml.
            NotFoundError: nobody active on the roster has that id.
        """
        return self._hands.run(self.verbs.parts.clock(), to=to, count=count)

    def give_back(self, person: str, ticket_ids: Sequence[str] = ()) -> list[Claim]:
        """That person's claims on these tickets are over; where none is named, all of theirs.

        Raises:
            RefusedError: they do not have one of them, or nothing is handed out.
        """
        return self._hands.give_back(person, ticket_ids, self.verbs.parts.clock())

    @property
    def hands_out(self) -> bool:
        """Tickets are handed out: the policy says so, and there are people to have them."""
        from hitl_mlops.queueing.hand_out import claim_policy

        parts = self.verbs.parts
        return claim_policy(parts.policy) is not None and bool(parts.roster.people)

    def status(self) -> QueueStatus:
        """How the queue stands by lane, and who has what."""
        from hitl_mlops.review.ticket import TicketState

        parts, queue = self.verbs.parts, Reviewing(self.verbs).status()
        counts = parts.tickets.counts()
        expired = sum(many for (_, _, state), many in counts.items() if state is TicketState.EXPIRED)
        reminded = parts.moves.reminded()
        return replace(queue, people=self._held(), expired=expired, reminded=reminded)

    def _held(self) -> tuple[HeldStatus, ...]:
        from hitl_mlops.review.tickets import HeldStatus

        parts, now = self.verbs.parts, self.verbs.parts.clock()
        of: dict[str, list[Claim]] = {}
        for one in parts.claims.standing():
            if one.holds(now):
                of.setdefault(one.person, []).append(one)
        asked = {one.ticket_id for held in of.values() for one in held}
        late = {one.ticket_id for one in parts.tickets.by_ids(asked) if one.due_at < now}
        return tuple(
            HeldStatus(
                person,
                len(held),
                sum(one.ticket_id in late for one in held),
                min(one.until for one in held),
            )
            for person, held in sorted(of.items())
        )

    @property
    def _hands(self) -> HandOut:
        from hitl_mlops.queueing.hand_out import claim_policy
        from hitl_mlops.queueing.handing import HandOut

        parts = self.verbs.parts
        policy = claim_policy(parts.policy)
        if policy is None or not parts.roster.people:
            raise RefusedError(
                "Tickets are not handed out here: everybody answers what they find.",
                remedy="Add `review: {claims: {for: 2h}}` to policy.yaml, and people to reviewers.yaml.",
            )
        return HandOut(
            policy=policy,
            roster=parts.roster,
            risk={plan.name: place for place, plan in enumerate(parts.policy.routes)},
            languages=partial(self._languages, policy.language),
            tickets=parts.tickets,
            moves=parts.moves,
            claims=parts.claims,
            answers=parts.answers,
            desk=lambda: parts.desk,
            trail=parts.trail,
            database=parts.database,
            key=parts.policy_key,
            actor=self.verbs.actor,
            seen=parts.exercises.seen,
        )

    def _languages(self, column: str | None, decision_ids: Sequence[str]) -> dict[str, str]:
        """Decision id → the language of its case, where the column says one."""
        if column is None:
            return {}
        decisions = self.verbs.parts.log.many(decision_ids)
        said = {name: one.attributes.get(column) for name, one in decisions.items()}
        return {name: str(value) for name, value in said.items() if value is not None}

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
            desk=lambda: parts.desk,
            trail=parts.trail,
            callbacks=parts.callbacks,
            database=parts.database,
            actor=self.verbs.actor,
        )
