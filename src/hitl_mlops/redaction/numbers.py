"""Numbers in a text: runs of digit groups, and the shapes in which people write a number in groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_DIGITS = 19
"""No number that is looked for is longer."""
MOST_GROUPS = 9
_GROUP = re.compile(r"[0-9]+")
_GAP = re.compile(r"[ \t\r\n.\-/()+]{1,4}")
_ATTACHED_BEFORE = re.compile(r"[^\W_](?:[-_])\Z|[0-9][./]\Z|[^\W]\Z")
_ATTACHED_AFTER = re.compile(r"[^\W]|-[^\W_]|\.[0-9]")


@dataclass(frozen=True, slots=True)
class Group:
    """Digits that stand together."""

    start: int
    end: int
    digits: str


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring groups, whole ones, that may be one number.

    Attributes:
        start: where the first begins.
        end: where the last has ended.
        digits: of all of them.
        shape: how many digits each has.
        gaps: what stands between them.
    """

    start: int
    end: int
    digits: str
    shape: tuple[int, ...]
    gaps: tuple[str, ...]

    def unwrapped(self) -> Window:
        """The same with groups made one where only the end of a line parts them."""
        shape, gaps = [self.shape[0]], []
        for gap, length in zip(self.gaps, self.shape[1:], strict=True):
            if "\n" in gap:
                shape[-1] += length
            else:
                shape.append(length)
                gaps.append(gap)
        return Window(self.start, self.end, self.digits, tuple(shape), tuple(gaps))


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
    shapes: frozenset[tuple[int, ...]]
    between: str
    holds: Callable[[str], bool]
    bare: frozenset[tuple[int, ...]] = frozenset()
    word: re.Pattern[str] | None = None
    mixed: bool = False

    def fits(self, window: Window, before: Callable[[], str]) -> bool:
        """The window is such a number; `before` gives the text before it."""
        if not self._parted_well(window.gaps) or not self.holds(window.digits):
            return False
        if window.shape in self.bare:
            return self.word is not None and self.word.search(before()) is not None
        return True

    def _parted_well(self, gaps: tuple[str, ...]) -> bool:
        signs = {gap.strip() for gap in gaps}
        return (self.mixed or len(signs - {""}) <= 1) and all(sign in self.between for sign in signs)


def by_shape(forms: Sequence[Form]) -> Mapping[tuple[int, ...], tuple[Form, ...]]:
    """Shape → the forms that have it."""
    shapes = sorted({shape for form in forms for shape in form.shapes | form.bare})
    return {
        shape: tuple(form for form in forms if shape in form.shapes or shape in form.bare) for shape in shapes
    }


def runs(text: str) -> Iterator[list[Group]]:
    """Groups that stand so near each other that they may be one number, run by run."""
    run: list[Group] = []
    for found in _GROUP.finditer(text):
        if run and not _GAP.fullmatch(text, run[-1].end, found.start()):
            yield run
            run = []
        run.append(Group(found.start(), found.end(), found.group()))
    if run:
        yield run


def windows(text: str, run: Sequence[Group], first: int) -> Iterator[Window]:
    """What may be one number and begins with the group at place `first`; shortest first."""
    if attached_before(text, run[first].start):
        return
    total = 0
    for last in range(first, min(first + MOST_GROUPS, len(run))):
        total += len(run[last].digits)
        if total > MOST_DIGITS:
            return
        if not _ATTACHED_AFTER.match(text, run[last].end):
            yield window_of(text, run[first : last + 1])


def window_of(text: str, groups: Sequence[Group]) -> Window:
    """Those groups as one."""
    return Window(
        groups[0].start,
        groups[-1].end,
        "".join(group.digits for group in groups),
        tuple(len(group.digits) for group in groups),
        tuple(text[one.end : other.start] for one, other in pairwise(groups)),
    )


def attached_before(text: str, start: int) -> bool:
    """What begins there goes on something: a word, a decimal, a part of a longer code."""
    return _ATTACHED_BEFORE.search(text[max(0, start - 2) : start]) is not None
