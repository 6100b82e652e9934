"""Phone numbers: they have no checksum, so their form and the words before them tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hitl_mlops.redaction.finding import Finding
from hitl_mlops.redaction.numbers import MOST_GROUPS, Group, Shape, attached_before
from hitl_mlops.redaction.words import Words, word

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
_SHORTEST, _LONGEST = 7, 17
"""Digits, with 00 for abroad."""
_PHONE_WORD = word(
    r"tel|tél|telno|(?:tele|i|smart)?phones?|mob|mobiles?|cell|cellphone|call(?:ed|ing)?|fax|handy|"
    r"telefon\w{0,10}|téléphone|portable|móvil|telefono|teléfono|cellulare|celular|tlf|whatsapp|sms|"
    r"reach (?:me|us|him|her|them)|ring (?:me|us)|text (?:me|us)|rückruf\w{0,6}|anruf\w{0,4}|telefoon\w{0,8}|"
    r"mobiel|mobil\w{0,8}|komórk\w{0,4}|numer telefonu|dial"
)
_OTHER_WORD = re.compile(
    r"(?<![^\W_])(?:order|invoice|ref|reference|ticket|case|account|transaction|customer|tracking|serial|part|article|item|"
    r"bestell\w{0,12}|rechnung\w{0,10}|auftrag\w{0,10}|kunden\w{0,10}|policy|contract|pesel|ssn|bsn|personnummer|steuer\w{0,12}|konto\w{0,10}|card|iban|id|isbn|ean|sku|no|nr)"
    r"(?:\s{0,2}(?:number|no|nr|id|code|#))?[\s.:#=]{0,4}",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"[ .\-]")
"""Between groups of one number; a number that begins after it is told by a word only."""
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


_NOTHING: Shape = ()
_NO_GAPS: tuple[str, ...] = ()


class _Candidate(NamedTuple):
    """The first so many groups from a place on, that may be one phone number."""

    groups: int
    digits: str
    shape: Shape
    gaps: tuple[str, ...]
    written: str


def phones(text: str, run: Sequence[Group], words: Words) -> Iterator[Finding]:
    """Phone numbers in a run of digit groups, none in another's place."""
    goes_on = attached_before(text, run[0].start)
    place = 0
    while place < len(run):
        length = _groups_of_phone(text, run, place, words, goes_on=goes_on)
        if length:
            start = run[place].start
            while start and text[start - 1] in "+(":
                start -= 1
            yield Finding(start, run[place + length - 1].end, "phone")
        place += length or 1


def _groups_of_phone(text: str, run: Sequence[Group], place: int, words: Words, *, goes_on: bool) -> int:
    """How many groups from there on are a phone number, as many as can be; 0: none."""
    possible = _candidates(text, run, place)
    if not possible:
        return 0
    start = run[place].start
    if text[max(0, start - 2) : start].rstrip(" (").endswith("+"):
        return max((one.groups for one in possible if _is_international(one)), default=0)
    if goes_on or attached_before(text, start) or words.just_before(_OTHER_WORD, start):
        return 0
    said = words.near(_PHONE_WORD, start)
    begins = place == 0 or not _GOES_ON.fullmatch(run[place].gap)
    found = (
        one.groups
        for one in possible
        if (begins and _is_national(one)) or (said and not _DAY.match(one.written))
    )
    return max(found, default=0)


def _candidates(text: str, run: Sequence[Group], place: int) -> list[_Candidate]:
    found: list[_Candidate] = []
    digits, shape, gaps = "", _NOTHING, _NO_GAPS
    start = run[place].start
    for last in range(place, min(place + MOST_GROUPS, len(run))):
        group = run[last]
        digits += group.digits
        shape = (*shape, len(group.digits))
        gaps = (*gaps, group.gap) if last > place else ()
        if len(digits) > _LONGEST:
            break
        after = text[group.end : group.end + 1]
        if len(digits) >= _SHORTEST and not (after.isalnum() or after == "_"):
            found.append(_Candidate(last - place + 1, digits, shape, gaps, text[start : group.end]))
    return found


def _is_international(one: _Candidate) -> bool:
    """After a plus; a 0 in parentheses is not dialled from abroad."""
    return _fits_country(re.sub(r"[^0-9]", "", one.written.replace("(0)", "", 1)))


def _fits_country(digits: str) -> bool:
    if not digits or digits[0] == "0":
        return False
    code = next((digits[:length] for length in (1, 2) if digits[:length] in _COUNTRIES), digits[:3])
    least, most = _LENGTHS.get(code, (6, 12))
    return least <= len(digits) - len(code) <= most


def _is_national(one: _Candidate) -> bool:
    """As it is dialled at home, or with 00 for abroad."""
    digits, shape = one.digits, one.shape
    if shape == _AMERICAN or (shape == _AMERICAN_WITH_ONE and digits[0] == "1"):
        return digits[-10] in "23456789" and digits[-7] in "23456789"
    if digits[0] != "0":
        return False
    if digits[1] == "0":
        return _is_international(one._replace(written=one.written.replace("00", "", 1)))
    if shape == _PAIRS:
        return len(set(one.gaps)) == 1
    if len(shape) == 1:
        return len(digits) in _BARE
    return len(digits) in _PARTED and shape != _SSN and not _DAY.match(one.written)
