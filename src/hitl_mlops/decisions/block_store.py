"""The port of the block store. Twin `block_store_in_memory`, real adapter `block_store_sql`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.block import Block

Place: TypeAlias = tuple[int, int]
"""Where a decision stands: number of the block, and row in it."""


class BlockStore(Protocol):
    """Blocks, and where each decision stands in them."""

    def claim(self, keys: npt.NDArray[np.uint8]) -> int | None:
        """The keys lead to the rows of the next block, in their order; the number it is to have.

        None where a key is there already, or stands twice. In the transaction in which the block is then
        kept, and in which the caller holds the writer's turn (`turn`); it must roll back on None.

        Args:
            keys: at least one; shape (n, 12).
        """
        ...

    def keep(self, block: Block) -> None:
        """The block is kept under its number, the one claimed for its keys."""
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
