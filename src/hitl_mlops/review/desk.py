"""The port of the desk where people answer. Twin `desk_in_memory`, real adapter `desk_label_studio`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hitl_mlops.review.answer import Answer
from hitl_mlops.review.ticket import Ticket


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the desk's order of changes: (time of change, task id). Text order is time order."""

    changed_at: str
    task_id: int


BEGINNING = Cursor("1970-01-01T00:00:00.000000Z", 0)
"""Before every change."""


@dataclass(frozen=True, slots=True)
class DeskTask:
    """A task as it stands on the desk.

    Attributes:
        task_id: the desk's id.
        ticket_id: our id in its data; None where someone made the task by hand.
        changed_at: the desk's time of last change.
        answers: all replies as they stand now; earlier revisions are gone from the desk.
    """

    task_id: str
    ticket_id: str | None
    changed_at: str
    answers: tuple[Answer, ...]

    @property
    def cursor(self) -> Cursor:
        """Its place in the order of changes."""
        return Cursor(self.changed_at, int(self.task_id))


class Desk(Protocol):
    """Where tickets are answered."""

    @property
    def name(self) -> str:
        """Which desk and project, e.g. `labelstudio:7`."""
        ...

    @property
    def pages(self) -> tuple[str, ...]:
        """Addresses at which people answer."""
        ...

    def push(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        """Put the tickets on the desk; sheet id → task id for all of them.

        A sheet already there is found by its id, not doubled, also after a kill in mid-import.

        Raises:
            ServiceDownError: the desk does not answer; those already stored are found next time.
            CredentialsError: the desk refuses the token.
        """
        ...

    def changes(self, since: Cursor | None = None) -> Iterator[list[DeskTask]]:
        """Pages of tasks that have replies or changed, at or after `since`, in cursor order.

        Since None gives all tasks that have replies. Tasks changed while paging may come again.
        """
        ...

    def task_ids(self) -> Mapping[str, str | None]:
        """Task id → ticket id of every task that is there now: what deletions are found by."""
        ...

    def hand(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Each task's data hold these values from now on (task id → key → value); other keys stay.

        A task that is gone is no error. Again: nothing happens.

        Raises:
            ServiceDownError: the desk stopped answering; what was changed stays.
        """
        ...

    def tabs(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Name → addresses at which the unanswered tasks are listed whose data say that they are `for` it.

        Found again, never doubled.

        Raises:
            ServiceDownError: the desk does not answer.
        """
        ...

    def data_of(self, task_id: str) -> Mapping[str, Any]:
        """The data of a task as they stand on the desk; raises NotFoundError where it is gone."""
        ...

    def close(self, task_ids: Sequence[str]) -> None:
        """Nobody is offered these tasks any more; those gone already are no error.

        They are not deleted, as a task takes its answers with it: who has one open may still answer it.
        """
        ...

    def people(self) -> dict[str, str]:
        """Account (e-mail) → the desk's user id."""
        ...
