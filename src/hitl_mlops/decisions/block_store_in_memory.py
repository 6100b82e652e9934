"""The twin of the block store, for tests and dry runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.block import Block, split_keys
from hitl_mlops.decisions.block_store import Place
from hitl_mlops.ids import content_id


class InMemoryBlockStore:
    """Blocks in a list; see `BlockStore`."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._places: dict[bytes, Place] = {}
        self._quarantined: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {}

    def turn(self) -> None:
        """The twin has one writer."""

    def claim(self, keys: npt.NDArray[np.uint8]) -> int | None:
        """The number of the next block, or None where a key is there already."""
        claimed = split_keys(keys)
        return None if len({*claimed}) < len(claimed) or self.places(claimed) else len(self._blocks) + 1

    def keep(self, block: Block) -> None:
        """The block is kept, and its keys lead to it."""
        self._blocks.append(block)
        self._places |= {key: (block.number, row) for row, key in enumerate(block.keys)}

    def places(self, keys: Sequence[bytes]) -> dict[bytes, Place]:
        """Key → place, for those that are known."""
        return {key: self._places[key] for key in keys if key in self._places}

    def blocks(
        self,
        numbers: Sequence[int] | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Block]:
        """The blocks of those numbers (None: of all) decided in that span, by number."""
        for block in self._blocks:
            chosen = numbers is None or block.number in numbers
            in_span = (since is None or block.at >= since) and (until is None or block.at < until)
            if chosen and in_span:
                yield block

    def hashes(self, number: int) -> bytes:
        """The hashes of the rows of that block."""
        return b"".join(self._blocks[number - 1].hashes) if 0 < number <= len(self._blocks) else b""

    def quarantine(self, refused: Sequence[tuple[str, dict[str, Any], tuple[str, ...]]], at: datetime) -> int:
        """Keep refused cases once; answer how many were new."""
        before = len(self._quarantined)
        for each in refused:
            self._quarantined.setdefault(content_id("q", each), each)
        del at  # the twin keeps them in order, which is all their time is for
        return len(self._quarantined) - before

    def quarantined(self) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
        """The refused cases, oldest first."""
        return list(self._quarantined.values())
