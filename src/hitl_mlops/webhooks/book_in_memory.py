"""The twin of the deliveries that were heard."""

from __future__ import annotations

from datetime import datetime

from hitl_mlops.webhooks.book import REMEMBERED_FOR


class InMemoryHeardBook:
    """Ids in a dict; see `HeardBook`."""

    def __init__(self) -> None:
        self._heard: dict[str, datetime] = {}

    def hear(self, delivery_id: str, now: datetime) -> bool:
        """The delivery is remembered; whether it is new."""
        self._heard = {one: at for one, at in self._heard.items() if at >= now - REMEMBERED_FOR}
        is_new = delivery_id not in self._heard
        self._heard.setdefault(delivery_id, now)
        return is_new
