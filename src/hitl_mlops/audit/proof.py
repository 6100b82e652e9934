"""Proof that one entry stands in the signed trail, for someone who has only the public key."""

from __future__ import annotations

from dataclasses import dataclass

from hitl_mlops.audit.checkpoint import Checkpoint, parse_checkpoint
from hitl_mlops.audit.entry import Entry
from hitl_mlops.audit.keys import Verifier
from hitl_mlops.audit.merkle import inclusion_proof, leaf_hash, verify_inclusion
from hitl_mlops.audit.trail import Trail
from hitl_mlops.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """All that is needed, beside the public key, to see that the entry was signed.

    Attributes:
        sequence: the place of the entry.
        body: its canonical bytes.
        path: sibling hashes from the leaf upwards (RFC 6962 §2.1.1), 32 bytes each.
        note: the signed checkpoint.
    """

    sequence: int
    body: bytes
    path: tuple[bytes, ...]
    note: str


def prove(trail: Trail, sequence: int) -> InclusionProof:
    """A proof under a checkpoint made now; reads the whole trail once.

    Raises:
        NotFoundError: there is no such entry.
    """
    checkpoint: Checkpoint = trail.seal()
    if not 0 <= sequence < checkpoint.size:
        raise NotFoundError(
            f"There is no entry {sequence}; the trail has {checkpoint.size}.",
            remedy=f"Give a number from 0 to {checkpoint.size - 1}.",
        )
    leaves: list[bytes] = []
    wanted: list[Entry] = []
    for entry in trail.entries(0, checkpoint.size):
        leaves.append(entry.leaf_hash)
        if entry.sequence == sequence:
            wanted.append(entry)
    path = tuple(inclusion_proof(leaves, sequence))
    return InclusionProof(sequence, wanted[0].body, path, checkpoint.note())


def holds(proof: InclusionProof, verifier: Verifier) -> bool:
    """Whether the holder of the key signed a trail with these bytes at this place.

    Raises:
        IntegrityError: the note in the proof is no checkpoint.
    """
    checkpoint = parse_checkpoint(proof.note)
    return verifier.accepts(checkpoint) and verify_inclusion(
        leaf_hash(proof.body), proof.sequence, checkpoint.size, proof.path, checkpoint.root
    )
