"""One reviewer at the desk, as programs see them: the demo's simulated people, and the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hitl_mlops.review.answer import Verdict


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
        verdict: Verdict | None = None,
        error_tags: Sequence[str] = (),
        for_training: bool = True,
    ) -> str:
        """Submit an answer; its id. The same `unique_id` again changes nothing and gives the same id."""
        ...

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
        """Replace all that an answer says; its id, author and seconds stay."""
        ...

    def delete(self, annotation_id: str) -> None:
        """Take an answer away."""
        ...

    def skip(self, task_id: str) -> str:
        """Pass on a task; the id of the skipped answer."""
        ...
