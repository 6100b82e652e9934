"""Numbers of digits alone by which states and banks know people: rules and checksums."""

from __future__ import annotations

from hitl_mlops.redaction.checksums import is_day, luhn, mod_11_10, weighed
from hitl_mlops.redaction.numbers import Form
from hitl_mlops.redaction.words import word

_SHOWN_IN_PUBLIC = frozenset({"078051120", "219099999"})
"""Printed in advertisements, and never valid since."""
_BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_PESEL_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
_EAN_WEIGHTS = (1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)
_CENTURIES = {0: 1900, 20: 2000, 40: 2100, 60: 2200, 80: 1800}
"""PESEL: what is added to the month → the century."""
_TEMPORARY = 60
"""Sweden: added to the day of who has no personal number yet."""
_LEAP = 2000
"""A year that has every day; where the century is not written."""


def is_card(digits: str) -> bool:
    """A payment card: a range that some network issues, its length, and Luhn's sum."""
    return len(digits) in _lengths_of_card(digits) and luhn(digits)


def _lengths_of_card(digits: str) -> range | tuple[int, ...]:
    two, three, four, six = (int(digits[:length]) for length in (2, 3, 4, 6))
    long = range(16, 20)
    if digits[0] == "4":
        return (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:  # noqa: PLR2004 - Mastercard
        return (16,)
    if two in (34, 37):
        return (15,)
    if 300 <= three <= 305 or three == 309 or two in (36, 38, 39):  # noqa: PLR2004 - Diners Club
        return range(14, 20)
    networks = (
        four == 6011 or 644 <= three <= 659 or 622126 <= six <= 622925,  # noqa: PLR2004 - Discover
        3528 <= four <= 3589,  # noqa: PLR2004 - JCB
        two == 62 or 2200 <= four <= 2204 or two in (60, 65, 81, 82) or three == 508,  # noqa: PLR2004
    )  # the last: UnionPay, Mir, RuPay
    if any(networks):
        return long
    maestro = four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763)
    return range(12, 20) if maestro else ()


def is_ssn(digits: str) -> bool:
    """A number that the United States' Social Security Administration may have given; it has no checksum."""
    return (
        digits[:3] not in ("000", "666")
        and digits[0] != "9"
        and digits[3:5] != "00"
        and digits[5:] != "0000"
        and digits not in _SHOWN_IN_PUBLIC
    )


def is_steuer_id(digits: str) -> bool:
    """A German tax id: among the first ten, one digit stands twice or thrice, and the last is their sum."""
    counts = sorted(digits[:10].count(one) for one in set(digits[:10]))
    repeats = counts[-1] in (2, 3) and all(count == 1 for count in counts[:-1])
    thrice_in_a_row = any(one * 3 in digits[:10] for one in set(digits[:10]))
    return digits[0] != "0" and repeats and not thrice_in_a_row and mod_11_10(digits)


def is_pesel(digits: str) -> bool:
    """A Polish PESEL: a day of birth and a weighted sum."""
    month = int(digits[2:4])
    century = _CENTURIES.get(month - month % 20)
    if century is None or weighed(digits, _PESEL_WEIGHTS) % 10:
        return False
    return is_day(century + int(digits[:2]), month % 20, int(digits[4:6]))


def is_bsn(digits: str) -> bool:
    """A Dutch citizen service number: the eleven test."""
    return digits != "000000000" and weighed(digits, _BSN_WEIGHTS) % 11 == 0


def is_personnummer(digits: str) -> bool:
    """A Swedish personal or coordination number, with the century or without."""
    year = int(digits[:4]) if len(digits) == 12 else _LEAP  # noqa: PLR2004
    if len(digits) == 12:  # noqa: PLR2004
        if not 1840 <= year <= 2099:  # noqa: PLR2004
            return False
        digits = digits[2:]
    day = int(digits[4:6])
    return is_day(year, int(digits[2:4]), day - _TEMPORARY if day > _TEMPORARY else day) and luhn(digits)


def is_ahv(digits: str) -> bool:
    """A Swiss AHV number: 756 and the check digit of EAN-13."""
    return digits.startswith("756") and weighed(digits, _EAN_WEIGHTS) % 10 == 0


def is_belgian(digits: str) -> bool:
    """A Belgian national or BIS number: a day of birth, which may be unknown, and the rest of 97."""
    number, check, month, day = int(digits[:9]), int(digits[9:]), int(digits[2:4]) % 20, int(digits[4:6])
    known_day = month == 0 or day == 0 or is_day(_LEAP, month, day)
    return known_day and month <= 12 and digits[6:9] != "000" and check in _belgian_checks(number)  # noqa: PLR2004


def _belgian_checks(number: int) -> tuple[int, int]:
    """Of who was born before 2000, and of who was born later."""
    return 97 - number % 97, 97 - (2_000_000_000 + number) % 97


def is_nir(digits: str) -> bool:
    """A French social security number with its key."""
    month = int(digits[3:5])
    known_month = 1 <= month <= 12 or 20 <= month <= 42 or month >= 50  # noqa: PLR2004
    return digits[0] in "123478" and known_month and 97 - int(digits[:13]) % 97 == int(digits[13:])


def _shapes(*shapes: tuple[int, ...]) -> frozenset[tuple[int, ...]]:
    return frozenset(shapes)


_SSN_WORD = word(r"ssns?|s\.s\.n\.|social[ _-]?security|soc\.? ?sec")
_BSN_WORD = word(r"bsn|bsn[- ]?nummer|burgerservice\w{0,10}|sofi[- ]?nummer|citizen service number")
_CARD_SHAPES = _shapes(
    *((length,) for length in range(12, 20)),
    (4, 4, 4, 4),
    (4, 6, 5),
    (4, 6, 4),
    (4, 4, 4, 1),
    (4, 4, 4, 2),
    (4, 4, 4, 3),
    (4, 4, 4, 4, 1),
    (4, 4, 4, 4, 2),
    (4, 4, 4, 4, 3),
    (4, 4, 4),
    (4, 4, 8),
    (4, 8, 4),
    (8, 4, 4),
    (4, 12),
    (12, 4),
    (8, 8),
    (6, 13),
    (4, 3, 3, 3),
)

FORMS = (
    Form("card", _CARD_SHAPES, "-.", is_card),
    Form("us-ssn", _shapes((3, 2, 4)), "-.", is_ssn, bare=_shapes((9,)), word=_SSN_WORD),
    Form("de-steuer-id", _shapes((11,), (2, 3, 3, 3), (3, 3, 3, 2), (2, 9)), "-./", is_steuer_id),
    Form(
        "fr-nir",
        _shapes((15,), (13, 2), (1, 2, 2, 2, 3, 3, 2), (1, 2, 2, 2, 6, 2), (1, 2, 2, 5, 3, 2), (7, 6, 2)),
        "-.",
        is_nir,
    ),
    Form("nl-bsn", _shapes((4, 2, 3)), ".-", is_bsn, bare=_shapes((9,), (3, 3, 3)), word=_BSN_WORD),
    Form("pl-pesel", _shapes((11,), (6, 5)), "-", is_pesel),
    Form("se-personnummer", _shapes((6, 4), (8, 4), (10,), (12,)), "-+", is_personnummer),
    Form("ch-ahv", _shapes((13,), (3, 4, 4, 2)), ".-", is_ahv),
    Form(
        "be-national-number",
        _shapes((11,), (2, 2, 2, 3, 2), (6, 3, 2), (6, 5)),
        ".-",
        is_belgian,
        mixed=True,  # 85.07.30-033.28
    ),
)
"""Every type of number that digits alone make."""
