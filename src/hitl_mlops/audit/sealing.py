"""When a checkpoint is due, and writing it; the same for every trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hitl_mlops.audit.checkpoint import Checkpoint, CheckpointStore, LeafHashes
from hitl_mlops.audit.entry import SEALED_AT_ONCE, Kind
from hitl_mlops.audit.keys import Signer
from hitl_mlops.audit.merkle import EMPTY_ROOT
from hitl_mlops.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class SealingPolicy:
    """How much may stand in the trail unsigned.

    Attributes:
        entries: a checkpoint is due after so many entries.
        seconds_s: and with the first append so long after the last checkpoint.
        at_once: and at once after an entry of these kinds.
    """

    entries: int = 1_000
    seconds_s: float = 60.0
    at_once: frozenset[Kind] = SEALED_AT_ONCE


def is_due(policy: SealingPolicy, last: Checkpoint, size: int, kinds: Iterable[Kind], now: datetime) -> bool:
    """Whether a trail that has grown to `size` by entries of these kinds needs a checkpoint now. Pure.

    A clock that went back makes one due: its time cannot be compared.
    """
    age = now - last.at
    return (
        size - last.size >= policy.entries
        or not timedelta(0) <= age < timedelta(seconds=policy.seconds_s)
        or any(kind in policy.at_once for kind in kinds)
    )


def utc_now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class Sealer:
    """Signs the trail and keeps what it signed outside the database.

    It remembers the last checkpoint of this process; what other processes sealed meanwhile is found only at
    the start, so that together they seal a little more often than needed, never less.
    """

    def __init__(
        self,
        signer: Signer,
        store: CheckpointStore,
        *,
        policy: SealingPolicy | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.store = store
        self._signer = signer
        self._policy = policy or SealingPolicy()
        self._clock = clock
        self._last: Checkpoint | None = None

    def open(self) -> Checkpoint:
        """The last checkpoint; on an unsealed trail one of size 0 is written first.

        It is true whatever happens next, and from then on a trail with entries and no checkpoint is a trail
        whose checkpoints were taken away, not one that had no time to make any.
        """
        last = self._last or self.store.latest()
        if last is None:
            last = self._signer.sign(0, EMPTY_ROOT, self._clock())
            self.store.write(last, lambda _start, _stop: b"")
        self._last = last
        return last

    def is_due(self, size: int, kinds: Iterable[Kind]) -> bool:
        """Whether a checkpoint is due once the trail has this size.

        Raises:
            IntegrityError: a checkpoint covers more entries than that: an old backup was restored.
        """
        last = self.open()
        if size <= last.size:
            raise IntegrityError(
                f"The trail would have {size} entries now, but {last.size} were signed: the database is older"
                " than its checkpoints.",
                remedy="Restore the newest backup; `hitl audit verify` tells what is missing.",
                signed=last.size,
            )
        return is_due(self._policy, last, size, kinds, self._clock())

    def seal(self, size: int, root: bytes, leaf_hashes: LeafHashes) -> Checkpoint:
        """A checkpoint of exactly this size and root is durable; if it is the last one already, it stays so.

        Raises:
            ServiceDownError: the store cannot be written; entries are kept and the next append tries again.
        """
        last = self.open()
        if (last.size, last.root) == (size, root):
            return last
        checkpoint = self._signer.sign(size, root, self._clock())
        self.store.write(checkpoint, leaf_hashes)
        if size >= last.size:
            self._last = checkpoint
        return checkpoint
