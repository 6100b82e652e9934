"""Which words stand before a place of a text."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

NEAR = 40
"""Characters before a number in which a word may say what it is."""


def word(pattern: str) -> re.Pattern[str]:
    """Finds those words where they stand alone, and not in a mask such as `[us-ssn]`."""
    return re.compile(rf"(?<![^\W_])(?<!\[)(?<!\[us-)(?<!\[nl-)(?:{pattern})(?![^\W_])", re.IGNORECASE)


@dataclass(slots=True)
class Words:
    """The words of a text; each pattern is looked for once.

    Attributes:
        text: the text.
        context: what stands before it.
    """

    text: str
    context: str = ""
    _ends: dict[re.Pattern[str], list[int]] = field(default_factory=dict)

    def near(self, pattern: re.Pattern[str], place: int) -> bool:
        """One ends within `NEAR` characters before the place, or stands in the context near a beginning."""
        ends = self._ends_of(pattern)
        before = bisect_right(ends, place)
        if before and ends[before - 1] >= place - NEAR:
            return True
        return place <= NEAR and pattern.search(self.context) is not None

    def just_before(self, pattern: re.Pattern[str], place: int) -> bool:
        """One ends right at the place."""
        ends = self._ends_of(pattern)
        before = bisect_right(ends, place)
        return before > 0 and ends[before - 1] == place

    def _ends_of(self, pattern: re.Pattern[str]) -> list[int]:
        if pattern not in self._ends:
            self._ends[pattern] = [found.end() for found in pattern.finditer(self.text)]
        return self._ends[pattern]
