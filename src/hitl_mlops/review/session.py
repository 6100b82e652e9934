"""One reviewer at the desk, as programs see them: the demo's simulated people, and the tests."""

from __future__ import annotations

from typing import Protocol


class ReviewerSession(Protocol):
    """A person who is logged in and answers. Twin `InMemorySession`, real `LabelStudioSession`."""

    @property
    def account(self) -> str:
        """The log-in (e-mail)."""
        ...

    def answer(  # the fields of the page
        self,
        task_id: str,
        label: str | None,
        rationale: str = "",
        reason_code: str | None = None,
        seconds: float | None = None,
        *,
        unique_id: str | None = None,
    ) -> str:
        """Submit an answer; its id. The same `unique_id` again changes nothing and gives the same id."""
        ...

    def edit(
        self, annotation_id: str, label: str | None, rationale: str = "", reason_code: str | None = None
    ) -> None:
        """Replace what an answer says; its id, author and seconds stay."""
        ...

    def delete(self, annotation_id: str) -> None:
        """Take an answer away."""
        ...

    def skip(self, task_id: str) -> str:
        """Pass on a task; the id of the skipped answer."""
        ...
