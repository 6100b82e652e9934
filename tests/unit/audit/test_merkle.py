from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

VECTORS = [
    bytes.fromhex(text)
    for text in [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
]
ROOTS = [  # Certificate Transparency reference vectors, sizes 1 to 8
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(bytes([n])) for n in range(70)]


def by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_the_book(leaves[:split]), by_the_book(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_vectors(size):
    assert tree_root(leaf_hash(body) for body in VECTORS[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize("size", range(70))
def test_the_frontier_has_the_root_of_the_definition(size):
    assert tree_root(LEAVES[:size]) == by_the_book(LEAVES[:size])


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_frontier_that_was_packed_goes_on_where_it_was(first, second):
    first, second = sorted((first, second))
    begun = Frontier()
    begun.extend(LEAVES[:first])
    going_on = Frontier.load(begun.size, begun.pack())
    going_on.extend(LEAVES[first:second])

    assert (going_on.size, going_on.root()) == (second, tree_root(LEAVES[:second]))


@pytest.mark.parametrize(
    ("size", "packed"), [(1, b""), (0, bytes(32)), (3, bytes(32)), (-1, b""), (2, bytes(31))]
)
def test_bytes_that_are_no_frontier_are_refused(size, packed):
    with pytest.raises(ValueError, match="no frontier"):
        Frontier.load(size, packed)


def test_every_inclusion_proof_holds_for_its_leaf_and_no_other():
    for size in range(1, 34):
        root = tree_root(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            assert verify_inclusion(LEAVES[index], index, size, proof, root)
            assert not verify_inclusion(LEAVES[index + 1], index, size, proof, root)
            assert not any(
                verify_inclusion(LEAVES[index], other, size, proof, root)
                for other in range(size)
                if other != index
            )
            assert not verify_inclusion(LEAVES[index], index, size, [*proof, bytes(32)], root)
            assert not proof or not verify_inclusion(LEAVES[index], index, size, proof[:-1], root)


def test_every_consistency_proof_holds_for_its_sizes_and_no_other_root():
    for second in range(34):
        new = tree_root(LEAVES[:second])
        for first in range(second + 1):
            proof = consistency_proof(LEAVES[:second], first)
            old = tree_root(LEAVES[:first])
            assert verify_consistency(first, second, old, new, proof)
            assert not verify_consistency(first, second, bytes(32), new, proof)
            assert first == 0 or not verify_consistency(first, second, old, bytes(32), proof)
            assert not verify_consistency(first, second, old, new, [*proof, bytes(32)])


def test_there_is_no_proof_of_what_is_not_there():
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES[:3], 3)
    with pytest.raises(IndexError):
        consistency_proof(LEAVES[:3], 4)
    assert not verify_inclusion(LEAVES[0], 0, 0, [], EMPTY_ROOT)
    assert not verify_consistency(3, 2, EMPTY_ROOT, EMPTY_ROOT, [])
