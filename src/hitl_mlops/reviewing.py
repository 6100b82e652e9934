"""What is done with people's questions and answers in one project, by a command, a flow or the front door."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hitl_mlops.errors import TransientError
from hitl_mlops.explaining import explain_waiting
from hitl_mlops.overseeing import Overseeing
from hitl_mlops.verbs import Verbs

if TYPE_CHECKING:
    from hitl_mlops.overrides.record import Collected, KeptAnswer
    from hitl_mlops.overrides.scale import Scale
    from hitl_mlops.review.push import Pushed
    from hitl_mlops.review.ticket import Ticket
    from hitl_mlops.review.tickets import QueueStatus


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Questions to people, and their answers."""

    verbs: Verbs

    def push(self) -> Pushed:
        """No ticket waits any more: all are on the desk, explained, and due exercises are among them.

        Raises:
            ServiceDownError: the desk stopped answering; what is there stays, the rest waits.
        """
        from hitl_mlops.review.push import push_tickets

        explain_waiting(self.verbs)
        self.overseeing.open_exercises()
        self.overseeing.give_up()
        parts = self.verbs.parts
        return push_tickets(
            parts.tickets, parts.desk, parts.trail, parts.database, now=parts.clock(), actor=self.verbs.actor
        )

    @property
    def overseeing(self) -> Overseeing:
        """How people judge."""
        return Overseeing(self.verbs)

    def status(self) -> QueueStatus:
        """How the queue stands, by lane."""
        parts = self.verbs.parts
        return parts.tickets.status(parts.clock(), quarantined=len(parts.answers.quarantined()))

    def renew_scale(self) -> Scale | None:
        """Answers to tickets opened from now on are weighed as the policy wants; None: nothing changed."""
        from hitl_mlops.overrides.scale_book import ScaleBook, wanted_scale

        parts = self.verbs.parts
        book, wanted = ScaleBook(parts.database), wanted_scale(parts.policy)
        return book.renew(wanted, parts.trail, now=parts.clock(), actor=self.verbs.actor)

    def adjudicate(self) -> list[Ticket]:
        """Somebody above is asked where people differ or handed a question up; the tickets that are new."""
        from hitl_mlops.overrides.adjudicate import adjudication_of, adjudications
        from hitl_mlops.review.open import ask

        parts, now = self.verbs.parts, self.verbs.parts.clock()
        if not parts.tickets.tied():
            return []
        with parts.database.transaction():
            tied = parts.tickets.tied()
            known = {one.ticket_id for one in parts.tickets.by_ids(map(adjudication_of, tied))}
            unasked = parts.tickets.by_ids(one.ticket_id for one in tied if adjudication_of(one) not in known)
            said: dict[str, list[KeptAnswer]] = {}
            for answer in parts.answers.accepted_for([one.ticket_id for one in unasked]):
                said.setdefault(answer.answer.ticket_id or "", []).append(answer)
            wanted = adjudications(unasked, said, parts.policy, self.verbs.deadlines, now=now)
            return ask(wanted, parts.tickets, parts.trail, parts.database, now=now, actor=self.verbs.actor)

    def close_needless(self) -> int:
        """Sheets that nobody needs to answer, as their ticket is done with, are offered no more; how many.

        Best done now and then, and nothing else waits for it: what the desk does not take is left as it is.
        """
        parts = self.verbs.parts
        needless = parts.tickets.needless_sheets()
        if needless:
            with suppress(TransientError):
                parts.desk.close([sheet.task_id for sheet in needless if sheet.task_id])
                parts.tickets.mark_closed(needless)
        return len(needless)

    def collect(self, *, sweep: bool = False, accept_deletions: bool = False) -> Collected:
        """What changed on the desk is kept, screened and resolved, and the guards and the rollout see it.

        `sweep` reads everything again.

        Raises:
            RefusedError: a sweep would take most resolutions back, and `accept_deletions` is not set.
            ServiceDownError: the desk stopped answering; what was kept stays, the next call goes on there.
        """
        verbs = self.verbs
        collector = verbs.collector
        self.renew_scale()
        try:
            return collector.sweep(accept_deletions=accept_deletions) if sweep else collector.collect()
        finally:  # what was kept before the desk stopped answering counts too
            verbs.freeze_flagged()
            verbs.look_at_breakers()
            verbs.take_back_if_due()
            verbs.take_trial_back_if_due()
            self.adjudicate()
            self.close_needless()
            self.overseeing.look()
