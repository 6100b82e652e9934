"""Prove an exported trail, without the program that wrote it.

Run:  python3 verify_trail.py [FOLDER] [--key FILE]

Needs Python 3.10 or later and nothing else; where `cryptography` is installed it is faster.
FOLDER (default: where this file lies) holds what `hitl audit export` wrote:
  entries.ndjson          one line an entry: {"sequence": n, "body": base64 of the bytes that were hashed}
  checkpoints.txt         signed notes (C2SP tlog-checkpoint): origin, size, Merkle root, time, signature
  checkpoints.txt.leaves  leaf hashes, 32 bytes each; only to name the very entry that was changed
  trail.pub               the public key, `name+key id+base64` (C2SP signed-note)

Whoever made the export could have made another key. Take the public key from someone you trust, over another
road, and give it with --key; then nothing in FOLDER needs to be believed, this file neither: read it, it is
short. Leaves are SHA-256(0x00 + body), nodes SHA-256(0x01 + left + right) (RFC 6962); signatures are Ed25519
(RFC 8032). Exit code: 0 sound, 1 something is not as it was signed, 2 it could not be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Problem = tuple[int | None, str]  # the entry, and what is wrong with it
    Root = tuple[int, bytes]  # size of the trail, Merkle root
    Point = tuple[int, int, int, int]  # of the curve, in extended coordinates

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
HASH_BYTES, KEY_BYTES, SEAL_BYTES = 32, 33, 68
BASE_POINT = (4 * pow(5, P - 2, P) % P).to_bytes(32, "little")
FIELDS = ["actor", "at", "facts", "kind", "refs", "seq", "v"]


def main() -> int:
    """Say what was found, the first bad entry first."""
    parser = argparse.ArgumentParser(description="Prove an exported trail.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--key", type=Path, help="the public key, from someone you trust")
    given = parser.parse_args()
    try:
        name, key = read_key((given.key or given.folder / "trail.pub").read_text())
        notes = split_notes((given.folder / "checkpoints.txt").read_text())
        kept = (given.folder / "checkpoints.txt.leaves").read_bytes()
        with (given.folder / "entries.ndjson").open("rb") as lines:
            leaves, problems = read_entries(lines)
    except (OSError, ValueError) as error:
        say(f"Cannot be read: {error}")
        return 2
    signed, bad_notes = judge_notes(notes, name, key)
    sealed = check_roots(leaves, signed, split_hashes(kept), problems)
    problems += [(sealed if sealed < len(leaves) else None, what) for what in bad_notes]
    say(f"Key {name}+{key_id(name, key).hex()}" + ("" if given.key else " (from the export itself)"))
    for place, what in sorted(problems, key=lambda one: len(leaves) + 1 if one[0] is None else one[0]):
        say(f"Entry {place}: {what}" if place is not None else what)
    if not problems:
        say(f"Sound: {len(leaves)} entries, {sealed} of them signed, {len(signed)} checkpoints.")
    return 1 if problems else 0


def say(text: str) -> None:
    """One line for whoever reads."""
    sys.stdout.write(text + "\n")


def read_entries(lines: Iterable[bytes]) -> tuple[list[bytes], list[Problem]]:
    """Leaf hashes up to the first bad entry, and what is wrong with that one."""
    leaves: list[bytes] = []
    for place, line in enumerate(lines):
        what, body = None, b""
        try:
            entry = json.loads(line)
            body = base64.b64decode(entry["body"], validate=True)
            what = fault(place, entry["sequence"], body)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            what = "its text is not JSON of the right form."
        if what:
            return leaves, [(place, what)]
        leaves.append(hashlib.sha256(b"\x00" + body).digest())
    return leaves, []


def fault(place: int, sequence: object, body: bytes) -> str | None:
    """What is wrong with an entry, seen from itself; None if nothing."""
    text = body.decode("utf-8", "surrogatepass")
    read = json.loads(text)
    if sequence != place:
        return f"it is missing; entry {sequence} stands there."
    if text != json.dumps(read, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False):
        return "it is not in canonical form: the same content could be spelled in two ways."
    if sorted(read) != FIELDS or read["seq"] != place:
        return "it lacks the fields of an entry, or says that it is another one."
    return None


def check_roots(leaves: list[bytes], signed: list[Root], kept: list[bytes], problems: list[Problem]) -> int:
    """How many entries are signed as they stand; what differs is added to the problems."""
    sealed, roots = 0, roots_at(leaves, [size for size, _ in signed])
    stretch: list[Problem] = []
    for size, root in signed:
        if size > len(leaves):
            if not problems:
                what = f"{size} entries were signed, {len(leaves)} are here: the end was cut off."
                problems.append((len(leaves), what))
            break
        if roots[size] != root:
            stretch = [(sealed, f"this or a later one up to {size - 1} is not what was signed.")]
            break
        sealed = size
    if sealed < len(leaves) and not problems and not stretch:
        problems.append((sealed, "no checkpoint of this key vouches for it."))
    changed = first_changed(leaves, signed, kept) if problems or stretch else None
    problems += stretch if changed is None else [(changed, "it is not the one that was signed.")]
    return sealed


def first_changed(leaves: list[bytes], signed: list[Root], kept: list[bytes]) -> int | None:
    """The first entry whose leaf is not the kept one, if a signed root vouches for the kept ones."""
    pairs = zip(leaves, kept, strict=False)
    differs = next((at for at, (ours, theirs) in enumerate(pairs) if ours != theirs), None)
    roots = roots_at(kept, [size for size, _ in signed])
    vouched = (differs is not None and size > differs and roots.get(size) == root for size, root in signed)
    return differs if any(vouched) else None


def roots_at(leaves: list[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """Merkle roots of the first `size` leaves, for each size that there is."""
    wanted = set(sizes)
    peaks: list[bytes] = []
    roots: dict[int, bytes] = {}
    for size in range(len(leaves) + 1):
        if size in wanted:
            top = peaks[-1] if peaks else hashlib.sha256().digest()
            for peak in reversed(peaks[:-1]):
                top = hashlib.sha256(b"\x01" + peak + top).digest()
            roots[size] = top
        if size < len(leaves):
            top, carry = leaves[size], size
            while carry & 1:
                top, carry = hashlib.sha256(b"\x01" + peaks.pop() + top).digest(), carry >> 1
            peaks.append(top)
    return roots


def split_hashes(joined: bytes) -> list[bytes]:
    """Hashes that were joined; a rest is left out."""
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined) - HASH_BYTES + 1, HASH_BYTES)]


def split_notes(text: str) -> list[str]:
    """The notes one by one: each ends with its signature line and an empty line."""
    notes: list[str] = []
    draft = ""
    for part in text.split("\n\n"):
        draft = f"{draft}\n\n{part}" if draft else part
        if part.startswith("\u2014 "):
            notes.append(draft + "\n")
            draft = ""
    return notes + ([draft] if draft.strip() else [])


def judge_notes(notes: list[str], name: str, key: bytes) -> tuple[list[Root], list[str]]:
    """(size, root) of the notes that the key signed, by size, and what is wrong with the others."""
    signed: list[Root] = []
    wrong: list[str] = []
    for number, note in enumerate(notes, start=1):
        try:
            text, _, seal = note.rpartition("\n\n")
            origin, size, root, _time = text.split("\n")
            dash, signer, packed = seal.rstrip("\n").split(" ")
            raw = base64.b64decode(packed, validate=True)
            good = (dash, signer, origin, raw[:4]) == ("\u2014", name, name, key_id(name, key))
            if good and len(raw) == SEAL_BYTES and verified(key, raw[4:], (text + "\n").encode()):
                signed.append((int(size), base64.b64decode(root, validate=True)))
            else:
                wrong.append(f"Checkpoint {number} (of {size} entries) is not signed by this key.")
        except ValueError:
            wrong.append(f"Checkpoint {number} cannot be read.")
    return sorted(signed), wrong


def read_key(text: str) -> tuple[str, bytes]:
    """Name and 32 bytes of a C2SP verifier key."""
    name, identity, packed = text.strip().split("+", 2)
    raw = base64.b64decode(packed, validate=True)
    if len(raw) != KEY_BYTES or raw[0] != 1 or key_id(name, raw[1:]).hex() != identity:
        raise ValueError("the public key is malformed")
    return name, raw[1:]


def key_id(name: str, key: bytes) -> bytes:
    """The first 4 bytes of SHA-256(name, newline, 0x01, key)."""
    return hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]


def verified(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the Ed25519 signature is the key's."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return verified_slowly(key, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def verified_slowly(key: bytes, signature: bytes, message: bytes) -> bool:
    """The same by the arithmetic of RFC 8032, section 5.1.7: S·B = R + SHA-512(R, A, M)·A."""
    public, commitment = point(key), point(signature[:HASH_BYTES])
    base, scalar = point(BASE_POINT), int.from_bytes(signature[HASH_BYTES:], "little")
    if public is None or commitment is None or base is None or scalar >= ORDER:
        return False
    challenge = (
        int.from_bytes(hashlib.sha512(signature[:HASH_BYTES] + key + message).digest(), "little") % ORDER
    )
    left, right = times(scalar, base), add(commitment, times(challenge, public))
    return not (
        (left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P
    )


def point(packed: bytes) -> Point | None:
    """The curve point of 32 bytes in extended coordinates; None if there is none."""
    number = int.from_bytes(packed, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def add(one: Point, two: Point) -> Point:
    """The sum of two points (RFC 8032, section 5.1.4)."""
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, base: Point) -> Point:
    """The point added to itself `scalar` times."""
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, base)
        base, scalar = add(base, base), scalar >> 1
    return total


if __name__ == "__main__":
    sys.exit(main())
