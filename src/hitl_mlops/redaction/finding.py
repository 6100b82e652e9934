"""What was found in a text, and what may find it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

NATIONAL_IDS = (
    "us-ssn",
    "de-steuer-id",
    "es-dni",
    "fr-nir",
    "it-codice-fiscale",
    "nl-bsn",
    "pl-pesel",
    "uk-nino",
    "se-personnummer",
    "ch-ahv",
    "be-national-number",
)
"""Numbers that states give to people, by country."""
TYPES = ("card", "iban", *NATIONAL_IDS, "e-mail", "ip", "phone")
"""Every type that our patterns find; of two in the very same place the first counts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data in a text.

    Attributes:
        start: where it begins, in characters.
        end: where it has ended.
        type: what it is, one of `TYPES` for our own patterns.
    """

    start: int
    end: int
    type: str


class Finder(Protocol):
    """Finds personal data in a text."""

    def find(self, text: str, context: str = "") -> list[Finding]:
        """What is in the text, in its order, none in another's place.

        Args:
            text: any text.
            context: what stands before it, such as the name of its column; nothing is found there.
        """
        ...


def settled(found: Iterable[Finding]) -> list[Finding]:
    """The findings in order, those that overlap made one: all their characters, and the type of the longest.

    >>> settled([Finding(3, 9, "phone"), Finding(0, 7, "card")])
    [Finding(start=0, end=9, type='card')]
    """
    ordered = sorted(set(found), key=lambda one: (one.start, -one.end, _place(one.type), one.type))
    kept: list[Finding] = []
    longest = 0
    for one in ordered:
        length = one.end - one.start
        if kept and one.start < kept[-1].end:
            last = kept[-1]
            kind = one.type if length > longest else last.type
            kept[-1] = Finding(last.start, max(last.end, one.end), kind)
            longest = max(longest, length)
        else:
            kept.append(one)
            longest = length
    return kept


def _place(kind: str) -> int:
    return TYPES.index(kind) if kind in TYPES else len(TYPES)
