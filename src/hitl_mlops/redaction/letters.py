"""Numbers that have letters in them: bank accounts, and the ids of Spain, Italy, Britain and Corsica."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hitl_mlops.redaction.checksums import mod_97
from hitl_mlops.redaction.finding import Finding
from hitl_mlops.redaction.national_numbers import is_nir

_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 "
    "DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 "
    "IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 "
    "MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 "
    "SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
IBAN_LENGTHS = {one[:2]: int(one[2:]) for one in _LENGTHS.split()}
"""Country → signs of its account numbers, by the SWIFT registry, release 99."""
_BEFORE, _AFTER = r"(?<![^\W_])(?<![^\W_]-)", r"(?![^\W_])(?!-[^\W_])"
_PART = r"[\s.\-]{0,2}"
_IBAN = re.compile(rf"{_BEFORE}[A-Z]{{2}}{_PART}[0-9]{{2}}", re.IGNORECASE)
_REST = {
    length: re.compile(rf"(?:[\s.\-]{{0,3}}[A-Z0-9]){{{length - 4}}}(?![^\W_])", re.IGNORECASE)
    for length in set(IBAN_LENGTHS.values())
}
_NOT_SIGNS = re.compile(r"[^A-Za-z0-9]")
_DNI = re.compile(
    rf"{_BEFORE}(?:[XYZ]{_PART}[0-9][.\s]?[0-9]{{3}}[.\s]?[0-9]{{3}}|[0-9]{{2}}[.\s]?[0-9]{{3}}[.\s]?[0-9]{{3}})"
    rf"[\s\-]{{0,2}}[TRWAGMYFPDXBNJZSQVHLCKE]{_AFTER}",
    re.IGNORECASE,
)
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_OR_DIGIT = "[0-9LMNP-V]"
_CODICE = re.compile(
    rf"{_BEFORE}[A-Z]{{3}}{_PART}[A-Z]{{3}}{_PART}{_OR_DIGIT}{{2}}[A-EHLMPRST]{_OR_DIGIT}{{2}}{_PART}"
    rf"[A-Z]{_OR_DIGIT}{{3}}{_PART}[A-Z]{_AFTER}",
    re.IGNORECASE,
)
_ODD_PLACES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_NINO = re.compile(
    rf"{_BEFORE}(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]{_PART}"
    rf"[0-9]{{2}}{_PART}[0-9]{{2}}{_PART}[0-9]{{2}}{_PART}[A-D]{_AFTER}",
    re.IGNORECASE,
)
_CORSICAN = re.compile(
    rf"{_BEFORE}[1-478]{_PART}[0-9]{{2}}{_PART}[0-9]{{2}}{_PART}2{_PART}[AB]{_PART}[0-9]{{3}}{_PART}[0-9]{{3}}"
    rf"{_PART}[0-9]{{2}}{_AFTER}",
    re.IGNORECASE,
)


def with_letters(text: str) -> Iterator[Finding]:
    """Every such number in the text, type by type."""
    yield from _ibans(text)
    for pattern, kind, holds in (
        (_DNI, "es-dni", is_dni),
        (_CODICE, "it-codice-fiscale", is_codice_fiscale),
        (_NINO, "uk-nino", lambda _signs: True),
        (_CORSICAN, "fr-nir", _is_corsican),
    ):
        for found in pattern.finditer(text):
            if holds(_signs(found.group())):
                yield Finding(found.start(), found.end(), kind)


def _ibans(text: str) -> Iterator[Finding]:
    for begin in _IBAN.finditer(text):
        length = IBAN_LENGTHS.get(begin.group()[:2].upper())
        rest = _REST[length].match(text, begin.end()) if length else None
        if rest and mod_97(_signs(begin.group() + rest.group())):
            yield Finding(begin.start(), rest.end(), "iban")


def is_dni(signs: str) -> bool:
    """A Spanish DNI or NIE: its letter is the rest of 23.

    >>> is_dni("12345678Z"), is_dni("X1234567L"), is_dni("12345678A")
    (True, True, False)
    """
    number = signs[:-1]
    if number[0] in "XYZ":
        number = str("XYZ".index(number[0])) + number[1:]
    return signs[-1] == _DNI_LETTERS[int(number) % 23]


def is_codice_fiscale(signs: str) -> bool:
    """An Italian tax code: the last letter follows from the others.

    >>> is_codice_fiscale("RSSMRA85T10A562S"), is_codice_fiscale("RSSMRA85T10A562T")
    (True, False)
    """
    values = [int(one, 36) - (0 if one.isdigit() else 10) for one in signs[:15]]
    total = sum(_ODD_PLACES[one] for one in values[::2]) + sum(values[1::2])
    return signs[15] == chr(ord("A") + total % 26)


def _is_corsican(signs: str) -> bool:
    """A French number of who was born in 2A or 2B, which are counted as 19 and 18."""
    return is_nir(signs.replace("2A", "19", 1) if "2A" in signs else signs.replace("2B", "18", 1))


def _signs(text: str) -> str:
    return _NOT_SIGNS.sub("", text).upper()
