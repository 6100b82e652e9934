"""Whether people can be asked more: a desk that is down for long closes the project, and opens nothing."""

from __future__ import annotations

from hitl_mlops.errors import BusyError
from hitl_mlops.review.tickets import TicketBook

RETRY_AFTER_S = 60


def demand_room(book: TicketBook, most: int) -> None:
    """No more tickets wait for the desk than may.

    Args:
        book: the tickets.
        most: how many may wait; `review.most_waiting` of hitl.yaml.

    Raises:
        BusyError: more wait, and no case is to be decided; `data["retry_after_s"]` says when to ask again.
    """
    if book.more_wait_than(most):
        raise BusyError(
            f"More than {most:,} tickets wait for the desk, so that no case is decided.",
            remedy="Run `hitl review push` once Label Studio answers (`hitl doctor` says whether it does), "
            "or raise review.most_waiting in hitl.yaml.",
            retry_after_s=RETRY_AFTER_S,
        )
