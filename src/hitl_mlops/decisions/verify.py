"""Whether the decisions stored today are the ones the trail was told of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from hitl_mlops.audit.entry import Entry, Kind
from hitl_mlops.decisions.block import HASH_BYTES, Block, digest_of
from hitl_mlops.decisions.log import DecisionLog

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ChangedBlock:
    """A stored block that is not what an entry says.

    Attributes:
        sequence: the entry.
        block: the block's name.
        gone: the block is not there, or cannot be read.
        changed: decisions whose record is not as it was; empty where nobody can say which.
        lost: decisions that are not found under their id, or at their time, any more.
    """

    sequence: int
    block: str
    gone: bool = False
    changed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """One sentence naming the entry and the first decision."""
        start = f"Entry {self.sequence}: "
        if self.gone:
            return f"{start}the block {self.block} of decisions is gone, or is no block any more."
        if self.lost:
            return f"{start}{len(self.lost)} decisions are not found under their id, first {self.lost[0]}."
        if self.changed:
            return f"{start}{len(self.changed)} decisions were changed, first {self.changed[0]}."
        return f"{start}the decisions of block {self.block} do not add up to its digest."


def changed_blocks(entries: Iterable[Entry], log: DecisionLog) -> Iterator[ChangedBlock]:
    """The entries of recorded decisions whose blocks are no longer what was recorded, in order.

    Entries of other kinds are passed over. The entries themselves are taken to be verified already.
    """
    for entry in entries:
        body = entry.read()
        if body["kind"] == Kind.DECISIONS_RECORDED.value:
            found = _check(entry.sequence, body["refs"]["block"][0], body["facts"]["digest"], log)
            if found is not None:
                yield found


def _check(sequence: int, name: str, digest: str, log: DecisionLog) -> ChangedBlock | None:
    number = int(name.removeprefix("b_"))
    block = _load(log, number)
    if block is None:
        return ChangedBlock(sequence, name, gone=True)
    hashes = block.hashes
    if digest_of(hashes) == digest:
        places = log.store.places(block.keys)
        rows = enumerate(zip(block.keys, block.decision_ids, strict=True))
        at_its_time = any(log.store.blocks([number], since=block.at, until=block.at + _MOMENT))
        lost = tuple(one for row, (key, one) in rows if places.get(key) != (number, row) or not at_its_time)
        return ChangedBlock(sequence, name, lost=lost) if lost else None
    stored = log.store.hashes(number)
    told = [stored[at : at + HASH_BYTES] for at in range(0, len(stored), HASH_BYTES)]
    if digest_of(told) != digest or len(told) != len(hashes):
        return ChangedBlock(sequence, name)
    changed = (row for row, (now, then) in enumerate(zip(hashes, told, strict=True)) if now != then)
    return ChangedBlock(sequence, name, changed=tuple(block.decision_ids[row] for row in changed))


def _load(log: DecisionLog, number: int) -> Block | None:
    try:
        return next(iter(log.store.blocks([number])), None)
    except (ValueError, KeyError, TypeError):  # bytes that were meddled with spell anything
        return None
