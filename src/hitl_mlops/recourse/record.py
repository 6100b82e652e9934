"""What people say of a decision once it was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hitl_mlops.ids import content_id, sha256_hex


class How(StrEnum):
    """How a decision was taken back."""

    HALTED = "halted"
    """It had begun and was stopped."""
    REVERSED = "reversed"
    """It was done and was undone."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said, and on which way it came.

    Attributes:
        by: the person's id (`Roster.person_id`), never a name.
        reason: why, in plain words; the trail holds its digest only.
        at: when it was said.
        through: the application or program that passed it on.
    """

    by: str
    reason: str
    at: datetime
    through: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A decision that nobody may act on any more; there is at most one for a decision, and it stays.

    Attributes:
        decision_id: the decision.
        how: halted or reversed.
        word: who, why, when.
    """

    decision_id: str
    how: How
    word: Word


@dataclass(frozen=True, slots=True)
class Outcome:
    """What really happened, as it was told; a correction is a further revision.

    Attributes:
        decision_id: the decision.
        revision: from 1; the highest holds.
        label: the class that was right.
        at: when it happened.
        source: how it is known, `chargeback file`.
        by: id of the person who told it; None where an application did on its own.
        told_at: when it was told.
        through: the application or program that passed it on.
    """

    decision_id: str
    revision: int
    label: str
    at: datetime
    source: str
    by: str | None
    told_at: datetime
    through: str

    @property
    def outcome_id(self) -> str:
        """The id by which the trail names this revision."""
        return outcome_id_of(self.decision_id, self.revision)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Somebody says that a decision is wrong; a supervisor is asked.

    Attributes:
        complaint_id: ours; the same complaint sent again has the same.
        decision_id: the decision.
        word: who, why, when.
        ticket_id: the question put to a supervisor.
    """

    complaint_id: str
    decision_id: str
    word: Word
    ticket_id: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may come twice.

    Attributes:
        key: digest of the sender and of the key that came with it.
        body: digest of all that it says.
    """

    key: str
    body: str


def outcome_id_of(decision_id: str, revision: int) -> str:
    """The id of that revision of what happened to the decision."""
    return content_id("out", [decision_id, revision])


def complaint_id_of(decision_id: str, word: Word, request: Request | None) -> str:
    """The id of a complaint: by the request's key where it has one, else by who says what."""
    said = [word.by, word.reason] if request is None else [request.key]
    return content_id("com", [decision_id, *said])


def digest_of(text: str) -> str:
    """SHA-256 of a text, as the book keeps keys and bodies."""
    return "sha256:" + sha256_hex(text.encode())
