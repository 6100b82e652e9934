"""The port of what the rate limits count. Twin `limit_book_in_memory`, real adapter `limit_book_sql`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from hitl_mlops.routing.rate_limits import Budget, RateLimit


class LimitBook(Protocol):
    """How many decisions were automatic under each limit, shared by all who decide."""

    def budgets(self, limits: Sequence[RateLimit], now: datetime) -> list[Budget]:
        """Each limit with what is used of it, in their order.

        In an open transaction the counts hold until it ends: others who decide wait. Stretches of time that
        lie ahead of `now` count too, so that a clock that was set back makes no room.
        """
        ...

    def add(self, counts: Mapping[RateLimit, int], now: datetime) -> None:
        """So many more decisions are counted under each limit. Joins an open transaction."""
        ...
