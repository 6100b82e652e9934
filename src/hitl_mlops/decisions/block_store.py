"""The port of the block store. Twin `block_store_in_memory`, real adapter `block_store_sql`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from hitl_mlops.decisions.block import Block

Place: TypeAlias = tuple[int, int]
"""Where a decision stands: number of the block, and row in it."""


class BlockStore(Protocol):
    """Blocks, and where each decision stands in them."""

    def add(self, block: Block) -> int | None:
        """The block is kept, and every decision in it can be found; its number.

        None, and nothing is kept, where a key is there already, or twice in the block. Joins an open
        transaction, in which the caller holds the writer's turn (`turn`).
        """
        ...

    def turn(self) -> None:
        """Nobody else adds a block until the open transaction ends."""
        ...

    def places(self, keys: Sequence[bytes]) -> dict[bytes, Place]:
        """Key → place, for those that are known."""
        ...

    def blocks(
        self,
        numbers: Sequence[int] | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Block]:
        """The blocks of those numbers (None: of all) decided in that span, by number, one after the other."""
        ...

    def hashes(self, number: int) -> bytes:
        """The hashes of the rows of that block, as they were when it was added; empty where it is gone."""
        ...

    def quarantine(self, refused: Sequence[tuple[str, dict[str, Any], tuple[str, ...]]], at: datetime) -> int:
        """Keep cases that were refused before the model saw them: (case id, row, reasons).

        Answers how many were new: the same row refused again for the same reasons is kept once.
        """
        ...

    def quarantined(self) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
        """The refused cases, oldest first."""
        ...
