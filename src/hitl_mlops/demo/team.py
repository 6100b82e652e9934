"""The simulated reviewers at work: each with an own account, all at once, over Label Studio's API."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from hitl_mlops.demo.people import ROUND, TEAM, SimulatedReviewer, answer
from hitl_mlops.errors import NotFoundError
from hitl_mlops.review.accounts import LabelStudioSession, enter
from hitl_mlops.review.label_studio_http import LabelStudioHttp
from hitl_mlops.review.ticket import Ticket

PASSWORD = "read-every-digit"  # noqa: S105 - a demo's own, printed on the screen
STRANGER = SimulatedReviewer("-", "mallory@demo.example", "Mallory", 0.0, 3.0)


@dataclass(frozen=True, slots=True)
class Question:
    """One ticket as a simulated reviewer meets it.

    Attributes:
        ticket: what is asked.
        case_id: the cheque's field.
        truth: the digit that was written, which only the simulation knows.
        model_label: what the page shows of the model; None on a blind ticket.
    """

    ticket: Ticket
    case_id: str
    truth: str
    model_label: str | None

    @property
    def task_id(self) -> str:
        """The task in Label Studio."""
        if self.ticket.task_id is None:
            raise NotFoundError(
                f"Ticket {self.ticket.ticket_id} is not on the desk.", remedy="Run `hitl review push`."
            )
        return self.ticket.task_id


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that was given: who to what, and the desk's id of it."""

    person_id: str
    question: Question
    annotation_id: str
    label: str


@dataclass(slots=True)
class Team:
    """The reviewers, logged in.

    Attributes:
        sessions: roster id → session at the desk.
        given: every answer so far.
    """

    sessions: Mapping[str, LabelStudioSession]
    stranger: LabelStudioSession
    rng: np.random.Generator
    given: list[Given] = field(default_factory=list)
    _turn: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def enter(cls, desk: LabelStudioHttp, rng: np.random.Generator) -> Team:
        """Every reviewer has an account and is logged in; so has one who is not on the roster."""
        members = (*TEAM, STRANGER)
        sessions = {one.person_id: enter(desk, one.account, PASSWORD) for one in members}
        return cls(sessions, sessions.pop(STRANGER.person_id), rng)

    def answer(self, questions: Sequence[Question], progress: Callable[[int], None]) -> list[Given]:
        """Every question has as many answers as it asks for, each from another reviewer.

        Args:
            questions: in any order; they are taken by case, so that chance falls the same in every run.
            progress: told how many answers were given so far.
        """
        work: dict[str, list[tuple[Question, SimulatedReviewer]]] = {one.person_id: [] for one in TEAM}
        for question in sorted(questions, key=lambda one: (one.case_id, one.ticket.kind)):
            for reviewer in self._next(question):
                work[reviewer.person_id].append((question, reviewer))
        before, rngs = len(self.given), self.rng.spawn(len(work))

        def told() -> None:
            progress(len(self.given) - before)

        self._at_once(
            [
                partial(self._answer_all, pairs, rng, told)
                for pairs, rng in zip(work.values(), rngs, strict=True)
            ]
        )
        return self.given[before:]

    def spoil(self, questions: Sequence[Question]) -> int:
        """Five answers that should not count lie on the desk, each bad in another way; how many there are.

        Needs three questions. The tickets still wait for proper answers.
        """
        first, second, third = questions[:3]
        ada, ben, cleo = (self.sessions[name] for name in ("r1", "r2", "r3"))
        ada.answer(first.task_id, "seven", "I read a seven", "wrong_class", 4.0)
        ben.answer(first.task_id, first.truth, "", "agree", 4.0)
        cleo.answer(second.task_id, second.truth, f"I read a {second.truth}", "agree", 0.1)
        self.stranger.answer(third.task_id, third.truth, "just passing by", "agree", 3.0)
        edited = ada.answer(third.task_id, third.truth, f"I read a {third.truth}", "agree", 4.0)
        ben.edit(edited, _confused(third.truth), "no, look again", "wrong_class")
        return 5

    def confuse(self, given: Iterable[Given], progress: Callable[[int], None]) -> int:
        """These answers were changed by those who gave them to the next digit; how many."""
        work: dict[str, list[Given]] = {one.person_id: [] for one in TEAM}
        for one in given:
            work[one.person_id].append(one)
        done = Counter[str]()

        def change(mine: list[Given]) -> None:
            for one in mine:
                if self._stopped.is_set():
                    return
                label = _confused(one.question.truth)
                said = f"by the new sheet this is a {label}"
                self.sessions[one.person_id].edit(one.annotation_id, label, said, "wrong_class")
                done[one.person_id] += 1
                progress(done.total())

        self._at_once([partial(change, mine) for mine in work.values()])
        return done.total()

    def _next(self, question: Question) -> list[SimulatedReviewer]:
        chosen = [ROUND[(self._turn + place) % len(ROUND)] for place in range(question.ticket.signatures)]
        self._turn += question.ticket.signatures
        return chosen

    def _answer_all(
        self,
        pairs: Sequence[tuple[Question, SimulatedReviewer]],
        rng: np.random.Generator,
        told: Callable[[], None],
    ) -> None:
        for question, reviewer in pairs:
            if self._stopped.is_set():
                return
            said = answer(reviewer, question.truth, question.model_label, rng)
            annotation = self.sessions[reviewer.person_id].answer(
                question.task_id, said.label, said.rationale, said.reason_code, said.seconds
            )
            self.given.append(Given(reviewer.person_id, question, annotation, said.label))
            told()

    def _at_once(self, jobs: Sequence[Callable[[], None]]) -> None:
        """All jobs are done; the first error stops the others and is raised, and so does Ctrl-C."""
        with ThreadPoolExecutor(len(jobs)) as pool:
            running: list[Future[None]] = [pool.submit(job) for job in jobs]
            try:
                wait(running, return_when=FIRST_EXCEPTION)
                for one in running:
                    if one.done():
                        one.result()
            except BaseException:
                self._stopped.set()
                raise

    def close(self) -> None:
        """Everyone has left; nothing is answered any more."""
        self._stopped.set()
        for session in (*self.sessions.values(), self.stranger):
            with suppress(RuntimeError):
                session.close()


def _confused(digit: str) -> str:
    """The digit that somebody reads who has the wrong sheet beside them."""
    return str((int(digit) + 1) % 10)
