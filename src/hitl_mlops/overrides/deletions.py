"""Whether a sweep would take back so much that a person must say so first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hitl_mlops.errors import RefusedError
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.decide import ON_THE_DESK
from hitl_mlops.overrides.record import KeptAnswer
from hitl_mlops.review.desk import BEGINNING, Desk, DeskTask


@dataclass(frozen=True, slots=True)
class DeletionPolicy:
    """How much may be taken back unasked, because it is gone from the desk.

    Attributes:
        always: so many resolutions in any case.
        at_most_frac: of all that stand, the largest part, in [0, 1].
    """

    always: int = 10
    at_most_frac: float = 0.5


def refuse_mass_deletion(desk: Desk, book: AnswerBook, policy: DeletionPolicy) -> None:
    """A sweep may go on: what is gone from the desk holds up no more resolutions than the policy allows.

    Raises:
        RefusedError: it holds up more; nothing was changed.
        ServiceDownError: the desk does not answer.
    """
    standing = book.resolutions()
    if len(standing) <= policy.always:
        return
    gone = set(_gone(desk, book))
    lost = sum(not gone.isdisjoint(one.answer_keys) for one in standing)
    if lost > max(policy.always, policy.at_most_frac * len(standing)):
        raise RefusedError(
            f"{lost} of {len(standing)} resolutions rest on answers that are gone from {desk.name}; "
            "nothing was changed.",
            remedy="Restore the Label Studio project, or, if they were deleted on purpose, run "
            "`hitl collect --sweep --accept-deletions`.",
            lost=lost,
            standing=len(standing),
        )


def deleted(page: Sequence[DeskTask], kept: Mapping[str, KeptAnswer]) -> set[str]:
    """Keys of answers of these tasks that the desk shows no revision of any more; an edit is no deletion."""
    shown = {answer.annotation_id for task in page for answer in task.answers}
    return {
        one.key for one in kept.values() if one.state in ON_THE_DESK and one.answer.annotation_id not in shown
    }


def _gone(desk: Desk, book: AnswerBook) -> Iterator[str]:
    for page in desk.changes(BEGINNING):
        yield from deleted(page, book.answers_of(desk.name, [task.task_id for task in page]))
    yield from deleted([], book.answers_of(desk.name, book.task_ids(desk.name) - set(desk.task_ids())))
