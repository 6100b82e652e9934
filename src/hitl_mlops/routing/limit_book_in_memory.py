"""The twin of the limit book, for tests and dry runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from hitl_mlops.routing.rate_limits import Budget, RateLimit


class InMemoryLimitBook:
    """Counts in a dict; see `LimitBook`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()

    def budgets(self, limits: Sequence[RateLimit], now: datetime) -> list[Budget]:
        """Each limit with what is used of it, in their order."""
        return [
            Budget(
                limit,
                sum(
                    count
                    for (limit_id, begins), count in self._counts.items()
                    if limit_id == limit.limit_id and begins >= limit.counts_from(now)
                ),
            )
            for limit in limits
        ]

    def add(self, counts: Mapping[RateLimit, int], now: datetime) -> None:
        """So many more decisions are counted under each limit."""
        self._counts.update({(one.limit_id, one.stretch(now)): count for one, count in counts.items()})
