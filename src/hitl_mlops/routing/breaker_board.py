"""The port of the breakers. Twin `breaker_board_in_memory`, real adapter `breaker_board_sql`."""

from __future__ import annotations

from typing import Protocol

from hitl_mlops.errors import NotFoundError
from hitl_mlops.routing.breaker import Breaker


class BreakerBoard(Protocol):
    """Every breaker that was ever open. Each call reads afresh: nothing is remembered between two."""

    def hold(self) -> None:
        """Nobody else changes a breaker or decides by the old ones until the open transaction ends."""
        ...

    def keep(self, breaker: Breaker) -> None:
        """The breaker is kept as it is, in the place of the one of that id. Joins an open transaction."""
        ...

    def get(self, breaker_id: str) -> Breaker:
        """The breaker; raises NotFoundError naming those that are not closed."""
        ...

    def standing(self) -> list[Breaker]:
        """Those that are not closed, oldest id first.

        In an open transaction they hold until it ends: nobody changes one in between.
        """
        ...

    def breakers(self) -> list[Breaker]:
        """All of them, oldest id first."""
        ...


def no_breaker(breaker_id: str, standing: list[Breaker]) -> NotFoundError:
    """The error that there is no such breaker."""
    on = ", ".join(one.breaker_id for one in standing)
    return NotFoundError(
        f"There is no breaker {breaker_id!r}.",
        remedy=f"Not closed are: {on}."
        if on
        else "All are closed: `hitl breakers` shows those that were not.",
        breaker_id=breaker_id,
    )


def next_breaker_id(kept: list[Breaker]) -> str:
    """The id of one that opens for the first time.

    >>> next_breaker_id([])
    'b1'
    """
    return f"b{len(kept) + 1}"
