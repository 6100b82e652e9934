"""RFC 6962 Merkle trees over bytes: hashes, an appendable frontier, and proofs. Pure.

Source: B. Laurie, A. Langley, E. Kasper, "Certificate Transparency", RFC 6962 (2013), section 2.1; proof
verification follows RFC 9162, sections 2.1.3.2 and 2.1.4.2. The doctests are the Certificate Transparency
reference vectors (eight leaves).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Self

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""

LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"

_sha256 = hashlib.sha256


def leaf_hash(body: bytes) -> bytes:
    """SHA-256(0x00 ‖ body), 32 bytes.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return _sha256(LEAF_PREFIX + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right), 32 bytes."""
    return _sha256(NODE_PREFIX + left + right).digest()


def split_hashes(joined: bytes) -> list[bytes]:
    """Hashes that were joined, 32 bytes each; a rest is left out."""
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined) - HASH_BYTES + 1, HASH_BYTES)]


class Frontier:
    """The roots of the perfect subtrees of a growing tree, largest first: all that an append needs, O(log n).

    >>> vectors = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    >>> vectors += ["606162636465666768696a6b6c6d6e6f"]
    >>> frontier = Frontier()
    >>> frontier.extend(leaf_hash(bytes.fromhex(text)) for text in vectors)
    >>> frontier.size, frontier.root().hex()[:16]
    (8, '5dc9da79a70659a9')
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    @classmethod
    def load(cls, size: int, packed: bytes) -> Self:
        """The frontier that `pack` wrote.

        Raises:
            ValueError: the bytes do not hold one peak for each bit that is set in the size.
        """
        if size < 0 or len(packed) != HASH_BYTES * size.bit_count():
            raise ValueError(f"{len(packed)} bytes are no frontier of {size} leaves")
        return cls(size, split_hashes(packed))

    def pack(self) -> bytes:
        """The peaks joined, 32 bytes each; empty for the empty tree."""
        return b"".join(self.peaks)

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """The tree has these leaves at its end."""
        peaks, size, sha256 = self.peaks, self.size, _sha256
        for leaf in leaf_hashes:
            top, carry = leaf, size
            while carry & 1:
                top = sha256(NODE_PREFIX + peaks.pop() + top).digest()
                carry >>= 1
            peaks.append(top)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves, 32 bytes; `EMPTY_ROOT` without leaves."""
        if not self.peaks:
            return EMPTY_ROOT
        top = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            top = node_hash(peak, top)
        return top


def tree_root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over the leaves.

    >>> tree_root([]).hex()[:16]
    'e3b0c44298fc1c14'
    >>> tree_root([leaf_hash(b""), leaf_hash(bytes(1))]).hex()[:16]
    'fac54203e7cc696c'
    """
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.root()


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index` (RFC 6962 §2.1.1), from the leaf upwards; O(n) to build, O(log n) long.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaf_hashes):
        raise IndexError(f"leaf {index} of {len(leaf_hashes)}")
    path: list[bytes] = []
    start, stop = 0, len(leaf_hashes)
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(tree_root(leaf_hashes[middle:stop]))
            stop = middle
        else:
            path.append(tree_root(leaf_hashes[start:middle]))
            start = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows that `leaf` (a leaf hash) is entry `index` of the tree with this size and root.

    >>> leaves = [leaf_hash(bytes([n])) for n in range(5)]
    >>> verify_inclusion(leaves[4], 4, 5, inclusion_proof(leaves, 4), tree_root(leaves))
    True
    >>> verify_inclusion(leaves[3], 4, 5, inclusion_proof(leaves, 4), tree_root(leaves))
    False
    """
    if not 0 <= index < size:
        return False
    node, last, top = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            top = node_hash(sibling, top)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            top = node_hash(top, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and top == root


def consistency_proof(leaf_hashes: Sequence[bytes], first: int) -> list[bytes]:
    """That the tree of the first `first` leaves is a prefix of this one (RFC 6962 §2.1.2); empty for 0 and n.

    Raises:
        IndexError: there are not that many leaves.
    """
    if not 0 <= first <= len(leaf_hashes):
        raise IndexError(f"{first} of {len(leaf_hashes)} leaves")
    if first in (0, len(leaf_hashes)):
        return []
    path: list[bytes] = []
    start, stop, whole = 0, len(leaf_hashes), True
    while first - start < stop - start:
        middle = start + _split(stop - start)
        if first <= middle:
            path.append(tree_root(leaf_hashes[middle:stop]))
            stop = middle
        else:
            path.append(tree_root(leaf_hashes[start:middle]))
            start, whole = middle, False
    if not whole:
        path.append(tree_root(leaf_hashes[start:stop]))
    return path[::-1]


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows that the tree (first, first_root) is a prefix of (second, second_root).

    >>> leaves = [leaf_hash(bytes([n])) for n in range(7)]
    >>> verify_consistency(3, 7, tree_root(leaves[:3]), tree_root(leaves), consistency_proof(leaves, 3))
    True
    """
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        return False
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and older == first_root and newer == second_root


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (size ≥ 2)."""
    return 1 << ((size - 1).bit_length() - 1)
