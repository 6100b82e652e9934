"""Signed statements "at this time the trail had this size and this root", and where they are kept.

The text is a C2SP checkpoint (https://c2sp.org/tlog-checkpoint) in a C2SP signed note
(https://c2sp.org/signed-note), so that tools which know transparency logs can read it. The time is an
extension line.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hitl_mlops.errors import IntegrityError
from hitl_mlops.ids import instant, parse_instant

EM_DASH = "\u2014"
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 4
ROOT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of a trail at a moment, signed.

    Attributes:
        origin: which trail, also the name of its key; no space, no plus sign.
        size: how many entries the root covers.
        root: Merkle root over entries 0 … size - 1, 32 bytes.
        at: when it was signed, with zone.
        key_id: first 4 bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key).
        signature: Ed25519 over `text`, 64 bytes.
    """

    origin: str
    size: int
    root: bytes
    at: datetime
    key_id: bytes
    signature: bytes

    def text(self) -> str:
        """The four lines that are signed."""
        return checkpoint_text(self.origin, self.size, self.root, self.at)

    def note(self) -> str:
        """Text, empty line, signature line: what is written outside the database."""
        seal = base64.b64encode(self.key_id + self.signature).decode()
        return f"{self.text()}\n{EM_DASH} {self.origin} {seal}\n"


def checkpoint_text(origin: str, size: int, root: bytes, at: datetime) -> str:
    r"""The C2SP checkpoint: origin, size, root in base64, and the time as an extension line.

    >>> from datetime import UTC
    >>> checkpoint_text("hitl/demo", 7, bytes(32), datetime(2026, 1, 2, tzinfo=UTC)).splitlines()[:2]
    ['hitl/demo', '7']
    """
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\ntime {instant(at)}\n"


def parse_checkpoint(note: str) -> Checkpoint:
    """The checkpoint that `note` wrote; its signature is not checked here.

    Raises:
        IntegrityError: the text is not byte for byte what `Checkpoint.note` writes.
    """
    try:
        origin, size, root, time, empty, seal, end = note.split("\n")
        mark, name, packed = seal.split(" ")
        raw = base64.b64decode(packed, validate=True)
        checkpoint = Checkpoint(
            origin=origin,
            size=int(size),
            root=base64.b64decode(root, validate=True),
            at=parse_instant(time.removeprefix("time ")),
            key_id=raw[:KEY_ID_BYTES],
            signature=raw[KEY_ID_BYTES:],
        )
    except (ValueError, binascii.Error) as error:
        raise _unreadable() from error
    well_formed = (empty, end, mark, name) == ("", "", EM_DASH, origin)
    lengths = (len(checkpoint.root), len(checkpoint.signature)) == (ROOT_BYTES, SIGNATURE_BYTES)
    if not (well_formed and lengths and checkpoint.size >= 0 and checkpoint.note() == note):
        raise _unreadable()
    return checkpoint


def _unreadable() -> IntegrityError:
    return IntegrityError(
        "A checkpoint is not a C2SP checkpoint.", remedy="Restore the checkpoint file from a copy."
    )


LeafHashes = Callable[[int, int], bytes]
"""Leaf hashes of entries start … stop - 1, joined, 32 bytes each."""


class CheckpointStore(Protocol):
    """Where checkpoints are kept, outside the database, so that whoever can write there alone forges nothing.

    Beside the checkpoints it keeps the leaf hashes they cover. The signed roots vouch for them, so they need
    no trust, and with them a verification names the very entry that was changed, not only the stretch it lies
    in.
    """

    def write(self, checkpoint: Checkpoint, leaf_hashes: LeafHashes) -> None:
        """The checkpoint and the leaf hashes up to its size are durable; a repeat does nothing.

        Raises:
            ServiceDownError: the place cannot be written.
        """
        ...

    def notes(self) -> list[str]:
        """Every note in the order written, as found: whoever reads them judges them."""
        ...

    def latest(self) -> Checkpoint | None:
        """The readable checkpoint of the greatest size, or None."""
        ...

    def leaf_hashes(self, start: int, stop: int) -> bytes:
        """Kept leaf hashes of entries start … stop - 1, joined; shorter where fewer are kept."""
        ...
