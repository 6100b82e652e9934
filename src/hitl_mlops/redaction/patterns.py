"""Our own finder: every type by its form, and by its checksum where it has one; linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from hitl_mlops.redaction.addresses import emails, ip_addresses
from hitl_mlops.redaction.finding import TYPES, Finding, settled
from hitl_mlops.redaction.letters import with_letters
from hitl_mlops.redaction.national_numbers import FORMS
from hitl_mlops.redaction.numbers import Group, Window, by_shape, runs, windows
from hitl_mlops.redaction.phones import phones
from hitl_mlops.redaction.plain import as_plain

NEAR = 40
"""Characters before a number in which a word may say what it is."""
SHORTEST = 7
"""Characters of the shortest number that is looked for; an address has @ or ::."""
_MAY_HOLD_SOME = re.compile(r"[0-9@]|::|[\[(] ?at ?[\])]", re.IGNORECASE)
_TOKEN = re.compile(r"\[[a-z0-9\-]{2,30}\]")
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
    near = partial(_near, text, context)
    for run in runs(text):
        for first in range(len(run)):
            yield from _numbers(text, run, first, near)
        yield from phones(text, run, near)


def _numbers(text: str, run: Sequence[Group], first: int, near: partial[str]) -> Iterator[Finding]:
    for window in windows(text, run, first):
        yield from _held(window, near)
        if any("\n" in gap for gap in window.gaps):
            yield from _held(window.unwrapped(), near)


def _held(window: Window, near: partial[str]) -> Iterator[Finding]:
    for form in _FORMS.get(window.shape, ()):
        if form.fits(window, partial(near, window.start)):
            yield Finding(window.start, window.end, form.type)


def _near(text: str, context: str, place: int) -> str:
    """What stands before that place, masks left out; the context too where the text begins near by."""
    before = text[max(0, place - NEAR) : place]
    return _TOKEN.sub(" ", f"{context} {before}" if place <= NEAR else before)


def _at(one: Finding, places: Sequence[int]) -> Finding:
    return Finding(places[one.start], places[one.end - 1] + 1, one.type)
