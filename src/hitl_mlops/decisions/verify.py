"""Whether the decisions stored today are the ones the trail was told of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hitl_mlops.audit.entry import Entry, Kind
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.seal import batch_seal, record_hash


@dataclass(frozen=True, slots=True)
class ChangedBatch:
    """Stored decisions that are not what an entry says.

    Attributes:
        sequence: the entry.
        missing: decisions it names that are gone, or whose case is.
        changed: decisions whose row, or whose case, is not as recorded.
    """

    sequence: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def told(self) -> str:
        """One sentence naming the entry and the first decision."""
        if self.missing:
            return f"Entry {self.sequence}: {len(self.missing)} decisions are gone, first {self.missing[0]}."
        if self.changed:
            return (
                f"Entry {self.sequence}: {len(self.changed)} decisions were changed, first {self.changed[0]}."
            )
        return f"Entry {self.sequence}: its decisions do not add up to its digest."


def changed_batches(entries: Iterable[Entry], log: DecisionLog) -> Iterator[ChangedBatch]:
    """The entries of recorded decisions whose rows or cases are no longer what was recorded, in order.

    Entries of other kinds are passed over. The entries themselves are taken to be verified already.
    """
    for entry in entries:
        body = entry.read()
        if body["kind"] == Kind.DECISIONS_RECORDED.value:
            found = _check(entry.sequence, body["refs"]["decision"], body["facts"], log)
            if found is not None:
                yield found


def _check(sequence: int, ids: list[str], facts: dict[str, object], log: DecisionLog) -> ChangedBatch | None:
    stored = log.many(ids)
    commitments = log.commitments(decision.case_id for decision in stored.values())
    hashes = {
        each: record_hash(decision, commitments[decision.case_id])
        for each, decision in stored.items()
        if decision.case_id in commitments
    }
    missing = tuple(each for each in ids if each not in hashes)
    seal = batch_seal([hashes.get(each, "") for each in ids])
    if not missing and seal["digest"] == facts["digest"]:
        return None
    marks = facts["marks"]
    differ = zip(ids, seal["marks"], marks if isinstance(marks, list) else [], strict=False)
    changed = tuple(each for each, now, then in differ if now != then and each not in missing)
    return ChangedBatch(sequence, missing, changed)
