"""The simulated reviewers at work: each with an own account, all at once, over Label Studio's API."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
        model_label: what the model said.
        tasks: the tasks in Label Studio, one for each person who is asked.
    """

    ticket: Ticket
    case_id: str
    truth: str
    model_label: str
    tasks: tuple[str, ...]

    @property
    def task_id(self) -> str:
        """The first task in Label Studio."""
        if not self.tasks:
            raise NotFoundError(
                f"Ticket {self.ticket.ticket_id} is not on the desk.", remedy="Run `hitl review push`."
            )
        return self.tasks[0]

    def shown(self, task_id: str) -> str | None:
        """What the page of that task shows of the model; None where it is blind."""
        place = self.tasks.index(task_id)
        third_opinion = place >= self.ticket.signatures
        blind = self.ticket.blind or third_opinion or (self.ticket.blind_first and place == 0)
        return None if blind else self.model_label


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that was given: who to what, on which task, and the desk's id of it."""

    person_id: str
    question: Question
    task_id: str
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
        """Every task of every question has an answer, each question's from reviewers who differ.

        Args:
            questions: in any order; they are taken by case, so that chance falls the same in every run.
            progress: told how many answers were given so far.
        """
        work: dict[str, list[tuple[Question, str, SimulatedReviewer]]] = {one.person_id: [] for one in TEAM}
        for question in sorted(questions, key=lambda one: (one.case_id, one.ticket.kind)):
            for task_id, reviewer in self._next(question):
                work[reviewer.person_id].append((question, task_id, reviewer))
        before, rngs = len(self.given), self.rng.spawn(len(work))

        def told() -> None:
            progress(len(self.given) - before)

        self._at_once(
            [
                partial(self._answer_all, mine, rng, told)
                for mine, rng in zip(work.values(), rngs, strict=True)
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

    def _next(self, question: Question) -> list[tuple[str, SimulatedReviewer]]:
        """Who takes which of the question's tasks that nobody has answered."""
        before = [one for one in self.given if one.question.ticket.ticket_id == question.ticket.ticket_id]
        answered, people = {one.task_id for one in before}, {one.person_id for one in before}
        chosen: list[tuple[str, SimulatedReviewer]] = []
        for task_id in question.tasks:
            if task_id not in answered:
                reviewer = self._somebody_but(people)
                people.add(reviewer.person_id)
                chosen.append((task_id, reviewer))
        return chosen

    def _somebody_but(self, people: Collection[str]) -> SimulatedReviewer:
        """The next in turn who is none of these."""
        while True:
            reviewer = ROUND[self._turn % len(ROUND)]
            self._turn += 1
            if reviewer.person_id not in people:
                return reviewer

    def _answer_all(
        self,
        work: Sequence[tuple[Question, str, SimulatedReviewer]],
        rng: np.random.Generator,
        told: Callable[[], None],
    ) -> None:
        for question, task_id, reviewer in work:
            if self._stopped.is_set():
                return
            said = answer(reviewer, question.truth, question.shown(task_id), rng)
            annotation = self.sessions[reviewer.person_id].answer(
                task_id, said.label, said.rationale, said.reason_code, said.seconds
            )
            self.given.append(Given(reviewer.person_id, question, task_id, annotation, said.label))
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
