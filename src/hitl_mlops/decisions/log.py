"""The decision log: every decision ever made, with its case, whatever store its blocks lie in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.block import Block, key_of, split_keys
from hitl_mlops.decisions.block_store import BlockStore
from hitl_mlops.decisions.record import Case, Decision, ShadowPrediction
from hitl_mlops.errors import NotFoundError
from hitl_mlops.ids import keyed_id
from hitl_mlops.routing.sampling import ID_BYTES, draws_in, keyed_digests


class DecidedAlreadyError(Exception):
    """A decision that was to be made stands in the log."""


class DecisionLog:
    """Every decision ever made, with its case, kept before it is released.

    Args:
        store: where the blocks are.
        key: the project's policy key; it gives every case the id of its decision.
    """

    def __init__(self, store: BlockStore, key: bytes) -> None:
        self.store, self.key = store, key

    def id_of(self, case_id: str) -> str:
        """The id of the decision on that case, whether it was made or not."""
        return keyed_id("d", self.key, case_id)

    def keys_of(self, case_ids: Sequence[str]) -> npt.NDArray[np.uint8]:
        """The keys of the decisions on those cases, made or not; shape (len(case_ids), 12)."""
        return keyed_digests(self.key, case_ids)[:, :ID_BYTES]

    def drawn(self, case_ids: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
        """As `keys_of`, and the draws of the spot checks; shapes (n, 12) and (n,)."""
        digests = keyed_digests(self.key, case_ids)
        return digests[:, :ID_BYTES], draws_in(digests)

    def claim(self, keys: npt.NDArray[np.uint8]) -> int:
        """Nobody else decides these cases; the number of the block that is to hold their decisions.

        In the transaction in which they are then recorded; a claim that fails must roll it back.

        Args:
            keys: of the decisions that are to be made, at least one; shape (n, 12).

        Raises:
            DecidedAlreadyError: one is made already, or stands twice among them.
        """
        self.store.turn()
        number = self.store.claim(keys)
        if number is None:
            raise DecidedAlreadyError
        return number

    def record(self, block: Block) -> None:
        """The block is kept under its number, which was claimed for its decisions."""
        self.store.keep(block)

    def get(self, decision_id: str) -> Decision:
        """The decision; raises NotFoundError."""
        found = self.many([decision_id])
        if not found:
            raise _unknown("decision", decision_id)
        return found[decision_id]

    def many(self, decision_ids: Iterable[str]) -> dict[str, Decision]:
        """Decision id → decision, for those that are known."""
        return {one.decision_id: one for block in self._holding(decision_ids) for one in block.decisions()}

    def case(self, case_id: str) -> Case:
        """The case; raises NotFoundError."""
        found = self.cases([case_id])
        if not found:
            raise _unknown("case", case_id)
        return found[case_id]

    def cases(self, case_ids: Iterable[str]) -> dict[str, Case]:
        """Case id → case, for those that are known."""
        blocks = self._standing(split_keys(self.keys_of(list(case_ids))))
        return {one.case_id: one for block in blocks for one in block.cases().records()}

    def decided(self, case_ids: Iterable[str]) -> dict[str, Decision]:
        """Case id → decision, for those already decided."""
        return self.decided_under(split_keys(self.keys_of(list(case_ids))))

    def decided_under(self, keys: Sequence[bytes]) -> dict[str, Decision]:
        """Case id → decision, for those of the keys under which one stands."""
        return {one.case_id: one for block in self._standing(keys) for one in block.decisions()}

    def decisions(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
    ) -> list[Decision]:
        """Decisions at or after `since` and before `until`, by time, then id."""
        chosen = [
            one
            for block in self.store.blocks(since=since, until=until)
            for one in block.decisions()
            if model_version is None or one.model_version == model_version
        ]
        return sorted(chosen, key=lambda one: (one.at, one.decision_id))

    def shadows(self, model_version: str, *, since: datetime | None = None) -> list[ShadowPrediction]:
        """What that version said in the shadow of decisions at or after `since`, by decision id."""
        chosen = [
            one
            for block in self.store.blocks(since=since)
            for one in block.shadows()
            if one.model_version == model_version
        ]
        return sorted(chosen, key=lambda one: one.decision_id)

    def shadows_of(self, decision_ids: Iterable[str]) -> list[ShadowPrediction]:
        """What was said in the shadow of these decisions, by decision id."""
        found = [one for block in self._holding(decision_ids) for one in block.shadows()]
        return sorted(found, key=lambda one: one.decision_id)

    def block_of(self, decision_id: str) -> int | None:
        """Number of the block in which the decision stands; None where there is no such decision."""
        places = self.store.places([key for key in [key_of(decision_id)] if key])
        return next((number for number, _ in places.values()), None)

    def quarantine(self, refused: Sequence[tuple[str, dict[str, Any], tuple[str, ...]]], at: datetime) -> int:
        """Refused cases are kept; how many were new."""
        return self.store.quarantine(refused, at)

    def quarantined(self) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
        """The refused cases, oldest first."""
        return self.store.quarantined()

    def _holding(self, decision_ids: Iterable[str]) -> Iterator[Block]:
        """The blocks that hold these decisions, with the rows of these alone."""
        return self._standing([key for key in map(key_of, decision_ids) if key])

    def _standing(self, keys: Sequence[bytes]) -> Iterator[Block]:
        rows: dict[int, list[int]] = {}
        for number, row in self.store.places(keys).values():
            rows.setdefault(number, []).append(row)
        for block in self.store.blocks(sorted(rows)) if rows else ():
            wanted = np.array(sorted(rows[block.number]), dtype=np.intp)
            yield block if len(wanted) == len(block) else block.take(wanted).numbered(block.number)


def _unknown(what: str, name: str) -> NotFoundError:
    return NotFoundError(
        f"There is no {what} {name!r} in the decision log.",
        remedy="Check the id; `hitl decide FILE --json` prints the ids of a file's decisions.",
        id=name,
    )
