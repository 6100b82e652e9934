"""An id for a past case under which it looks like one that has just come."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator

from hitl_mlops.ids import keyed_digest

TRIES = 40
_LAST_DIGITS = 4
_AHEAD = 1_000
_HASH = re.compile(r"(?=[0-9a-z]*\d)(?=[0-9a-z]*[a-z])[0-9a-z]{12,}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?=\D*$)")


def alias_of(like: str, key: bytes, salt: str, is_taken: Callable[[str], bool]) -> str | None:
    """An id of the same form as `like`, which no case has; None where none was found.

    The same arguments give the same id, and nobody without the key can tell it from a real one by its form:
    a random id (UUID, or a run of twelve letters and digits or more) is drawn anew, of any other the last
    digits are. An id without digits has no alias.

    Args:
        like: the id of a case that has just come.
        key: the project's policy key.
        salt: what the alias is for.
        is_taken: whether a case has that id.

    >>> alias_of("c10042", b"k", "t_1", lambda _: False) != "c10042"
    True
    >>> alias_of("ann", b"k", "t_1", lambda _: False) is None
    True
    """
    for one in _drawn(like, key, salt):
        if one != like and not is_taken(one):
            return one
    return None


def _drawn(like: str, key: bytes, salt: str) -> Iterator[str]:
    whole = _UUID.fullmatch(like)
    run = whole or _HASH.search(like)
    number = _NUMBER.search(like)
    for place in range(TRIES):
        digest = keyed_digest(key, "alias", salt, str(place))
        if run is not None:
            kept = {14, 19} if whole is not None else set()  # version and variant of a UUID
            yield like[: run.start()] + _anew(run.group(), digest, kept) + like[run.end() :]
        elif number is not None:
            digits = _another(number.group(), digest, further=place >= TRIES // 2)
            if digits[0] == "0" != number.group()[0]:
                continue  # 03 among 12, 13 and 14
            yield like[: number.start()] + digits + like[number.end() :]


def _anew(text: str, digest: bytes, kept: set[int]) -> str:
    """Each digit another digit and each letter another letter, of those that such ids have."""
    stream, letters = digest * (len(text) // len(digest) + 1), string.ascii_lowercase
    if all(one in string.hexdigits or one == "-" for one in text):
        letters = "abcdef"
    signs = string.digits + letters
    found = []
    for place, (one, byte) in enumerate(zip(text, stream, strict=False)):
        if place in kept or not one.isalnum():
            found.append(one)
            continue
        sign = signs[byte % len(signs)]
        found.append(sign.upper() if text.isupper() else sign)
    return "".join(found)


def _another(digits: str, digest: bytes, *, further: bool) -> str:
    """A number near this one: other last digits, or one of the next thousand if those are all taken."""
    drawn = int.from_bytes(digest[:7], "big")
    if further:
        return str(int(digits) + 1 + drawn % _AHEAD).zfill(len(digits))
    last = min(_LAST_DIGITS, len(digits))
    return digits[:-last] + str(drawn % 10**last).zfill(last)
