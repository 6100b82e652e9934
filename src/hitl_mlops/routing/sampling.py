"""Draws that anyone with the key can repeat, and nobody without it can foresee."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hitl_mlops.ids import keyed_hash

ID_BYTES = 12
"""So many bytes of a case's digest name its decision; the next seven draw its spot check."""
_DRAW_BYTES = 7


def keyed_digests(key: bytes, case_ids: Sequence[str]) -> npt.NDArray[np.uint8]:
    """`ids.keyed_digest(key, id)` of every case id; shape (len(case_ids), 32).

    The key's block is hashed once and copied for every id.
    """
    keyed, found = keyed_hash(key), []
    for each in case_ids:
        raw = each.encode()
        one = keyed.copy()
        one.update(len(raw).to_bytes(8, "big") + raw)
        found.append(one.digest())
    return np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, 32)


def draws_in(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The draw of each case, uniform in [0, 1), from its digest; shape (len(digests),).

    It is independent of the bytes that name the decision: who knows the id knows nothing of the draw.
    """
    heads = np.zeros((len(digests), 8), dtype=np.uint8)
    heads[:, :_DRAW_BYTES] = digests[:, ID_BYTES : ID_BYTES + _DRAW_BYTES]
    whole = heads.view(">u8").ravel() >> np.uint64(8)
    return whole.astype(np.float64) / 2**56


def draws(key: bytes, case_ids: Sequence[str]) -> npt.NDArray[np.float64]:
    """The draw of each case, uniform in [0, 1); shape (len(case_ids),). No ids give an empty array.

    >>> draws(b"k", ["case-1"]) == draws(b"k", ["case-1", "case-2"])[:1]
    array([ True])
    """
    return draws_in(keyed_digests(key, case_ids))
