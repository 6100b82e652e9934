"""What can be wrong with entries as they are stored, seen from the entries alone. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hitl_mlops.audit.entry import refs_of
from hitl_mlops.audit.merkle import leaf_hash

Row = tuple[Any, Any, Any]
"""Sequence, body, leaf hash as stored; whoever changed them may have changed their types too."""

Fault = tuple[int, str]
"""The place of the first bad entry, and what is wrong with it."""

BODY_KEYS = {"v", "seq", "kind", "actor", "at", "refs", "facts"}
NOT_JSON = (ValueError, TypeError, AttributeError, KeyError, RecursionError)

_scan = json.JSONDecoder().raw_decode
_encode = (
    json.JSONEncoder(  # the spelling of `ids.canonical_json`, without its care for values that JSON lacks
        sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
    ).encode
)


def sound_leaves(start: int, rows: Sequence[Row], refs: Sequence[tuple[Any, Any]]) -> list[bytes] | None:
    """The leaf hashes of the rows if they are entries start, start + 1, … and sound; else None.

    This is the fast road: each check is one comparison over all rows. It agrees with `leaves_before_fault`.
    """
    try:
        places = list(range(start, start + len(rows)))
        bodies = [row[1] for row in rows]
        leaves = [leaf_hash(body) for body in bodies]
        if [row[0] for row in rows] != places or [row[2] for row in rows] != leaves:
            return None
        texts = [body.decode("utf-8", "surrogatepass") for body in bodies]
        read = [_scan(text)[0] for text in texts]
        # An object's text is no beginning of another object's, so equal joins mean equal parts.
        if _encode(read) != "[" + ",".join(texts) + "]":
            return None
        if [one["seq"] for one in read] != places or any(one.keys() != BODY_KEYS for one in read):
            return None
        named = {
            (place, ref)
            for place, one in zip(places, read, strict=True)
            for ids in one["refs"].values()
            for ref in ids
        }
        return leaves if len(named) == len(refs) and named == set(map(tuple, refs)) else None
    except NOT_JSON:
        return None


def leaves_before_fault(
    start: int, rows: Sequence[Row], refs: Sequence[tuple[Any, Any]]
) -> tuple[list[bytes], Fault]:
    """The leaf hashes before the first bad entry, and that entry with what is wrong, in plain words.

    The slow road, taken for rows of which `sound_leaves` knows that something is wrong.
    """
    index: dict[Any, set[Any]] = {}
    for place, ref in refs:
        index.setdefault(place, set()).add(ref)
    leaves: list[bytes] = []
    for place, row in enumerate(rows, start):
        what = _fault_of(place, row, index.pop(place, set()))
        if what is not None:
            return leaves, (place, what)
        leaves.append(leaf_hash(row[1]))
    place = start + len(rows)
    return leaves, (place, f"The index names entries that do not stand here: {sorted(map(str, index))[:3]}.")


def _fault_of(place: int, row: Row, indexed: set[Any]) -> str | None:
    sequence, body, stored = row
    if sequence != place:
        instead = "is missing" if sequence > place else f"should come next, but entry {sequence} stands there"
        return f"Entry {place} {instead}."
    if not isinstance(body, bytes) or stored != leaf_hash(body):
        return f"The text of entry {place} does not have the hash that was stored with it."
    return _fault_of_text(place, body, indexed)


def _fault_of_text(place: int, body: bytes, indexed: set[Any]) -> str | None:
    try:
        read = json.loads(_text(body))
        spelled = _encode(read)
        named = refs_of(read)
    except NOT_JSON:
        return f"Entry {place} is no entry: its text is not JSON of the right form."
    if spelled != _text(body):
        return f"Entry {place} is not in canonical form: the same content could be spelled in two ways."
    if read.keys() != BODY_KEYS:
        return f"Entry {place} does not have the fields of an entry."
    if read["seq"] != place:
        return f"The entry at place {place} says that it is entry {read['seq']}."
    if set(named) != indexed:
        return f"The index of references is wrong for entry {place}: {sorted(set(named) ^ indexed)[:3]}."
    return None


def _text(body: bytes) -> str:
    return body.decode("utf-8", "surrogatepass")
