"""Phone numbers: they have no checksum, so their form and the words before them tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from hitl_mlops.redaction.finding import Finding
from hitl_mlops.redaction.numbers import MOST_GROUPS, Group, Window, attached_before, window_of

_TWO_DIGITS = (
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 "
    "64 65 66 81 82 84 86 90 91 92 93 94 95 98"
)
_COUNTRIES = frozenset({"1", "7", *_TWO_DIGITS.split()})
"""Country codes of one and two digits (ITU-T E.164); those of three begin with two digits not among them."""
_LENGTHS = {
    "1": (10, 10),
    "7": (10, 10),
    "33": (9, 9),
    "34": (9, 9),
    "31": (9, 9),
    "32": (8, 9),
    "41": (9, 9),
}
_LENGTHS |= {"44": (9, 10), "45": (8, 8), "46": (7, 10), "47": (8, 8), "48": (9, 9), "91": (10, 10)}
"""Country code → how many digits may follow; of others 6 to 12."""
_SHORTEST, _LONGEST = 8, 15
_PHONE_WORD = re.compile(
    r"(?<![^\W_])(?:tel|tél|telno|(?:tele|i|smart)?phones?|mob|mobiles?|cell|cellphone|call(?:ed|ing)?|fax|handy|"
    r"telefon\w{0,10}|téléphone|portable|móvil|telefono|teléfono|cellulare|celular|tlf|whatsapp|sms|"
    r"reach (?:me|us|him|her|them)|ring (?:me|us)|text (?:me|us)|rückruf\w{0,6}|anruf\w{0,4}|telefoon\w{0,8}|"
    r"mobiel|mobil\w{0,8}|komórk\w{0,4}|numer telefonu|dial)(?![^\W_])",
    re.IGNORECASE,
)
_OTHER_WORD = re.compile(
    r"(?:order|invoice|ref|reference|ticket|case|account|transaction|customer|tracking|serial|part|article|item|"
    r"bestell\w{0,12}|rechnung\w{0,10}|auftrag\w{0,10}|kunden\w{0,10}|policy|contract|id|isbn|ean|sku|no|nr)"
    r"(?:\s{0,2}(?:number|no|nr|id|code|#))?[\s.:#=]{0,4}\Z",
    re.IGNORECASE,
)
_AMERICAN, _AMERICAN_WITH_ONE = (3, 3, 4), (1, 3, 3, 4)
_SSN = (3, 2, 4)
_PAIRS = (2, 2, 2, 2, 2)
_BARE = (10, 11)
"""Digits of a number that is written without gaps, with its 0."""
_PARTED = range(9, 13)
"""Digits of a number that is written with gaps, with its 0."""
_DAY = re.compile(
    r"[0-9]{1,2}([./\-])[0-9]{1,2}\1(?:[0-9]{2}|(?:19|20)[0-9]{2})(?![0-9])|(?:19|20)[0-9]{2}([./\-])[0-9]{2}\2[0-9]{2}(?![0-9])"
)
"""01.02.2026, 2026-02-01"""


def phones(text: str, run: Sequence[Group], before: Callable[[int], str]) -> Iterator[Finding]:
    """Phone numbers in a run of digit groups, none in another's place; `before` gives the text before one."""
    place = 0
    while place < len(run):
        length = _international(text, run, place) or _national(text, run, place, before)
        if length:
            start = run[place].start
            while start and text[start - 1] in "+(":
                start -= 1
            yield Finding(start, run[place + length - 1].end, "phone")
        place += length or 1


def _international(text: str, run: Sequence[Group], place: int) -> int:
    """How many groups from there on are a number with its country code; 0: none."""
    start = run[place].start
    first = run[place].digits
    plus = text[max(0, start - 2) : start].rstrip(" (").endswith("+")
    attached = attached_before(text, start) or (place > 0 and attached_before(text, run[0].start))
    zeros = first.startswith("00") and not attached
    if not (plus or zeros):
        return 0
    best = 0
    for window in _possible(text, run, place):
        digits = window.digits if plus else window.digits[2:]
        if "(0)" in text[window.start : window.end]:
            digits = _without_trunk(text[window.start : window.end])
        if _fits_country(digits if plus else digits.removeprefix("00")):
            best = len(window.shape)
    return best


def _without_trunk(written: str) -> str:
    return re.sub(r"[^0-9]", "", written.replace("(0)", "", 1))


def _fits_country(digits: str) -> bool:
    if not digits or digits[0] == "0":
        return False
    code = next((digits[:length] for length in (1, 2) if digits[:length] in _COUNTRIES), digits[:3])
    least, most = _LENGTHS.get(code, (6, 12))
    return least <= len(digits) - len(code) <= most and len(digits) >= _SHORTEST


def _national(text: str, run: Sequence[Group], place: int, before: Callable[[int], str]) -> int:
    """How many groups from there on are a number as it is dialled at home; 0: none."""
    if attached_before(text, run[place].start) or (place and attached_before(text, run[0].start)):
        return 0
    near = before(run[place].start)
    if _OTHER_WORD.search(near):
        return 0
    said = _PHONE_WORD.search(near) is not None
    best = 0
    for window in _possible(text, run, place):
        written = text[window.start : window.end]
        told = said and len(window.digits) >= _SHORTEST - 1 and not _DAY.match(written)
        if told or _looks_national(window, written):
            best = len(window.shape)
    return best


def _possible(text: str, run: Sequence[Group], place: int) -> Iterator[Window]:
    """Groups from there on, as many as may be one phone number."""
    total = 0
    for last in range(place, min(place + MOST_GROUPS, len(run))):
        total += len(run[last].digits)
        if total > _LONGEST + 2:
            return
        if not re.match(r"[^\W]", text[run[last].end : run[last].end + 1]):
            yield window_of(text, run[place : last + 1])


def _looks_national(window: Window, written: str) -> bool:
    digits, shape = window.digits, window.shape
    if shape == _AMERICAN or (shape == _AMERICAN_WITH_ONE and digits[0] == "1"):
        return digits[-10] in "23456789" and digits[-7] in "23456789"
    if digits[0] != "0" or digits[1:2] in ("0", ""):
        return False
    if shape == _PAIRS:
        return len(set(window.gaps)) == 1
    if len(shape) == 1:
        return len(digits) in _BARE
    return len(digits) in _PARTED and shape != _SSN and not _DAY.match(written)
