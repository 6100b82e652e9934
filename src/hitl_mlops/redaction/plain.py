"""A text as patterns read it: digits of every script as 0 to 9, every space a space, nothing unseen."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


class _AsPlain(dict[int, str | None]):
    """Character → what patterns read instead; None: it is not seen. Filled as characters come."""

    def __missing__(self, code: int) -> str | None:
        found = _plain_character(chr(code))
        self[code] = found
        return found


def _plain_character(character: str) -> str | None:
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    if kind == "Cf" or character in "\ufe0e\ufe0f\u034f":
        return None
    if kind in ("Zs", "Zl", "Zp"):
        return " "
    if kind == "Pd" or character == "\u2212":
        return "-"
    alike = unicodedata.normalize("NFKC", character)
    return alike if len(alike) == 1 else character


_TABLE = _AsPlain({code: chr(code) for code in range(128)})


def as_plain(text: str) -> tuple[str, Sequence[int] | None]:
    """The text as patterns read it, and where each of its characters stood; None: just there.

    >>> as_plain("41" + chr(0xA0) + chr(0xFF11) + chr(0x200B) + "1")
    ('41 11', [0, 1, 2, 3, 5])
    """
    if text.isascii():
        return text, None
    plain = text.translate(_TABLE)
    if len(plain) == len(text):
        return plain, None
    return plain, [place for place, character in enumerate(text) if _TABLE[ord(character)] is not None]
