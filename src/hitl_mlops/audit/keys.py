"""Keys of the trail: a signer that one machine holds, a verifier that anyone may have.

Ed25519 in the C2SP signed-note form. The signing key is a PEM file that only its owner may read; beside it
stands `NAME.pub`, one line `name+key id+base64`, which is all that checking needs.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hitl_mlops.audit.checkpoint import KEY_ID_BYTES, Checkpoint, checkpoint_text
from hitl_mlops.errors import ConfigurationError, InputError, IntegrityError, NotFoundError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = b"\x01"
PUBLIC_KEY_BYTES = 32
_BYTES = b"hitl signed bytes\x00"  # no checkpoint begins so: its first line is an origin without NUL


@dataclass(frozen=True, slots=True)
class Verifier:
    """Tells whether a checkpoint was signed by the holder of one key.

    Attributes:
        name: of the key, and the origin of the trail.
        public_key: raw Ed25519 public key, 32 bytes.
    """

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:KEY_ID_BYTES]

    def accepts(self, checkpoint: Checkpoint) -> bool:
        """Whether name, key id and signature are those of this key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if (checkpoint.origin, checkpoint.key_id) != (self.name, self.key_id):
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(checkpoint.signature, checkpoint.text().encode())
        except InvalidSignature:
            return False
        return True

    def accepts_bytes(self, signature: bytes, data: bytes) -> bool:
        """Whether `Signer.sign_bytes` of this key made the signature for these bytes."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, _BYTES + data)
        except InvalidSignature:
            return False
        return True

    def text(self) -> str:
        """One line to hand to whoever checks: `name+key id+base64` (C2SP verifier key)."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public_key).decode()}"


def parse_verifier(text: str) -> Verifier:
    """The verifier that `Verifier.text` wrote.

    Raises:
        IntegrityError: the line is malformed, or its key id is not that of its key.
    """
    try:
        name, key_id, packed = text.strip().split("+", 2)
        raw = base64.b64decode(packed, validate=True)
        verifier = Verifier(name, raw[1:])
        sound = raw[:1] == ED25519 and len(verifier.public_key) == PUBLIC_KEY_BYTES
        sound = sound and verifier.key_id.hex() == key_id
    except ValueError:
        sound = False
    if not sound:
        raise IntegrityError(
            "The public key of the trail is malformed.",
            remedy="Take the .pub file again from the machine that signs.",
        )
    return verifier


class Signer:
    """Signs checkpoints of one trail."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        if not name or any(sign.isspace() or sign == "+" for sign in name):
            raise InputError(
                f"{name!r} cannot name a trail.", remedy="Use a name without spaces and plus signs."
            )
        self._private_key = private_key
        self.verifier = Verifier(name, private_key.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes, at: datetime) -> Checkpoint:
        """A checkpoint that `verifier` accepts."""
        name = self.verifier.name
        signature = self._private_key.sign(checkpoint_text(name, size, root, at).encode())
        return Checkpoint(name, size, root, at, self.verifier.key_id, signature)

    def sign_bytes(self, data: bytes) -> bytes:
        """A signature that `Verifier.accepts_bytes` takes; no checkpoint can be mistaken for it."""
        return self._private_key.sign(_BYTES + data)


def signer_from_seed(name: str, seed: bytes) -> Signer:
    """The signer whose private key is this seed of 32 bytes; for tests and keys from a vault."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Signer(name, Ed25519PrivateKey.from_private_bytes(seed))


def open_signer(path: Path, name: str) -> Signer:
    """The signer whose key lies at `path`; made on first use with mode 0600, its `.pub` beside it.

    Two processes that come first together end with the same key: one wins, the other reads it.

    Raises:
        ConfigurationError: others may read the file, or it holds no Ed25519 key, or it cannot be written.
    """
    try:
        if not path.exists():
            _make_key(path)
        signer = Signer(name, _read_key(path))
        public = path.with_suffix(".pub")
        line = signer.verifier.text() + "\n"
        if not public.exists() or public.read_text() != line:
            public.write_text(line)
    except OSError as error:
        raise ConfigurationError(
            f"The signing key {path} cannot be read or made: {error.strerror}.",
            remedy="Give this user the right to read and write there.",
        ) from error
    return signer


def read_verifier(path: Path) -> Verifier:
    """The verifier in a `.pub` file.

    Raises:
        NotFoundError: there is no such file.
        IntegrityError: it is malformed.
    """
    try:
        return parse_verifier(path.read_text())
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no public key at {path}.", remedy="Copy the .pub file from the machine that signs."
        ) from error


def _make_key(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return  # another process was first, and its key is whole
    finally:
        draft.unlink()


def _read_key(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"Others may read the signing key {path}.", remedy=f"Type: chmod 600 {path}", path=str(path)
        )
    try:
        key: object = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(
            f"{path} holds no Ed25519 key.",
            remedy="Restore the key file; a new key cannot sign an old trail.",
        )
    return key
