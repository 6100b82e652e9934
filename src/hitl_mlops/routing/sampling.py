"""Draws that anyone with the key can repeat, and nobody without it can foresee."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hitl_mlops.ids import keyed_hash


def keyed_digests(key: bytes, ids: Sequence[str]) -> npt.NDArray[np.uint8]:
    """`ids.keyed_digest(key, id)` of every id; shape (len(ids), 32).

    The key's block is hashed once and copied for every id.
    """
    keyed, found = keyed_hash(key), []
    for each in ids:
        raw = each.encode()
        one = keyed.copy()
        one.update(len(raw).to_bytes(8, "big") + raw)
        found.append(one.digest())
    return np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, 32)


def keyed_fractions(key: bytes, ids: Sequence[str]) -> npt.NDArray[np.float64]:
    """`ids.keyed_fraction(key, id)` of every id, in [0, 1); shape (len(ids),). No ids give an empty array."""
    heads = np.zeros((len(ids), 8), dtype=np.uint8)
    heads[:, :7] = keyed_digests(key, ids)[:, :7]
    whole = heads.view(">u8").ravel() >> np.uint64(8)
    return whole.astype(np.float64) / 2**56
