"""Which example ids and label events a log holds, without reading the log.

A key is 16 bytes of BLAKE2b. Sorted tables of keys and places stand beside the log (24 bytes a row), so that
a commit looks its rows up by bisection in memory-mapped files. Batches share tables so that there are few of
them (`runs`). The tables are derived: a lost one is built again from the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Keys = npt.NDArray[np.uint64]
"""Two halves by n: shape (2, n)."""

KeyTable = npt.NDArray[np.uint64]
"""First halves, second halves and places by n, sorted by the halves: shape (3, n)."""

ABSENT = -1


class KeyShelf(Protocol):
    """Where key tables lie, by log and head."""

    def put(self, log: str, head: str, table: KeyTable) -> None:
        """Keep the table; one that is there already stays."""
        ...

    def get(self, log: str, head: str) -> KeyTable | None:
        """The table, or None where it is lost."""
        ...

    def drop(self, log: str, head: str) -> None:
        """The table is not there; one that was not stays so."""
        ...


def example_keys(examples: pa.Table) -> Keys:
    """One key per example, of its id."""
    return _keys(examples.column("example_id").to_pylist())


def label_keys(labels: pa.Table) -> Keys:
    """One key per label event, of example, resolution and source."""
    columns = (labels.column(name).to_pylist() for name in ("example_id", "resolution_id", "source"))
    return _keys(f"{len(e)}:{e}{r or ''}:{s}" for e, r, s in zip(*columns, strict=True))


def key_table(keys: Keys, first_row: int) -> KeyTable:
    """The sorted table of keys that stand at `first_row` and on; of equal keys the earlier first."""
    places = np.arange(first_row, first_row + keys.shape[1], dtype=np.uint64)
    order = np.lexsort((places, keys[1], keys[0]))
    return np.ascontiguousarray(np.vstack([keys, places])[:, order])


def runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Which batches share a key table, given how many rows each has: (first, last + 1) of each run.

    A new batch joins the runs before it that are at most twice as long as what it has grown to, so that each
    table is less than half as long as the one before: there are few, and a row moves only a few times (a
    log-structured merge: O'Neil et al., Acta Informatica 33, 1996).

    >>> runs([1_000_000, 1_000, 1_000, 1_000, 1_000])
    [(0, 1), (1, 4), (4, 5)]
    """
    found: list[tuple[int, int, int]] = []  # first, last + 1, rows
    for place, count in enumerate(rows):
        first, total = place, count
        while found and found[-1][2] <= 2 * total:
            first, _, before = found.pop()
            total += before
        found.append((first, place + 1, total))
    return [(first, stop) for first, stop, _ in found]


def merged(tables: Sequence[KeyTable]) -> KeyTable:
    """One sorted table of all; of equal keys the earlier place first."""
    if len(tables) == 1:
        return tables[0]
    joined = np.hstack(tables)
    order = np.argsort(joined[0], kind="stable")  # runs that are sorted already are only merged
    if (np.diff(joined[0][order]) == 0).any():  # two ids that share 8 bytes of hash
        order = np.lexsort((joined[2], joined[1], joined[0]))
    return np.ascontiguousarray(joined[:, order])


def places(tables: Sequence[KeyTable], keys: Keys) -> npt.NDArray[np.int64]:
    """The place of each key in the log, ABSENT where no table has it; the earliest where several do."""
    found = np.full(keys.shape[1], ABSENT, dtype=np.int64)
    order = np.argsort(keys[0])  # in order, one bisection reads what the one before it read
    asked = keys[:, order]
    for table in reversed(tables):
        here = _places_in(table, asked)
        hit = here != ABSENT
        found[order[hit]] = here[hit]
    return found


def _places_in(table: KeyTable, keys: Keys) -> npt.NDArray[np.int64]:
    size = table.shape[1]
    if not size:
        return np.full(keys.shape[1], ABSENT, dtype=np.int64)
    at = np.searchsorted(table[0], keys[0])
    while True:
        inside = np.minimum(at, size - 1)
        same = (at < size) & (table[0][inside] == keys[0])
        lower = same & (table[1][inside] < keys[1])
        if not lower.any():  # only two ids that share 8 bytes of hash take another turn
            break
        at = at + lower
    hit = same & (table[1][inside] == keys[1])
    return np.where(hit, table[2][inside].astype(np.int64), ABSENT)


def _keys(texts: Iterable[str]) -> Keys:
    blake2b = hashlib.blake2b
    raw = b"".join([blake2b(text.encode(), digest_size=16).digest() for text in texts])
    return np.ascontiguousarray(np.frombuffer(raw, dtype="<u8").reshape(-1, 2).T)
