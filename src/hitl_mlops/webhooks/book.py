"""The port of the deliveries that were heard. Twin `book_in_memory`, real adapter `book_sql`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

REMEMBERED_FOR = timedelta(hours=24)


class HeardBook(Protocol):
    """Which deliveries were heard, so that one sent again does nothing."""

    def hear(self, delivery_id: str, now: datetime) -> bool:
        """The delivery is remembered for 24 h, in every worker; whether it is new.

        Older ones are forgotten. Of two that hear the same at once, it is new to one.
        """
        ...
