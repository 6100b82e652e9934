"""The twin of the book of recourse, for tests and dry runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hitl_mlops.recourse.book import no_complaint, said_otherwise
from hitl_mlops.recourse.record import Complaint, Outcome, Request, TakenBack


class InMemoryRecourseBook:
    """Records in dicts; see `RecourseBook`."""

    def __init__(self) -> None:
        self._requests: dict[str, tuple[str, str]] = {}
        self._taken: dict[str, TakenBack] = {}
        self._outcomes: dict[str, dict[int, Outcome]] = {}
        self._complaints: dict[str, Complaint] = {}

    def turn(self, *names: str) -> None:
        """Nobody else is there."""

    def remembered(self, request: Request) -> str | None:
        """Id of the record that this request made before."""
        body, record_id = self._requests.get(request.key, (request.body, None))
        if body != request.body:
            raise said_otherwise()
        return record_id

    def remember(self, request: Request, record_id: str, at: datetime) -> None:
        """The request made that record."""
        del at  # kept for people who read the database by hand
        self._requests.setdefault(request.key, (request.body, record_id))

    def take_back(self, taken: TakenBack) -> None:
        """The decision is kept as taken back."""
        self._taken.setdefault(taken.decision_id, taken)

    def taken_back(self, decision_ids: Iterable[str]) -> dict[str, TakenBack]:
        """Those that were taken back."""
        return {one: self._taken[one] for one in decision_ids if one in self._taken}

    def tell(self, outcome: Outcome) -> None:
        """The revision is kept."""
        self._outcomes.setdefault(outcome.decision_id, {}).setdefault(outcome.revision, outcome)

    def revisions(self, decision_id: str) -> list[Outcome]:
        """All that was told, oldest first."""
        told = self._outcomes.get(decision_id, {})
        return [told[number] for number in sorted(told)]

    def outcomes(self, decision_ids: Iterable[str]) -> dict[str, Outcome]:
        """The latest revision of each."""
        return {one: self.revisions(one)[-1] for one in decision_ids if one in self._outcomes}

    def complain(self, complaint: Complaint) -> bool:
        """The complaint is kept; whether it is new."""
        return self._complaints.setdefault(complaint.complaint_id, complaint) is complaint

    def complaint(self, complaint_id: str) -> Complaint:
        """The complaint."""
        if complaint_id not in self._complaints:
            raise no_complaint(complaint_id)
        return self._complaints[complaint_id]

    def complaints(self, decision_id: str) -> list[Complaint]:
        """Every complaint about the decision, by time, then id."""
        found = (one for one in self._complaints.values() if one.decision_id == decision_id)
        return sorted(found, key=lambda one: (one.word.at, one.complaint_id))
