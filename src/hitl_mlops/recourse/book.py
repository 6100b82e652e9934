"""The port of the book of recourse. Twin `book_in_memory`, real adapter `book_sql`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from hitl_mlops.errors import InputError, NotFoundError
from hitl_mlops.recourse.record import Complaint, Outcome, Request, TakenBack


class RecourseBook(Protocol):
    """What was said of decisions afterwards. Every write joins an open transaction."""

    def turn(self, *names: str) -> None:
        """Whoever else wants a turn with one of these names waits until the open transaction ends."""
        ...

    def remembered(self, request: Request) -> str | None:
        """Id of the record that this request made when it came before; None if it is new.

        Raises:
            InputError: a request with the same key said something else.
        """
        ...

    def remember(self, request: Request, record_id: str, at: datetime) -> None:
        """The request made that record."""
        ...

    def take_back(self, taken: TakenBack) -> None:
        """The decision is kept as taken back; one that is so already stays as it was."""
        ...

    def taken_back(self, decision_ids: Iterable[str]) -> dict[str, TakenBack]:
        """Decision id → how it was taken back, for those that were."""
        ...

    def tell(self, outcome: Outcome) -> None:
        """The revision is kept; one that is there stays as it was."""
        ...

    def revisions(self, decision_id: str) -> list[Outcome]:
        """All that was told of what happened, oldest first."""
        ...

    def outcomes(self, decision_ids: Iterable[str]) -> dict[str, Outcome]:
        """Decision id → what really happened by the latest revision, for those of which it was told."""
        ...

    def complain(self, complaint: Complaint) -> bool:
        """The complaint is kept; False where it was there already."""
        ...

    def complaint(self, complaint_id: str) -> Complaint:
        """The complaint; raises NotFoundError."""
        ...

    def complaints(self, decision_id: str) -> list[Complaint]:
        """Every complaint about the decision, by time, then id."""
        ...


def said_otherwise() -> InputError:
    """The error that a key came twice with different requests."""
    return InputError(
        "This Idempotency-Key came before with another request.",
        remedy="Send every new request with a key of its own.",
    )


def no_complaint(complaint_id: str) -> NotFoundError:
    """The error that there is no such complaint."""
    return NotFoundError(
        f"There is no complaint {complaint_id!r}.", remedy="hitl decision show ID names them."
    )
