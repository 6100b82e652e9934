"""The verbs: what people do to a decision afterwards, each kept together with its entry of the trail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.callbacks.address import check_address
from hitl_mlops.callbacks.book import CallbackBook
from hitl_mlops.callbacks.record import Callback
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.record import Decision
from hitl_mlops.errors import NotFoundError, RefusedError
from hitl_mlops.ids import digest_of_reason, instant
from hitl_mlops.recourse.book import RecourseBook
from hitl_mlops.recourse.decide import (
    LONGEST_NAME,
    check_moment,
    check_text,
    complain,
    halt,
    request_of,
    reverse,
    revise,
)
from hitl_mlops.recourse.policy import RecoursePolicy
from hitl_mlops.recourse.record import Complaint, How, Outcome, Request, TakenBack, Word
from hitl_mlops.recourse.standing import Over, Resolved, Standing, standing
from hitl_mlops.recourse.ticket import ticket_for
from hitl_mlops.review.open import Deadlines, Shown, opened_event
from hitl_mlops.review.tickets import TicketBook

Transaction: TypeAlias = Callable[[], AbstractContextManager[object]]
LONGEST_ID = 40
MOST_CALLBACKS = 10
"""About one decision."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the project; each is asked for when it is needed, as most verbs need none.

    Attributes:
        person: name of somebody → the id by which records and trail name them.
        resolutions: decision ids → by id what people decided, where they did.
        classes: the labels.
        policy: how long a complaint is heard, and by whom.
        shown: what is needed to show a case.
        deadlines: how soon each lane answers.
        addresses: prefixes of the addresses that may be called.
        over: decision ids → by id how they ended, where nobody answered in time.
    """

    person: Callable[[str], str]
    resolutions: Callable[[Collection[str]], Mapping[str, Resolved]]
    classes: Callable[[], Collection[str]]
    policy: Callable[[], RecoursePolicy]
    shown: Callable[[], Shown]
    deadlines: Callable[[], Deadlines]
    addresses: Sequence[str] = ()
    over: Callable[[Collection[str]], Mapping[str, Over]] = lambda _ids: {}


@dataclass(frozen=True, slots=True)
class Recourse:
    """What can still happen to a decision: halted, reversed, its outcome, a complaint.

    Every verb takes `through`, the application that passes it on (left out: whoever opened the project), and
    `key`, of the sender's choice: a request sent again under the same key is answered as before.

    Attributes:
        book: where it is kept.
        log: the decisions.
        trail: where it is told, without names and reasons.
        tickets: where a complaint asks a supervisor.
        callbacks: who wants to be told of changes.
        transaction: opens what all of them share, `database.transaction`.
        around: what is known of the project.
        clock: tells the time.
        actor: who acts where nobody is named.
    """

    book: RecourseBook
    log: DecisionLog
    trail: Trail
    tickets: TicketBook
    callbacks: CallbackBook
    transaction: Transaction
    around: Surroundings
    clock: Callable[[], datetime]
    actor: str

    def decision(self, decision_id: str) -> Decision:
        """The decision; raises NotFoundError."""
        if not 0 < len(decision_id) <= LONGEST_ID or not decision_id.isprintable():
            raise NotFoundError(
                "There is no decision of that id.", remedy="Ids begin with d_ and came with the decisions."
            )
        return self.log.get(decision_id)

    def standing(self, decision_id: str) -> Standing:
        """How the decision stands now; raises NotFoundError."""
        return self.standing_of(self.decision(decision_id))

    def standing_of(self, decision: Decision) -> Standing:
        """How the decision stands now."""
        return self.standings([decision])[decision.decision_id]

    def standings(self, decisions: Sequence[Decision]) -> dict[str, Standing]:
        """Decision id → how it stands now, all read at once."""
        ids = [one.decision_id for one in decisions]
        said, taken = self.around.resolutions(ids), self.book.taken_back(ids)
        over = self.around.over([one for one in ids if one not in said and one not in taken])
        return {
            name: standing(one, said.get(name), taken.get(name), over.get(name))
            for name, one in zip(ids, decisions, strict=True)
        }

    def changed(self, decisions: Iterable[Decision]) -> dict[str, tuple[str, str | None]]:
        """Decision id → state and label by now, of those that people changed since they were made."""
        stands = self.standings(list(decisions))
        return {name: (one.state.value, one.label) for name, one in stands.items() if one.cause}

    def outcomes(self, decision_ids: Iterable[str]) -> dict[str, Outcome]:
        """Decision id → what really happened, for those of which it was told."""
        return self.book.outcomes(decision_ids)

    def halt(
        self, decision_id: str, *, by: str, reason: str, through: str = "", key: str | None = None
    ) -> TakenBack:
        """Nobody acts on the decision any more, though it had begun; raises as `decide.halt`."""
        return self._take_back(decision_id, How.HALTED, self._word(by, reason, through), key)

    def reverse(
        self, decision_id: str, *, by: str, reason: str, through: str = "", key: str | None = None
    ) -> TakenBack:
        """Nobody acts on the decision any more, and what was done is to be undone.

        Raises as `decide.reverse`.
        """
        return self._take_back(decision_id, How.REVERSED, self._word(by, reason, through), key)

    def tell_outcome(
        self,
        decision_id: str,
        label: str,
        *,
        source: str,
        at: datetime | None = None,
        by: str = "",
        through: str = "",
        key: str | None = None,
    ) -> Outcome:
        """What really happened is known; told otherwise before, this corrects it.

        Args:
            decision_id: the decision.
            label: the class that was right.
            source: how it is known.
            at: when it happened; None: now.
            by: who tells it; empty: an application on its own.
            through: the application.
            key: of the sender's choice.

        Raises:
            NotFoundError: there is no such decision.
            InputError: the label is no class, a text or time cannot be used, or the key came before with
                another request.
        """
        now, decision = self.clock(), self.decision(decision_id)
        if at is not None:
            check_moment(at, now)
        said = (label, source, "" if at is None else instant(at), by.strip())
        sender = (through or self.actor)[:LONGEST_NAME]
        request = request_of(key, sender, ["outcome", decision_id, *said])
        person = self.around.person(by) if by.strip() else None
        told = Outcome(decision_id, 0, label, now if at is None else at, source, person, now, sender)
        with self.transaction():
            before = self._before(decision, request)
            revisions = self.book.revisions(decision_id)
            if before is not None:
                return next(one for one in revisions if one.outcome_id == before)
            kept = revise(told, revisions, self.around.classes())
            if kept not in revisions:
                self.book.tell(kept)
                self._tell(Kind.OUTCOMES_TOLD, kept.by, now, *_outcome_entry(kept))
            self._remember(request, kept.outcome_id, now)
        return kept

    def complain(
        self, decision_id: str, *, by: str, reason: str, through: str = "", key: str | None = None
    ) -> Complaint:
        """The complaint is kept, and a supervisor is asked.

        Raises:
            NotFoundError: there is no such decision.
            InputError: no person or no reason, or the key came before with another request.
            RefusedError: it is too late: `data["until"]`.
        """
        decision, word = self.decision(decision_id), self._word(by, reason, through)
        request = request_of(key, word.through, ["complaint", decision_id, word.by, word.reason])
        policy = self.around.policy()
        with self.transaction():
            before = self._before(decision, request)
            if before is not None:
                return self.book.complaint(before)
            known = self.book.complaints(decision_id)
            made = complain(decision, known, word, request, within=policy.complaints_within)
            if self.book.complain(made):
                self._ask(made, decision, policy)
            self._remember(request, made.complaint_id, word.at)
        return made

    def call_back(self, decision_id: str, url: str, *, through: str = "") -> Callback:
        """The address is called whenever people change how the decision stands, and now if they have.

        Raises:
            NotFoundError: there is no such decision.
            InputError: it is no address.
            RefusedError: hitl.yaml does not allow it, or the decision has as many callbacks as it may have.
        """
        decision = self.decision(decision_id)
        check_address(url, self.around.addresses)
        wanted = Callback(decision_id, url, (through or self.actor)[:LONGEST_NAME], self.clock())
        with self.transaction():
            self.callbacks.register(wanted)
            if len(self.callbacks.callbacks_of(decision_id)) > MOST_CALLBACKS:
                raise RefusedError(
                    f"{decision_id} has {MOST_CALLBACKS} callbacks, and no more may be.",
                    remedy="Let one address tell the others.",
                )
            if cause := self.standing_of(decision).cause:
                self.callbacks.announce({decision_id: cause}, wanted.at)
        return wanted

    def message(self, decision_id: str) -> dict[str, Any]:
        """What a callback tells of the decision, as it stands now; raises NotFoundError."""
        decision = self.decision(decision_id)
        stands = self.standing_of(decision)
        return {
            "decision_id": decision_id,
            "case_id": decision.case_id,
            "state": stands.state,
            "act": stands.act,
            "label": stands.label,
            "since": stands.since,
        }

    def _take_back(self, decision_id: str, how: How, word: Word, key: str | None) -> TakenBack:
        decision = self.decision(decision_id)
        request = request_of(key, word.through, [how.value, decision_id, word.by, word.reason])
        with self.transaction():
            self._before(decision, request)
            standing = self.book.taken_back([decision_id]).get(decision_id)
            taken = (halt if how is How.HALTED else reverse)(decision, standing, word)
            if taken is not standing:
                self.book.take_back(taken)
                self.callbacks.announce({decision_id: how.value}, word.at)
                kind = Kind.DECISIONS_HALTED if how is How.HALTED else Kind.DECISIONS_REVERSED
                self._tell(kind, word.by, word.at, {"decision": [decision_id]}, _word_facts(word))
            self._remember(request, decision_id, word.at)
        return taken

    def _ask(self, made: Complaint, decision: Decision, policy: RecoursePolicy) -> None:
        before = self.around.resolutions([decision.decision_id]).get(decision.decision_id)
        ticket = ticket_for(
            made,
            decision,
            self.log.case(decision.case_id),
            policy=policy,
            shown=self.around.shown(),
            deadlines=self.around.deadlines(),
            held=None if before is None else before.label,
        )
        self.tickets.open([ticket])
        refs = {
            "decision": [made.decision_id],
            "complaint": [made.complaint_id],
            "ticket": [made.ticket_id],
        }
        self._tell(Kind.COMPLAINTS_MADE, made.word.by, made.word.at, refs, _word_facts(made.word))
        self.trail.append([opened_event([ticket], made.word.at, self.actor)])

    def _word(self, by: str, reason: str, through: str) -> Word:
        check_text(by, "person", LONGEST_NAME)
        return Word(
            self.around.person(by), reason.strip(), self.clock(), (through or self.actor)[:LONGEST_NAME]
        )

    def _before(self, decision: Decision, request: Request | None) -> str | None:
        """The record that this request made before; nobody else says something of the decision meanwhile."""
        self.book.turn(decision.decision_id, *([] if request is None else [request.key]))
        return None if request is None else self.book.remembered(request)

    def _remember(self, request: Request | None, record_id: str, now: datetime) -> None:
        if request is not None:
            self.book.remember(request, record_id, now)

    def _tell(
        self,
        kind: Kind,
        actor: str | None,
        now: datetime,
        refs: Mapping[str, list[str]],
        facts: Mapping[str, Any],
    ) -> None:
        self.trail.append([Event(kind, actor or self.actor, now, refs, facts)])


def _word_facts(word: Word) -> dict[str, str]:
    return {"reason_digest": digest_of_reason(word.reason), "through": word.through}


def _outcome_entry(kept: Outcome) -> tuple[dict[str, list[str]], dict[str, Any]]:
    refs = {"decision": [kept.decision_id], "outcome": [kept.outcome_id]}
    return refs, {"revision": kept.revision, "through": kept.through}
