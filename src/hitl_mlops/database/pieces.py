"""Many ids, asked for in statements that every database takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

IDS_PER_QUERY = 500
"""Within every database's limit of parameters."""


def pieces_of(ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids, each once and sorted, in lists of 500 at the most.

    >>> list(pieces_of(["b", "a", "b"]))
    [['a', 'b']]
    """
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), IDS_PER_QUERY):
        yield ordered[start : start + IDS_PER_QUERY]
