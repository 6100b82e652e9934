"""A desk in memory whose people edit, delete and clash, and whose server dies when told to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.review.answer import Answer, Verdict
from hitl_mlops.review.desk import Cursor, DeskTask
from hitl_mlops.review.ticket import Ticket

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def nothing() -> None:
    """What happens between pages unless a test says otherwise."""


class FakeDesk:
    """The port's behaviour over plain dictionaries; `skew` moves its clock against `now`."""

    name = "fake:1"

    def __init__(self, page_tasks: int = 2) -> None:
        self.page_tasks = page_tasks
        self.now = START
        self.skew = timedelta()
        self.before_page: Callable[[], None] = nothing
        self.tickets: dict[int, str | None] = {}
        self.changed: dict[int, str] = {}
        self.answers: dict[int, dict[str, Answer]] = {}
        self._next = 1

    def stamp(self) -> str:
        """The desk's own time, as it writes it; one microsecond on from the last."""
        self.now += timedelta(microseconds=1)
        return (self.now + self.skew).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def add_task(self, ticket_id: str | None) -> int:
        task = self._number()
        self.tickets[task], self.changed[task], self.answers[task] = ticket_id, self.stamp(), {}
        return task

    def answer(
        self, task: int, account: str = "ann@x.org", label: str | None = "1", **changes: object
    ) -> str:
        annotation, stamp = str(self._number()), self.stamp()
        answer = Answer(
            desk=self.name,
            annotation_id=annotation,
            revision=stamp,
            task_id=str(task),
            ticket_id=self.tickets[task],
            reviewer=account,
            edited_by=account,
            label=label,
            verdict=Verdict.ACCEPT,
            rationale="looks like it",
            reason_code=None,
            seconds=5.0,
            answered_at=datetime.fromisoformat(stamp),
            skipped=False,
            payload_hash="",
        )
        self._put(task, replace(answer, **changes), stamp)  # type: ignore[arg-type]
        return annotation

    def edit(self, annotation: str, *, in_secret: bool = False, **changes: object) -> None:
        task = self.task_of(annotation)
        before, stamp = self.answers[task][annotation], self.stamp()
        revision = before.revision if in_secret else stamp
        self._put(task, replace(before, revision=revision, **changes), stamp)  # type: ignore[arg-type]

    def delete(self, annotation: str) -> None:
        task = self.task_of(annotation)
        del self.answers[task][annotation]
        self.changed[task] = self.stamp()

    def delete_task(self, task: int) -> None:
        for kept in (self.tickets, self.changed, self.answers):
            kept.pop(task, None)  # type: ignore[attr-defined]

    def task_of(self, annotation: str) -> int:
        return next(task for task, held in self.answers.items() if annotation in held)

    def changes(self, since: Cursor | None = None) -> Iterator[list[DeskTask]]:
        place, first = since, True
        while True:
            self.before_page()
            page = [one for one in self._ordered(since) if place is None or first or one.cursor > place]
            page = [one for one in page if place is None or one.cursor >= place][: self.page_tasks]
            if not page:
                return
            place, first = page[-1].cursor, False
            yield page

    def task_ids(self) -> Mapping[str, str | None]:
        self.before_page()
        return {str(task): ticket for task, ticket in self.tickets.items()}

    def push(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        raise NotImplementedError

    def hand(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        raise NotImplementedError

    def close(self, task_ids: Sequence[str]) -> None:
        raise NotImplementedError

    def people(self) -> dict[str, str]:
        return {"ann@x.org": "1", "bob@x.org": "2"}

    def dies_before_page(self, number: int) -> None:
        """The server is down from the page of that number on; 1 is the first."""
        left = [number]

        def die() -> None:
            left[0] -= 1
            if left[0] <= 0:
                raise ServiceDownError("Label Studio does not answer.", remedy="Type: hitl up.")

        self.before_page = die

    def _ordered(self, since: Cursor | None) -> list[DeskTask]:
        tasks = [
            DeskTask(str(task), self.tickets[task], self.changed[task], tuple(held.values()))
            for task, held in self.answers.items()
        ]
        return sorted((one for one in tasks if one.answers or since is not None), key=lambda one: one.cursor)

    def _put(self, task: int, answer: Answer, stamp: str) -> None:
        content = repr(replace(answer, payload_hash="")).encode()
        answer = replace(answer, payload_hash=hashlib.sha256(content).hexdigest())
        self.answers[task][answer.annotation_id] = answer
        self.changed[task] = stamp

    def _number(self) -> int:
        self._next += 1
        return self._next
