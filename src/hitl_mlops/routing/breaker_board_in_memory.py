"""The twin of the breaker board, for tests and dry runs."""

from __future__ import annotations

from hitl_mlops.routing.breaker import Breaker
from hitl_mlops.routing.breaker_board import no_breaker


class InMemoryBreakerBoard:
    """Breakers in a dict; see `BreakerBoard`."""

    def __init__(self) -> None:
        self._breakers: dict[str, Breaker] = {}

    def hold(self) -> None:
        """One thread has it to itself anyway."""

    def keep(self, breaker: Breaker) -> None:
        """The breaker is kept as it is."""
        self._breakers[breaker.breaker_id] = breaker

    def get(self, breaker_id: str) -> Breaker:
        """The breaker."""
        if breaker_id not in self._breakers:
            raise no_breaker(breaker_id, self.standing())
        return self._breakers[breaker_id]

    def standing(self) -> list[Breaker]:
        """Those that are not closed, oldest id first."""
        return [one for one in self.breakers() if one.holds]

    def breakers(self) -> list[Breaker]:
        """All of them, oldest id first."""
        return sorted(self._breakers.values(), key=lambda one: int(one.breaker_id[1:]))
