"""Our own finder: every type by its form, and by its checksum where it has one; linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hitl_mlops.redaction.addresses import emails, ip_addresses
from hitl_mlops.redaction.finding import TYPES, Finding, settled
from hitl_mlops.redaction.letters import with_letters
from hitl_mlops.redaction.national_numbers import FORMS
from hitl_mlops.redaction.numbers import by_shape, runs, windows
from hitl_mlops.redaction.phones import phones
from hitl_mlops.redaction.plain import as_plain
from hitl_mlops.redaction.words import Words

SHORTEST = 7
"""Characters of the shortest number that is looked for; an address has @ or ::."""
_MAY_HOLD_SOME = re.compile(r"[0-9@]|::|[\[(] ?at ?[\])]", re.IGNORECASE)
_FORMS = by_shape(FORMS)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Finds what gives itself away by its form.

    Attributes:
        types: which to look for, of `TYPES`.
    """

    types: frozenset[str] = frozenset(TYPES)

    def find(self, text: str, context: str = "") -> list[Finding]:
        """See `Finder.find`."""
        if len(text) < SHORTEST and text.isascii() and "@" not in text and "::" not in text:
            return []
        plain, places = as_plain(text)
        if not _MAY_HOLD_SOME.search(plain):
            return []
        found = settled(one for one in _found(plain, context) if one.type in self.types)
        return found if places is None else [_at(one, places) for one in found]


def _found(text: str, context: str) -> Iterator[Finding]:
    yield from emails(text)
    yield from ip_addresses(text)
    yield from with_letters(text)
    words = Words(text, context)
    for run in runs(text):
        for first in range(len(run)):
            for window in windows(text, run, first, _FORMS):
                for form in _FORMS.get(window.shape, ()):
                    if form.fits(window, words):
                        yield Finding(window.start, window.end, form.type)
        yield from phones(text, run, words)


def _at(one: Finding, places: Sequence[int]) -> Finding:
    return Finding(places[one.start], places[one.end - 1] + 1, one.type)
