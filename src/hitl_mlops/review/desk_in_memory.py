"""The twin of the desk: tasks and replies in a dictionary, with Label Studio's habits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hitl_mlops.errors import NotFoundError
from hitl_mlops.ids import canonical_json, sha256_hex
from hitl_mlops.review.answer import Answer, Said, Verdict, read_said
from hitl_mlops.review.desk import Cursor, DeskTask
from hitl_mlops.review.ticket import Ticket

PAGE_SIZE = 500
_NOT_HASHED = frozenset({"answered_at", "payload_hash"})
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Task:
    ticket_id: str | None
    sheet_id: str | None
    changed_at: str
    model_label: str | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)


class InMemoryDesk:
    """A desk without a server. Every change moves its clock on by a microsecond, so that times never tie.

    Args:
        name: as answers' keys carry it.
        clock: the time of a change; the beginning of 2026 and on where none is given.

    Attributes:
        closed: ids of tasks that nobody is offered any more.
    """

    def __init__(self, name: str = "memory:1", clock: Callable[[], datetime] | None = None) -> None:
        self._name = name
        self._clock = clock
        self._last = _START
        self._tasks: dict[int, _Task] = {}
        self._people: dict[str, str] = {}
        self._unique: dict[str, str] = {}
        self._serial = 0
        self.closed: set[str] = set()

    @property
    def name(self) -> str:
        """See `Desk.name`."""
        return self._name

    @property
    def pages(self) -> tuple[str, ...]:
        """See `Desk.pages`: there are none."""
        return ()

    def push(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        """See `Desk.push`."""
        there = {task.sheet_id: str(task_id) for task_id, task in reversed(self._tasks.items())}
        for ticket in tickets:
            if ticket.sheet_id not in there:
                shown = ticket.shown.get("model_label")
                there[ticket.sheet_id] = self._add(ticket.ticket_id, ticket.sheet_id, shown)
                self._task(int(there[ticket.sheet_id])).data["lane"] = ticket.lane
        return {ticket.sheet_id: there[ticket.sheet_id] for ticket in tickets}

    def add_by_hand(self) -> str:
        """A task that someone made on the desk, without a ticket; its id."""
        return self._add(None, None)

    def changes(self, since: Cursor | None = None) -> Iterator[list[DeskTask]]:
        """See `Desk.changes`."""
        tasks = [
            DeskTask(str(task_id), task.ticket_id, task.changed_at, tuple(task.answers.values()))
            for task_id, task in self._tasks.items()
        ]
        wanted = [task for task in tasks if (task.answers if since is None else task.cursor >= since)]
        wanted.sort(key=lambda task: task.cursor)
        for start in range(0, len(wanted), PAGE_SIZE):
            yield wanted[start : start + PAGE_SIZE]

    def task_ids(self) -> Mapping[str, str | None]:
        """See `Desk.task_ids`."""
        return {str(task_id): task.ticket_id for task_id, task in self._tasks.items()}

    def hand(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """See `Desk.hand`."""
        for task_id, values in changes.items():
            task = self._tasks.get(int(task_id))
            if task is not None and not values.items() <= task.data.items():
                task.data |= values
                task.changed_at = self._now()[0]

    def tabs(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """See `Desk.tabs`: there are no pages."""
        return dict.fromkeys(names, ())

    def data_of(self, task_id: str) -> Mapping[str, str]:
        """See `Desk.data_of`; without what the case shows."""
        return dict(self._task(int(task_id)).data)

    def close(self, task_ids: Sequence[str]) -> None:
        """See `Desk.close`."""
        self.closed |= set(task_ids)

    def people(self) -> dict[str, str]:
        """See `Desk.people`."""
        return dict(self._people)

    def session(self, account: str) -> InMemorySession:
        """A reviewer is at the desk."""
        self._people.setdefault(account, str(len(self._people) + 1))
        return InMemorySession(self, account)

    def _add(self, ticket_id: str | None, sheet_id: str | None, model_label: str | None = None) -> str:
        self._serial += 1
        self._tasks[self._serial] = _Task(ticket_id, sheet_id, self._now()[0], model_label)
        return str(self._serial)

    def _now(self) -> tuple[str, datetime]:
        moment = self._clock() if self._clock else self._last
        self._last = max(moment, self._last + timedelta(microseconds=1))
        return self._last.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), self._last

    def _task(self, task_id: int) -> _Task:
        if task_id not in self._tasks:
            raise NotFoundError(f"The desk has no task {task_id}.", remedy="It may have been deleted there.")
        return self._tasks[task_id]

    def _holder(self, annotation_id: str) -> _Task:
        for task in self._tasks.values():
            if annotation_id in task.answers:
                return task
        raise NotFoundError(
            f"The desk has no answer {annotation_id}.", remedy="It may have been deleted there."
        )

    def _keep(self, task: _Task, answer: Answer) -> None:
        body = {name: value for name, value in asdict(answer).items() if name not in _NOT_HASHED}
        task.answers[answer.annotation_id] = replace(answer, payload_hash=sha256_hex(canonical_json(body)))
        task.changed_at = answer.revision


@dataclass(frozen=True, slots=True)
class InMemorySession:
    """See `ReviewerSession`."""

    desk: InMemoryDesk
    account: str

    def answer(  # the fields of the page
        self,
        task_id: str,
        label: str | None,
        rationale: str = "",
        reason_code: str | None = None,
        seconds: float | None = None,
        *,
        unique_id: str | None = None,
        verdict: Verdict | None = None,
        error_tags: Sequence[str] = (),
        for_training: bool = True,
    ) -> str:
        """See `ReviewerSession.answer`."""
        if unique_id is not None and unique_id in self.desk._unique:  # noqa: SLF001  # one twin, two faces
            return self.desk._unique[unique_id]  # noqa: SLF001
        said = Said(label, rationale, reason_code, verdict, tuple(error_tags), for_training)
        annotation_id = self._keep(task_id, said, seconds)
        if unique_id is not None:
            self.desk._unique[unique_id] = annotation_id  # noqa: SLF001
        return annotation_id

    def skip(self, task_id: str) -> str:
        """See `ReviewerSession.skip`."""
        return self._keep(task_id, Said(), None, skipped=True)

    def edit(  # the fields of the page
        self,
        annotation_id: str,
        label: str | None,
        rationale: str = "",
        reason_code: str | None = None,
        *,
        verdict: Verdict | None = None,
        error_tags: Sequence[str] = (),
        for_training: bool = True,
    ) -> None:
        """See `ReviewerSession.edit`."""
        said = Said(label, rationale, reason_code, verdict, tuple(error_tags), for_training)
        task = self.desk._holder(annotation_id)  # noqa: SLF001
        changed = replace(
            task.answers[annotation_id],
            revision=self.desk._now()[0],  # noqa: SLF001
            edited_by=self.account,
            **read_said(said, task.model_label),
        )
        self.desk._keep(task, changed)  # noqa: SLF001

    def delete(self, annotation_id: str) -> None:
        """See `ReviewerSession.delete`."""
        task = self.desk._holder(annotation_id)  # noqa: SLF001
        del task.answers[annotation_id]
        task.changed_at = self.desk._now()[0]  # noqa: SLF001

    def _keep(self, task_id: str, said: Said, seconds: float | None, *, skipped: bool = False) -> str:
        desk, task = self.desk, self.desk._task(int(task_id))  # noqa: SLF001
        text, moment = desk._now()  # noqa: SLF001
        desk._serial += 1  # noqa: SLF001
        answer = Answer(
            desk=desk.name,
            annotation_id=str(desk._serial),  # noqa: SLF001
            revision=text,
            task_id=task_id,
            ticket_id=task.ticket_id,
            reviewer=self.account,
            edited_by=self.account,
            seconds=seconds,
            answered_at=moment,
            skipped=skipped,
            payload_hash="",
            **read_said(said, task.model_label),
        )
        desk._keep(task, answer)  # noqa: SLF001
        return answer.annotation_id
