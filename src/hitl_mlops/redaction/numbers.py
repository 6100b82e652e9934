"""Numbers in a text: runs of digit groups, and the shapes in which people write a number in groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hitl_mlops.redaction.words import Words

MOST_DIGITS = 19
"""No number that is looked for is longer."""
MOST_GROUPS = 9
Shape = tuple[int, ...]
"""How many digits each group has."""
_GROUP = re.compile(r"[0-9]+")
_GAP = re.compile(r"[ \t\r\n.\-/()+]{1,4}")
_ATTACHED_AFTER = re.compile(r"\w|-[^\W_]|\.[0-9]")


class Group(NamedTuple):
    """Digits that stand together; `gap` is what parts them from those before in their run."""

    start: int
    end: int
    digits: str
    gap: str


class Window(NamedTuple):
    """Neighbouring groups, whole ones, that may be one number; `shape` and `gaps` as read, see `windows`."""

    start: int
    end: int
    digits: str
    shape: Shape
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """How one type of number is written.

    Attributes:
        type: see `finding.TYPES`.
        shapes: how many digits stand together.
        between: signs that may part the groups.
        holds: digits → whether they are such a number.
        bare: shapes that count only where a word says what it is.
        word: that word.
        mixed: different signs may part the groups of one number; else they are alike, spaces aside.
    """

    type: str
    shapes: frozenset[Shape]
    between: str
    holds: Callable[[str], bool]
    bare: frozenset[Shape] = frozenset()
    word: re.Pattern[str] | None = None
    mixed: bool = False

    def fits(self, window: Window, words: Words) -> bool:
        """The window is such a number."""
        if not self._parted_well(window.gaps) or not self.holds(window.digits):
            return False
        if window.shape in self.bare:
            return self.word is not None and words.near(self.word, window.start)
        return True

    def _parted_well(self, gaps: tuple[str, ...]) -> bool:
        signs = {gap.strip() for gap in gaps}
        return (self.mixed or len(signs - {""}) <= 1) and all(sign in self.between for sign in signs)


Forms = Mapping[Shape, tuple[Form, ...]]


def by_shape(forms: Sequence[Form]) -> Forms:
    """Shape → the forms that have it."""
    shapes = sorted({shape for form in forms for shape in form.shapes | form.bare})
    return {
        shape: tuple(form for form in forms if shape in form.shapes or shape in form.bare) for shape in shapes
    }


def runs(text: str) -> Iterator[list[Group]]:
    """Groups that stand so near each other that they may be one number, run by run."""
    run: list[Group] = []
    for found in _GROUP.finditer(text):
        start, end = found.span()
        if run and _GAP.fullmatch(text, run[-1].end, start):
            run.append(Group(start, end, found.group(), text[run[-1].end : start]))
            continue
        if run:
            yield run
        run = [Group(start, end, found.group(), "")]
    if run:
        yield run


def windows(text: str, run: Sequence[Group], first: int, forms: Forms) -> Iterator[Window]:
    """What has the shape of some form and begins with the group at place `first`.

    Where the end of a line parts groups, they are also read as one that was broken there.
    """
    if attached_before(text, run[first].start):
        return
    total = 0
    shape: Shape = ()
    unbroken: Shape = ()
    for last in range(first, min(first + MOST_GROUPS, len(run))):
        group = run[last]
        length = len(group.digits)
        total += length
        if total > MOST_DIGITS:
            return
        broken = last > first and "\n" in group.gap
        unbroken = (*unbroken[:-1], unbroken[-1] + length) if broken else (*unbroken, length)
        shape = (*shape, length)
        if (shape in forms or unbroken in forms) and not _ATTACHED_AFTER.match(text, group.end):
            yield from _as_read(run[first : last + 1], shape, unbroken)


def _as_read(groups: Sequence[Group], shape: Shape, unbroken: Shape) -> Iterator[Window]:
    start, end, digits = groups[0].start, groups[-1].end, "".join(group.digits for group in groups)
    gaps = tuple(group.gap for group in groups[1:])
    yield Window(start, end, digits, shape, gaps)
    if unbroken != shape:
        yield Window(start, end, digits, unbroken, tuple(gap for gap in gaps if "\n" not in gap))


def attached_before(text: str, start: int) -> bool:
    """What begins there goes on something: a word, a decimal, a part of a longer code."""
    if not start:
        return False
    last = text[start - 1]
    if last.isalnum() or last == "_":
        return True
    if start == 1 or last not in "-./":
        return False
    return text[start - 2].isalnum() if last == "-" else text[start - 2].isdigit()
